"""Scores of one linear classifier on any number of images."""

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Rows
from softmax_cli.features.chunks import chunks_of, float_rows
from softmax_cli.features.standardization import Float, Standardization

_CHUNK = 250


def score_features(
    features: Rows,
    standardization: Standardization,
    weights: NDArray[Float],
    bias: NDArray[Float],
) -> NDArray[Float]:
    """Scores ``x' W + b`` of features x, a chunk at a time so that memory stays bounded.

    Everything that reports on a finished model scores through here, so that the same images always
    get the same bits.

    Args:
        features: (n, P), integers or floats.
        standardization: from x to x'.
        weights: (P, C) float32, or float64 where features need as many digits.
        bias: (C,) of the same dtype.

    Returns:
        (n, C) of that dtype.
    """
    # With mean and scale in the weights a chunk is only converted, not standardised.
    weights, bias = standardization.absorbed(weights, bias)
    scores = np.empty((len(features), len(bias)), weights.dtype)
    if len(features) <= _CHUNK:
        np.matmul(features.astype(weights.dtype, order="C"), weights, out=scores)
    else:
        from softmax_cli.threads import in_threads  # whoever predicts a few images needs it not

        floats = float_rows(features, weights.dtype, _CHUNK)

        def score(rows: slice) -> None:
            np.matmul(floats(rows), weights, out=scores[rows])  # (chunk, C)

        in_threads(score, chunks_of(len(features), _CHUNK))
    scores += bias
    return scores
