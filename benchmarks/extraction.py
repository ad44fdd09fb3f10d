"""Features of the preset ``patches`` beside the bare matrix products of the same sizes.

An extraction multiplies each whitened patch with K filters and makes two features of each answer;
that the negative filters cost no product is its own doing. So there are two floors: the products of
a plain extraction, with one column for each of the 2 K responses, and those that are left of them.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.task import LinearModel
from benchmarks.timing import Announce, Comparison, Goal, agreeing, measure
from softmax_cli.arrays import Images
from softmax_cli.blas import blas_threads, limited_to
from softmax_cli.config.loading import load_train_config
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.patches import Patches

IMAGES = 500
"""As many as are extracted at a time."""

_BOUND = 1.6  # of the extraction over the products of all responses


class PatchExtraction:
    """Features of some images, as training computes them."""

    name = "extraction"
    share = 1.0

    def __init__(self, feature_map: Patches, images: Images) -> None:
        self._map = feature_map
        self._images = images

    def setup(self) -> None:
        """Fit the map."""
        self._map.fit(self._images, np.random.SeedSequence(0))

    def run(self) -> None:
        """Extract."""
        self._map.transform(self._images)

    def learned(self) -> Sequence[LinearModel]:
        """Nothing."""
        return ()


class PatchProducts:
    """For each image two products in float32: patches by whitening, whitened patches by filters.

    Args:
        name: in tables.
        images: how many.
        shapes: (rows, inner size, columns) of each product.
    """

    share = 1.0

    def __init__(self, name: str, images: int, shapes: Sequence[tuple[int, int, int]]) -> None:
        self.name = name
        self._images = images
        self._shapes = shapes

    def setup(self) -> None:
        """Nothing: each thread makes its own factors."""

    def run(self) -> None:
        """Multiply, in as many threads as BLAS has, each with BLAS at one thread."""
        threads = blas_threads()
        share = math.ceil(self._images / threads)
        with limited_to(1), ThreadPoolExecutor(threads) as pool:
            for part in [pool.submit(self._multiply, share) for _ in range(threads)]:
                part.result()

    def _multiply(self, times: int) -> None:
        rng = np.random.default_rng(0)
        factors = [
            (
                rng.standard_normal((rows, inner), np.float32),
                rng.standard_normal((inner, columns), np.float32),
                np.empty((rows, columns), np.float32),
            )
            for rows, inner, columns in self._shapes
        ]
        for _ in range(times):
            for left, right, product in factors:
                np.matmul(left, right, out=product)

    def learned(self) -> Sequence[LinearModel]:
        """Nothing."""
        return ()


def compare_extraction(images: int, repeats: int, announce: Announce) -> Comparison:
    """Time the extraction of ``patches`` and its products, on synthetic images.

    Args:
        images: how many.
        repeats: rounds that count.
        announce: is told of each run.
    """
    settings = load_train_config("patches").features.model_dump(exclude={"kind", "storage"})
    feature_map, rank = Patches(**settings), settings["rank"]
    grid, columns = feature_map.grid, feature_map.filters
    whitening = (grid.positions, grid.pixels, rank)
    everything = PatchProducts(
        "a product for each response",
        images,
        [whitening, (grid.positions, rank, feature_map.signs * columns)],
    )
    own = PatchProducts(
        "products without the negative filters",
        images,
        [whitening, (grid.positions, rank, columns)],
    )
    extraction = PatchExtraction(feature_map, make_synthetic("train", size=images).images)
    measured = measure([everything, own, extraction], None, repeats, announce)
    return Comparison(
        name="extraction",
        title=f"Features patches of {images} images",
        measurements=agreeing(measured, tolerance=0),
        goals=(Goal(extraction.name, everything.name, _BOUND, at_least=False),),
        notes=("Products alone, in as many threads; reading, pooling and roots are extra.",),
    )
