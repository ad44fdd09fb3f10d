"""Left and right alike: features of mirrored images, and their sums, which mirroring keeps.

A feature map with a *mirror permutation* pairs each feature with the one that it becomes when the
image is mirrored; some may be paired with themselves. For a pair (i, j) the basis vectors
``(e_i + e_j)/sqrt 2`` and ``(e_i - e_j)/sqrt 2`` are orthonormal, and a flip-symmetric classifier
has no weight on the second. *Folding* keeps the first, and a feature that is its own mirror image
as it is. An image and its mirror image then have the same folded features. The square root keeps
the basis orthonormal, so that learning rate and regularisation mean what they mean without folding.

Folded rows hold the plain sums ``x_i + x_j``, which are whole numbers where features are; the
square root is left to standardisation.
"""

import math

import numpy as np

from softmax_cli.arrays import Floats, Indices, Rows
from softmax_cli.features.chunks import chunks_of
from softmax_cli.features.standardization import Standardization
from softmax_cli.threads import in_threads

_CHUNK_ROWS = 256  # rows gathered at a time, so that they stay in the cache


class Folding:
    """Sums over the pairs of a mirror permutation.

    Args:
        mirror: (P,) int64, its own inverse.

    Attributes:
        size: F, the number of folded features: one for each pair, and one for each feature that is
            paired with itself.

    Raises:
        ValueError: ``mirror`` is not its own inverse.
    """

    def __init__(self, mirror: Indices) -> None:
        identity = np.arange(len(mirror))
        if (mirror[mirror] != identity).any():
            raise ValueError("expected a mirror permutation that is its own inverse")
        self._mirror = mirror
        self._first = np.flatnonzero(identity <= mirror)  # (F,), one of each pair
        self._second = mirror[self._first]  # (F,), the other one, or the same
        self._paired = self._first != self._second
        self._norm = np.where(self._paired, math.sqrt(2), 1.0)  # (F,), of the sums' basis vectors
        self.size = len(self._first)

    def fold(self, rows: Rows) -> Rows:
        """Sums (n, F) of the pairs of rows (n, P): uint16 of uint8, floats of their own dtype."""
        dtype = np.dtype(np.uint16) if rows.dtype == np.uint8 else rows.dtype
        sums = np.empty((len(rows), self.size), dtype)

        def add(some: slice) -> None:
            chunk, out = rows[some], sums[some]
            np.add(
                chunk.take(self._first, axis=1), chunk.take(self._second, axis=1), out, dtype=dtype
            )
            if not self._paired.all():
                out[:, ~self._paired] = chunk[:, self._first[~self._paired]]

        in_threads(add, chunks_of(len(rows), _CHUNK_ROWS))
        return sums

    def unfold(self, weights: Floats) -> Floats:
        """Weights (P, C) that score features as ``weights`` (F, C) score folded ones."""
        reciprocal = (1 / self._norm).astype(weights.dtype)
        unfolded = np.empty((len(self._mirror), *weights.shape[1:]), weights.dtype)
        unfolded[self._first] = unfolded[self._second] = weights * reciprocal[:, None]
        return unfolded

    def standardization(self, whole: Standardization) -> Standardization:
        """That of folded rows, from that of the features, which must be flip-symmetric.

        ``((x - m) + (x' - m)) / (sqrt 2 s)`` is written as ``((x + x') - 2 m) / (sqrt 2 s)``.

        Raises:
            ValueError: the mean or scale of a feature and of its mirror image differ.
        """
        for values in (whole.mean, whole.scale):
            if (values != values[self._mirror]).any():
                raise ValueError("expected flip-symmetric standardisation")
        mean, scale = whole.mean[self._first], whole.scale[self._first]
        return Standardization(
            mean=np.where(self._paired, 2 * mean, mean),
            scale=self._norm.astype(np.float32) * scale,
        )


def with_mirrored(rows: Rows, mirror: Indices) -> Rows:
    """All rows (n, P), then those of all images mirrored: (2 n, P)."""
    both = np.empty((2 * len(rows), rows.shape[1]), rows.dtype)
    images, mirrored = both[: len(rows)], both[len(rows) :]

    def copy(some: slice) -> None:
        images[some] = rows[some]
        # Any other mode buffers the output.
        np.take(rows[some], mirror, axis=1, out=mirrored[some], mode="clip")

    in_threads(copy, chunks_of(len(rows), _CHUNK_ROWS))
    return both
