"""Scores of one linear classifier on any number of images."""

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.preprocessing import Preprocessing

_CHUNK = 1000


def score_images(
    images: NDArray[np.uint8],
    preprocessing: Preprocessing,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Scores ``x' W + b`` of images, a chunk at a time so that memory stays bounded.

    Everything that reports on a finished model scores through here, so that the same images always
    get the same bits.

    Args:
        images: (n, D) uint8.
        preprocessing: from pixels x to features x'.
        weights: (D, C).
        bias: (C,).

    Returns:
        (n, C) float32.
    """
    pixel_weights, pixel_bias = _by_pixel(preprocessing, weights, bias)
    scores = np.empty((len(images), len(bias)), np.float32)
    pixels = np.empty((min(_CHUNK, len(images)), images.shape[1]), np.float32)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        X = pixels[: len(chunk)]
        np.copyto(X, chunk)
        np.matmul(X, pixel_weights, out=scores[start : start + _CHUNK])
    scores += pixel_bias
    return scores


def _by_pixel(
    preprocessing: Preprocessing, weights: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The same classifier over pixels: ``((x - m)/s) W + b = x (W/s) + (b - m (W/s))``."""
    scaled = weights / preprocessing.scale[:, None].astype(np.float64)
    shifted = bias - preprocessing.mean @ scaled
    return scaled.astype(np.float32), shifted.astype(np.float32)
