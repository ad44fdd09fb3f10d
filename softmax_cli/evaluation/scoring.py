"""Scores of one linear classifier on any number of images."""

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Rows
from softmax_cli.features.standardization import Standardization

_CHUNK = 1000


def score_features(
    features: Rows,
    standardization: Standardization,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Scores ``x' W + b`` of features x, a chunk at a time so that memory stays bounded.

    Everything that reports on a finished model scores through here, so that the same images always
    get the same bits.

    Args:
        features: (n, P), integers or floats.
        standardization: from x to x'.
        weights: (P, C).
        bias: (C,).

    Returns:
        (n, C) float32.
    """
    # With mean and scale in the weights a chunk is only converted, not standardised.
    weights, bias = standardization.absorbed(weights, bias)
    scores = np.empty((len(features), len(bias)), np.float32)
    buffer = np.empty((min(_CHUNK, len(features)), features.shape[1]), np.float32)
    for start in range(0, len(features), _CHUNK):
        chunk = features[start : start + _CHUNK]
        X = buffer[: len(chunk)]  # (chunk, P) float32
        np.copyto(X, chunk)
        np.matmul(X, weights, out=scores[start : start + _CHUNK])  # (chunk, C)
    scores += bias
    return scores
