"""What patches are compared with: a whitening, and a dictionary of filters that knows no left.

A patch x is contrast-normalised, ``y = (x - mean(x)) / sqrt(var(x) + 10)`` with pixels from 0 to
255, and whitened, ``h = V^T (y - m)``. V holds the ``rank`` leading eigenvectors of the covariance
of y, each divided by the root of its eigenvalue plus epsilon (Coates, Ng & Lee 2011).

Training images are counted together with their mirror images, so the covariance commutes with
mirroring, and its eigenvectors can be chosen *even* or *odd*: a mirrored patch has the same
coordinates, the odd ones negated. They are computed so, from the even and the odd subspace by
themselves. To mirror a filter d in these coordinates is to multiply it with a *parity* of +1 and
-1, without any rounding, and the dictionary is closed under it: the second half mirrors the first.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Images
from softmax_cli.data.images import IMAGE_SHAPE
from softmax_cli.features.patch_grid import CHANNELS, SIDE, PatchGrid

DictionaryKind = Literal["random", "kmeans"]

CONTRAST_FLOOR = 10.0
"""Added to the variance of a patch, in squared grey levels of 0 to 255 (Coates & Ng 2012)."""

_MAX_SAMPLED = 100_000
_MAX_SAMPLED_PER_IMAGE = 200
_KMEANS_ROUNDS = 10
_BLOCK = 4096


@dataclass(frozen=True)
class PatchDictionary:
    """What is learned from training images.

    Attributes:
        projection: (pixels, rank) float32, V; numbers of a patch are channel-major, as
            those of an image.
        offset: (rank,) float32, ``V^T m``.
        parity: (rank,) float32, +1 for even and -1 for odd coordinates.
        filters: (rank, K / 2) float32, one of each pair of mirrored filters, of length 1.
    """

    projection: NDArray[np.float32]
    offset: NDArray[np.float32]
    parity: NDArray[np.float32]
    filters: NDArray[np.float32]

    def whole(self) -> NDArray[np.float32]:
        """All filters (rank, K): those that are kept, then their mirror images."""
        return np.concatenate([self.filters, self.parity[:, None] * self.filters], axis=1)


def learn_dictionary(
    images: Images,
    grid: PatchGrid,
    rng: "np.random.Generator",
    *,
    kind: DictionaryKind,
    filters: int,
    rank: int,
    epsilon: float,
) -> PatchDictionary:
    """Whitening and filters from patches of training images.

    Args:
        images: (n, 3072), n > 0.
        grid: the size of patches.
        rng: draws patches.
        kind: ``random``: patches as they come; ``kmeans``: spherical k-means on them.
        filters: K, even.
        rank: dimensions kept, less than the numbers in a patch.
        epsilon: added to the eigenvalues, above 0.
    """
    count = max(filters // 2, min(_MAX_SAMPLED, _MAX_SAMPLED_PER_IMAGE * len(images)))
    patches = normalized(_sample(images, grid.patch_size, count, rng))
    projection, mean, parity = _whitening(patches, grid, rank, epsilon)
    whitened = ((patches - mean) @ projection).astype(np.float32)
    chosen = _directions(whitened[: filters // 2].T.copy(), rng)
    if kind == "kmeans":
        chosen, _ = spherical_kmeans(whitened, chosen, parity, _KMEANS_ROUNDS)
    return PatchDictionary(
        projection=projection.astype(np.float32),
        offset=(mean @ projection).astype(np.float32),
        parity=parity,
        filters=chosen,
    )


def normalized(patches: Floats) -> NDArray[np.float32]:
    """Patches (n, pixels) without their mean and contrast."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    deviations = np.sqrt(centred.var(axis=1, keepdims=True) + CONTRAST_FLOOR)
    rows: NDArray[np.float32] = (centred / deviations).astype(np.float32)
    return rows


def _sample(
    images: Images, size: int, count: int, rng: "np.random.Generator"
) -> NDArray[np.float32]:
    """Patches (count, 3 * size * size) from anywhere in any images."""
    pictures = images.reshape(-1, *IMAGE_SHAPE)
    which = rng.integers(len(images), size=(count, 1, 1, 1))
    top, left = rng.integers(SIDE - size + 1, size=(2, count, 1, 1, 1))
    channels, span = np.arange(CHANNELS)[:, None, None], np.arange(size)
    patches = pictures[which, channels, top + span[:, None], left + span]
    rows: NDArray[np.float32] = patches.reshape(count, -1).astype(np.float32)
    return rows


def _whitening(
    patches: NDArray[np.float32], grid: PatchGrid, rank: int, epsilon: float
) -> tuple[Floats, Floats, NDArray[np.float32]]:
    """Projection (pixels, rank), mean (pixels,), parity (rank,) of patches and their mirrors."""
    mirror = grid.mirrored_pixels
    mean = patches.mean(axis=0, dtype=np.float64)
    mean = 0.5 * (mean + mean[mirror])
    covariance = np.zeros((grid.pixels, grid.pixels))
    for start in range(0, len(patches), _BLOCK):
        block = patches[start : start + _BLOCK] - mean
        covariance += block.T @ block
    covariance /= len(patches)
    covariance = 0.5 * (covariance + covariance[np.ix_(mirror, mirror)])
    found = [
        (np.linalg.eigh(basis.T @ covariance @ basis), basis, sign)
        for basis, sign in zip(_even_and_odd(grid), (1, -1), strict=True)
    ]
    values = np.concatenate([values for (values, _), _, _ in found])
    vectors = np.concatenate([basis @ vectors for (_, vectors), basis, _ in found], axis=1)
    parity = np.concatenate([np.full(basis.shape[1], sign) for _, basis, sign in found])
    leading = np.argsort(-values, kind="stable")[:rank]
    scale = 1 / np.sqrt(np.maximum(values[leading], 0) + epsilon)
    return vectors[:, leading] * scale, mean, parity[leading].astype(np.float32)


def _even_and_odd(grid: PatchGrid) -> tuple[Floats, Floats]:
    """Orthonormal bases (pixels, n) of the patches that mirroring keeps, and that it negates."""
    identity = np.eye(grid.pixels)
    mirrored = identity[grid.mirrored_pixels]
    first = np.arange(grid.pixels) <= grid.mirrored_pixels
    even, odd = (identity + mirrored)[:, first], (identity - mirrored)[:, first]
    odd = odd[:, odd.any(axis=0)]  # a pixel in the middle column is its own mirror image
    return even / np.linalg.norm(even, axis=0), odd / np.linalg.norm(odd, axis=0)


def _directions(vectors: NDArray[np.float32], rng: "np.random.Generator") -> NDArray[np.float32]:
    """Columns of length 1; columns of zeros, from patches without contrast, point anywhere."""
    lost = ~vectors.any(axis=0)
    vectors[:, lost] = rng.standard_normal((len(vectors), int(lost.sum())))
    units: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=0)
    return units


def spherical_kmeans(
    whitened: NDArray[np.float32],
    filters: NDArray[np.float32],
    parity: NDArray[np.float32],
    rounds: int,
) -> tuple[NDArray[np.float32], list[float]]:
    """Filters of length 1 that patches are nearly multiples of (Coates & Ng 2012, section 2).

    Each patch h goes to the filter d, mirrored or not, with the greatest ``|d h|``, and is
    described by ``(d h) d``. A filter then becomes the direction of the sum of its patches,
    weighted by ``d h``: one step of the power iteration on them.

    Args:
        whitened: (n, rank) patches.
        filters: (rank, k) of length 1, to begin with.
        parity: (rank,) what mirrors a filter.
        rounds: of assignment and update.

    Returns:
        The filters, and before each update the mean of ``|h - (d h) d|**2``, which falls.
    """
    energy = float(np.square(whitened, dtype=np.float64).sum())
    count = filters.shape[1]
    errors = []
    for _ in range(rounds):
        both = np.concatenate([filters, parity[:, None] * filters], axis=1)
        sums, explained = np.zeros((2 * count, len(filters))), 0.0
        for start in range(0, len(whitened), _BLOCK):
            block = whitened[start : start + _BLOCK]
            responses = block @ both
            best = np.abs(responses).argmax(axis=1)
            rows = np.arange(len(block))
            strongest = np.zeros_like(responses)
            strongest[rows, best] = responses[rows, best]
            sums += strongest.T @ block
            explained += float(np.square(strongest[rows, best], dtype=np.float64).sum())
        errors.append((energy - explained) / len(whitened))
        moved = (sums[:count] + parity * sums[count:]).T
        lengths = np.linalg.norm(moved, axis=0)
        alive = lengths > 0  # a filter that no patch goes to stays where it is
        filters = filters.copy()
        filters[:, alive] = moved[:, alive] / lengths[alive]
    return filters, errors
