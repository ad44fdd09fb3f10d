"""How much each patch of an image looks like each filter of a dictionary, averaged over regions.

The single-layer networks of Coates, Ng & Lee (2011) and Coates & Ng (2011), with dictionaries of
plain patches as in Thiry et al. (2021); ``docs/features.md`` has the mathematics.

A filter d answers a whitened patch h with ``a = d h``. Summed over the patches of a cell,

    sum max(a - t, 0) = (sum |a - t| + sum (a - t)) / 2,

where the last sum comes from the sum of the patches by a tiny product. ``abs`` in place takes a
third of the time of ``maximum``, and the sums are products with ones. What else makes it fast:

- means and deviations of patches come from box sums of the image, and patches stand side by side
  as columns, so that whatever is done to all of them runs along a row;
- filters meet the ``rank`` numbers that whitening leaves of a patch;
- offset and threshold are a row of the product with the filters;
- the negative filters, ``max(-a - t, 0)``, need no product of their own: ``a + t`` is
  ``(a - t) + 2 t``;
- a tile, the responses of one image to some of the filters, stays in the second-level cache;
- BLAS is kept to one thread, and as many Python threads as it had share the images.

Every product has the same shape whatever images come together, so that an image has the same bits
in any company: kernels of BLAS depend on shapes.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays, Floats, Images, Indices
from softmax_cli.data.images import IMAGE_SHAPE
from softmax_cli.features.chunks import transform_in_chunks
from softmax_cli.features.feature_map import expect_arrays
from softmax_cli.features.patch_dictionary import (
    CONTRAST_FLOOR,
    DictionaryKind,
    PatchDictionary,
    learn_dictionary,
)
from softmax_cli.features.patch_grid import CHANNELS, SIDE, PatchGrid

Activation = Literal["threshold", "triangle"]

ROOT_OFFSET = 0.01
"""The last step is ``sqrt(x + c) - sqrt(c)`` with this c: the bare root magnifies rounding at 0."""

_TILE_BYTES = 600_000  # of responses; two such tiles and their factors fit into 2 MB
_IMAGES_AT_A_TIME = 8  # that a thread takes, so that no thread waits long for the last one
_MIDDLE = np.float32(128)  # subtracted from pixels; smaller numbers are rounded less


@dataclass(frozen=True)
class PatchViews:
    """A dictionary as images, and what the weights of C classes say about each of them.

    Images are contrast-normalised: grey is 0.

    Attributes:
        filters: (K / 2, size, size, 3), without mirror images.
        total: K.
        patches: (n, size, size, 3), the filters, then their negatives where these are features.
        weights: (C, n, g, g) of each patch in each region. A patch and its mirror image count as
            one, with the regions of the mirror image mirrored.
    """

    filters: Floats
    total: int
    patches: Floats
    weights: Floats


class Patches:
    """The feature map of the module's docstring.

    Args:
        patch_size: pixels along the side of a patch.
        stride: pixels between two patches; divides ``32 - patch_size``.
        filters: K, even: half of them are learned, the others are their mirror images.
        dictionary: ``random`` or ``kmeans``.
        rank: dimensions that patches are whitened to.
        whitening_epsilon: added to the variances that whitening divides by.
        activation: ``threshold``: ``max(a - t, 0)`` and ``max(-a - t, 0)``, two features for each
            filter and region; ``triangle``: by how much the filter is nearer than the average
            filter, one feature.
        threshold: t, in deviations of a response; unused by ``triangle``.
        regions: g, along each side; features are averaged over g x g regions.
    """

    kind: ClassVar[str] = "patches"
    is_costly: ClassVar[bool] = True

    def __init__(
        self,
        *,
        patch_size: int,
        stride: int,
        filters: int,
        dictionary: DictionaryKind,
        rank: int,
        whitening_epsilon: float,
        activation: Activation,
        threshold: float,
        regions: int,
    ) -> None:
        self.grid = PatchGrid(patch_size, stride, regions)
        self.filters = filters
        self.signs = 2 if activation == "threshold" else 1
        self._kind: DictionaryKind = dictionary
        self._rank = rank
        self._epsilon = whitening_epsilon
        self._activation = activation
        self._threshold = threshold
        self._dictionary: PatchDictionary | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """What a row of features is, row-major: region rows, region columns, signs, filters."""
        return (self.grid.regions, self.grid.regions, self.signs, self.filters)

    @property
    def size(self) -> int:
        """P, the product of :attr:`shape`."""
        return math.prod(self.shape)

    @property
    def mirror(self) -> Indices:
        """Regions from right to left, and each filter for its mirror image."""
        numbers = np.arange(self.size).reshape(*self.shape[:-1], 2, self.filters // 2)
        return np.ascontiguousarray(numbers[:, ::-1, :, ::-1]).reshape(-1)

    @property
    def dictionary(self) -> PatchDictionary:
        """What was learned.

        Raises:
            ValueError: nothing yet.
        """
        if self._dictionary is None:
            raise ValueError("expected a feature map that is fitted")
        return self._dictionary

    def fit(self, images: Images, seed: "np.random.SeedSequence") -> Self:
        """Learn whitening and dictionary from patches of the images (n, 3072), n > 0."""
        from softmax_cli.blas import limited_to

        with limited_to(1):  # so that the bits do not depend on the number of threads
            self._dictionary = learn_dictionary(
                images,
                self.grid,
                np.random.default_rng(seed),
                kind=self._kind,
                filters=self.filters,
                rank=self._rank,
                epsilon=self._epsilon,
            )
        return self

    def arrays(self) -> Arrays:
        """Projection, offset, parity and filters."""
        return dict(vars(self.dictionary))

    @classmethod
    def from_arrays(cls, arrays: Arrays, **settings: Any) -> Self:
        """The fitted map."""
        made = cls(**settings)
        rank = made._rank
        expect_arrays(
            arrays,
            {
                "projection": (made.grid.pixels, rank),
                "offset": (rank,),
                "parity": (rank,),
                "filters": (rank, made.filters // 2),
            },
        )
        made._dictionary = PatchDictionary(**arrays)
        return made

    def to_pixels(self, weights: Floats) -> None:  # noqa: ARG002
        """None: the map is not linear."""
        return

    def views(self, weights: Floats) -> "PatchViews":
        """The dictionary, and the weights (P, C) of features, laid out to be drawn."""
        learned, size, regions = self.dictionary, self.grid.patch_size, self.grid.regions
        pixels = np.linalg.pinv(learned.projection.astype(np.float64)).T @ learned.filters
        filters = pixels.T.reshape(-1, CHANNELS, size, size).transpose(0, 2, 3, 1)
        layout = weights.reshape(regions, regions, self.signs, 2, self.filters // 2, -1)
        together = layout[:, :, :, 0] + layout[:, ::-1, :, 1]  # (g, g, signs, K / 2, C)
        return PatchViews(
            filters=filters,
            total=self.filters,
            patches=np.concatenate([filters, -filters][: self.signs]),
            weights=together.transpose(4, 2, 3, 0, 1).reshape(
                weights.shape[1], -1, regions, regions
            ),
        )

    def transform(self, images: Images) -> NDArray[np.float32]:
        """Features (n, P), float32, of images (n, 3072)."""
        from softmax_cli.threads import PerThread  # whoever predicts from pixels needs it not

        extraction = PerThread(
            lambda: _EXTRACTIONS[self._activation](self.grid, self.dictionary, self._threshold)
        )

        def extract(some: Images, out: NDArray[np.float32]) -> None:
            for image, row in zip(some, out, strict=True):
                extraction.value.write(image, row)

        return transform_in_chunks(images, extract, size=self.size, chunk=_IMAGES_AT_A_TIME)


class _WhitenedPatches:
    """Whitens the patches of one image after the other, in buffers that are reused.

    Attributes:
        patches: (positions, rank + 1) float32, cell by cell: whitened, but that the offset is not
            subtracted, and a one.
    """

    def __init__(self, grid: PatchGrid, dictionary: PatchDictionary) -> None:
        size, rank = grid.patch_size, len(dictionary.parity)
        self._grid = grid
        # A column of zeros leaves room for the ones.
        self._projection = np.pad(dictionary.projection, [(0, 0), (0, 1)])
        self._image = np.empty(IMAGE_SHAPE, np.float32)
        windows = sliding_window_view(self._image, (CHANNELS, size, size))[0]
        # (channels, size, size, rows, columns): long runs along the positions, not in a patch.
        self._windows = windows[:: grid.stride, :: grid.stride].transpose(2, 3, 4, 0, 1)
        self._columns = np.empty((grid.pixels, grid.positions), np.float32)
        self._projected = np.empty((grid.positions, rank + 1), np.float32)
        self.patches = np.empty_like(self._projected)
        # Which pixels along a side belong to the patches at each position.
        self._reach = np.zeros((grid.side_positions, SIDE), np.float32)
        for position in range(grid.side_positions):
            self._reach[position, position * grid.stride : position * grid.stride + size] = 1

    def whiten(self, image: NDArray[Any]) -> None:
        """Fill :attr:`patches` from an image (3072,)."""
        np.subtract(image.reshape(IMAGE_SHAPE), _MIDDLE, out=self._image)
        means, reciprocals = self._contrast()
        self._columns.reshape(self._windows.shape)[...] = self._windows
        np.subtract(self._columns, means, out=self._columns)
        np.multiply(self._columns, reciprocals, out=self._columns)
        np.matmul(self._columns.T, self._projection, out=self._projected)
        # From row by row to cell by cell; without "clip" the output would be buffered.
        np.take(self._projected, self._grid.order, axis=0, out=self.patches, mode="clip")
        self.patches[:, -1] = 1

    def _contrast(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean (positions,) of each patch, and one over its deviation.

        Sums of bytes and of their squares are whole numbers, which float32 holds exactly up to a
        patch size of 9; the difference of the two squares needs float64.
        """
        count = self._grid.pixels
        means = self._sums(self._image) / count
        variances = np.maximum(self._sums(np.square(self._image)) / count - means**2, 0)
        reciprocals = 1 / np.sqrt(variances + CONTRAST_FLOOR)
        return means.astype(np.float32), reciprocals.astype(np.float32)

    def _sums(self, pixels: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sums (positions,) over each patch of pixels (3, 32, 32)."""
        sums: NDArray[np.float32] = self._reach @ pixels.sum(axis=0) @ self._reach.T
        return sums.reshape(-1).astype(np.float64)


class _Pooling:
    """Means over regions, of rows that are ordered cell by cell."""

    def __init__(self, grid: PatchGrid) -> None:
        self._averaging = grid.averaging
        self._cells = grid.cells
        sizes = {cell.stop - cell.start for cell in grid.cells}
        self._cell_size = sizes.pop() if len(sizes) == 1 else None
        self._ones = np.ones((1, grid.positions), np.float32)

    def means(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Means (regions**2, n) of rows (positions, n)."""
        width = rows.shape[1]
        sums = np.empty((len(self._cells), 1, width), np.float32)
        if self._cell_size is not None:
            cells = rows.reshape(len(self._cells), self._cell_size, width)
            np.matmul(self._ones[:, : self._cell_size], cells, out=sums)
        else:
            for cell, out in zip(self._cells, sums, strict=True):
                np.matmul(self._ones[:, : cell.stop - cell.start], rows[cell], out=out)
        return self._averaging @ sums[:, 0]


class _ThresholdExtraction:
    """Writes features ``max(a - t, 0)`` and ``max(-a - t, 0)``."""

    def __init__(self, grid: PatchGrid, dictionary: PatchDictionary, threshold: float) -> None:
        self._whitened = _WhitenedPatches(grid, dictionary)
        self._pooling = _Pooling(grid)
        self._twice = np.float32(2 * threshold)
        filters = dictionary.whole()
        # (rank + 1, K): a whitened patch and a one, times this, is a - t.
        self._filters = np.vstack([filters, -(dictionary.offset @ filters) - np.float32(threshold)])
        self._tiles = _tiles(self._filters, grid.positions)
        widest = max(tile.shape[1] for _, tile in self._tiles)
        self._buffers = np.empty((2, grid.positions * widest), np.float32)

    def write(self, image: NDArray[Any], features: NDArray[np.float32]) -> None:
        """Features (P,) of an image (3072,)."""
        self._whitened.whiten(image)
        patches = self._whitened.patches
        out = features.reshape(-1, 2, self._filters.shape[1])  # (regions**2, 2, K)
        for columns, tile in self._tiles:
            responses, lengths = (
                buffer[: len(patches) * tile.shape[1]].reshape(len(patches), -1)
                for buffer in self._buffers
            )
            np.matmul(patches, tile, out=responses)  # a - t
            np.abs(responses, out=lengths)
            out[:, 0, columns] = self._pooling.means(lengths)
            np.add(responses, self._twice, out=responses)  # a + t
            np.abs(responses, out=lengths)
            out[:, 1, columns] = self._pooling.means(lengths)
        linear = self._pooling.means(patches) @ self._filters  # means of a - t
        out[:, 0] += linear
        out[:, 1] -= linear + self._twice
        np.multiply(features, np.float32(0.5), out=features)
        take_root(features)


class _TriangleExtraction:
    """Writes features ``max(mean(z) - z, 0)`` of the distances z between a patch and the filters.

    Whitened patches have a length near the root of their rank, and filters are given that length.
    """

    def __init__(self, grid: PatchGrid, dictionary: PatchDictionary, threshold: float) -> None:  # noqa: ARG002
        self._whitened = _WhitenedPatches(grid, dictionary)
        self._pooling = _Pooling(grid)
        self._offset = dictionary.offset
        self._squared_length = np.float32(len(dictionary.parity))
        self._filters = np.sqrt(self._squared_length) * dictionary.whole()
        self._distances = np.empty((grid.positions, self._filters.shape[1]), np.float32)

    def write(self, image: NDArray[Any], features: NDArray[np.float32]) -> None:
        """Features (P,) of an image (3072,)."""
        self._whitened.whiten(image)
        patches = self._whitened.patches[:, :-1] - self._offset
        distances = self._distances
        # |h - d|**2 = |h|**2 + |d|**2 - 2 h d
        np.matmul(patches, -2 * self._filters, out=distances)
        np.add(
            distances,
            np.square(patches).sum(axis=1, keepdims=True) + self._squared_length,
            out=distances,
        )
        np.maximum(distances, 0, out=distances)
        np.sqrt(distances, out=distances)
        np.subtract(distances.mean(axis=1, keepdims=True), distances, out=distances)
        np.maximum(distances, 0, out=distances)
        features.reshape(-1, self._filters.shape[1])[...] = self._pooling.means(distances)
        take_root(features)


_EXTRACTIONS: Final[dict[Activation, type[_ThresholdExtraction | _TriangleExtraction]]] = {
    "threshold": _ThresholdExtraction,
    "triangle": _TriangleExtraction,
}


def _tiles(filters: NDArray[np.float32], positions: int) -> list[tuple[slice, NDArray[np.float32]]]:
    """Filters (n, K) cut into parts, each contiguous and with its columns."""
    most = max(1, _TILE_BYTES // (positions * filters.itemsize))
    count = math.ceil(filters.shape[1] / most)
    edges = [number * filters.shape[1] // count for number in range(count + 1)]
    slices = [slice(*edges[number : number + 2]) for number in range(count)]
    return [(columns, np.ascontiguousarray(filters[:, columns])) for columns in slices]


def take_root(features: NDArray[np.float32]) -> None:
    """Replace means x by ``sqrt(x + c) - sqrt(c)``; x below 0 is what rounding left of 0."""
    np.maximum(features, 0, out=features)
    np.add(features, np.float32(ROOT_OFFSET), out=features)
    np.sqrt(features, out=features)
    np.subtract(features, np.float32(math.sqrt(ROOT_OFFSET)), out=features)
