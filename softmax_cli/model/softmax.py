"""The softmax function and its logarithm, with temperature."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def softmax(
    scores: ArrayLike, temperature: ArrayLike = 1.0, *, axis: int = -1
) -> NDArray[np.floating]:
    """Probabilities ``p_j = exp(s_j/T) / sum_i exp(s_i/T)``.

    Args:
        scores: any shape; floating dtypes are kept, integers become float64.
        temperature: T > 0, broadcast against ``scores``. Above 1 the distribution is flatter,
            below 1 sharper; the order of the classes stays.
        axis: the axis that runs over the classes.

    Returns:
        Array of the shape of ``scores``, non-negative, summing to 1 along ``axis``.

    >>> softmax([-3.0, 2.0, -1.0, 0.0]).round(4).tolist()
    [0.0057, 0.839, 0.0418, 0.1135]
    """
    exponentials = np.exp(_shifted_logits(scores, temperature, axis))
    return _floating(exponentials / exponentials.sum(axis=axis, keepdims=True))


def log_softmax(
    scores: ArrayLike, temperature: ArrayLike = 1.0, *, axis: int = -1
) -> NDArray[np.floating]:
    """Logarithm of :func:`softmax`, finite wherever the scores are.

    Args and shapes are those of :func:`softmax`. Taking the logarithm of a probability that has
    rounded to 0 gives -inf; this form, ``s_j/T - log sum_i exp(s_i/T)``, does not.
    """
    logits = _shifted_logits(scores, temperature, axis)
    return _floating(logits - np.log(np.exp(logits).sum(axis=axis, keepdims=True)))


def _shifted_logits(scores: ArrayLike, temperature: ArrayLike, axis: int) -> NDArray[np.floating]:
    """``(s - max s)/T``: softmax ignores a constant, and no exponential of these overflows."""
    values = _floating(scores)
    shifted = values - values.max(axis=axis, keepdims=True)
    return _floating(shifted / np.asarray(temperature, dtype=values.dtype))


def _floating(values: ArrayLike) -> NDArray[np.floating]:
    array = np.asarray(values)
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)
