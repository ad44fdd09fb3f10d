"""Left and right: images flipped, and the features that do not care.

A row of pixels is (3, 32, 32) channel-major, so flipping turns each run of 32 around. *Folding*
adds each pixel to its mirror image: 3072 pixels become 1536 sums, the same for an image and its
flip.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

WIDTH = 32
_CHUNK_IMAGES = 1000


def mirrored(rows: NDArray[Scalar]) -> NDArray[Scalar]:
    """Rows of pixels (..., 3072) flipped left to right; a copy."""
    lines = rows.reshape(*rows.shape[:-1], -1, WIDTH)
    return np.ascontiguousarray(lines[..., ::-1]).reshape(rows.shape)


def with_mirrored(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """All images (n, 3072), then all of them flipped left to right: (2 n, 3072)."""
    both = np.empty((2 * len(images), images.shape[1]), np.uint8)
    both[: len(images)] = images
    both[len(images) :] = mirrored(images)
    return both


def folded(images: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Sums (n, 1536) of the pixels of images (n, 3072) with their mirror images, 0 to 510."""
    sums = np.empty((len(images), images.shape[1] // 2), np.uint16)
    for start in range(0, len(images), _CHUNK_IMAGES):
        chunk = images[start : start + _CHUNK_IMAGES].reshape(-1, WIDTH)
        out = sums[start : start + _CHUNK_IMAGES].reshape(-1, WIDTH // 2)
        np.copyto(out, chunk[:, : WIDTH // 2])
        out += chunk[:, : WIDTH // 2 - 1 : -1]
    return sums


def left_half(row: NDArray[np.floating]) -> NDArray[np.floating]:
    """The entries (1536,) of a row (3072,) that stand left of the middle."""
    return row.reshape(-1, WIDTH)[:, : WIDTH // 2].reshape(-1)


def unfolded(weights: NDArray[np.floating]) -> NDArray[np.floating]:
    """Weights (1536, C) of folded features as weights (3072, C): the same for both halves."""
    lines = weights.reshape(-1, WIDTH // 2, weights.shape[1])
    return np.concatenate([lines, lines[:, ::-1]], axis=1).reshape(-1, weights.shape[1])
