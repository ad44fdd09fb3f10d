"""Whether probabilities mean what they say, and the one temperature that makes them most honest.

Reference: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017),
section 3 for the expected calibration error and section 4.2 for temperature scaling.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.evaluation.metrics import (
    Labels,
    Scores,
    check_scores,
    predictions,
)
from softmax_cli.model.softmax import softmax
from softmax_cli.model.softmax_loss import SOFTMAX

# Of the scores' own spread; between its ends the softmax goes from uniform to one-hot.
_INVERSE_TEMPERATURES = (1e-4, 1e4)
_RELATIVE_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence against accuracy at one temperature, in B bins of equal width over [0, 1].

    Bin ``i`` holds the images whose confidence (their greatest probability) lies in
    ``(i / B, (i + 1) / B]``, the first one also 0. ``confidence`` and ``accuracy`` are means over a
    bin, ``(B,)`` float64, NaN where ``counts``, ``(B,)`` int64, is 0. ``loss`` is the mean negative
    log-likelihood, ``expected_calibration_error`` the mean over all images of their bin's
    ``|accuracy - confidence|``.
    """

    temperature: float
    loss: float
    expected_calibration_error: float
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        """Return the same figures as plain lists and numbers; means of empty bins are None."""
        return {
            "temperature": self.temperature,
            "loss": self.loss,
            "expected_calibration_error": self.expected_calibration_error,
            "bins": [
                {
                    "count": int(count),
                    "confidence": float(confidence) if count else None,
                    "accuracy": float(accuracy) if count else None,
                }
                for count, confidence, accuracy in zip(
                    self.counts, self.confidence, self.accuracy, strict=True
                )
            ],
        }


def reliability(
    scores: Scores, labels: Labels, temperature: float = 1.0, bins: int = 15
) -> Reliability:
    """Compare confidence with accuracy at a temperature.

    Args:
        scores: ``(n, C)``.
        labels: ``(n,)``.
        temperature: T > 0; scores are divided by it before the softmax. It changes confidence,
            never a prediction.
        bins: how many bins of equal width.

    Raises:
        DataError: there are no images, or scores and labels do not fit together.
        DivergedError: a score is not finite.
    """
    check_scores(scores, labels)
    confidence, bin_of = _binned_confidence(scores, temperature, bins)
    counts = np.bincount(bin_of, minlength=bins)
    mean_confidence = _mean_per_bin(confidence, bin_of, counts)
    mean_accuracy = _mean_per_bin(predictions(scores) == labels, bin_of, counts)
    gaps = np.abs(mean_accuracy - mean_confidence)[counts > 0]
    return Reliability(
        temperature=float(temperature),
        loss=SOFTMAX.mean(scores, labels, temperature),
        expected_calibration_error=float(gaps @ counts[counts > 0] / len(labels)),
        counts=counts.astype(np.int64, copy=False),
        confidence=mean_confidence,
        accuracy=mean_accuracy,
    )


def calibration_error_of_sample(
    scores: Scores, labels: Labels, temperature: float = 1.0, bins: int = 15
) -> Callable[[NDArray[np.float64]], float]:
    """The expected calibration error as a function of how often each image (n,) is drawn.

    For a bootstrap; arguments as in :func:`reliability`.
    """
    confidence, bin_of = _binned_confidence(scores, temperature, bins)
    gaps = (predictions(scores) == labels) - confidence

    def error(drawn: NDArray[np.float64]) -> float:
        # A bin's share of the images times its |accuracy - confidence| is |sum of gaps| / n.
        return float(np.abs(np.bincount(bin_of, weights=drawn * gaps)).sum() / len(gaps))

    return error


def fit_temperature(scores: Scores, labels: Labels) -> float:
    """Return the temperature that minimises the mean negative log-likelihood.

    The likelihood is convex in ``b = 1 / T``: its slope is the mean of ``E_p[s] - s_label`` and its
    curvature the mean variance of the scores under ``p``. The root of the slope is found by
    Newton's method inside a bracket that shrinks at every step.

    T is sought from ``1e-4`` to ``1e4`` times the scores' spread (their root mean square distance
    from the row's greatest), so that multiplying all scores by a number multiplies T by it. A bound
    is returned where the minimum lies beyond it: the lower one if every label has its row's
    greatest score, the upper one if the scores say nothing about the labels, or the opposite of the
    truth. Where all scores of each row are equal every T is as good, and the answer is 1.

    Args:
        scores: ``(n, C)``; computed with in float64.
        labels: ``(n,)``.

    Raises:
        DataError: there are no images, or scores and labels do not fit together.
        DivergedError: a score is not finite.
    """
    check_scores(scores, labels)
    shifted = scores.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    spread = math.sqrt(np.mean(np.square(shifted)))
    if spread == 0:
        return 1.0
    shifted /= spread
    return spread / _best_inverse_temperature(shifted, labels)


def _binned_confidence(
    scores: Scores, temperature: float, bins: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The greatest probability of each image, and the bin it falls into, (n,) each."""
    confidence = softmax(scores.astype(np.float64), temperature).max(axis=1)
    return confidence, np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def _mean_per_bin(
    values: NDArray[Any], bin_of: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    sums = np.bincount(bin_of, weights=values, minlength=len(counts))
    means = np.full(len(counts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _best_inverse_temperature(scores: NDArray[np.float64], labels: Labels) -> float:
    """Find where the slope of the likelihood changes sign, for scores of spread 1."""
    low, high = _INVERSE_TEMPERATURES
    if _slope_and_curvature(scores, labels, low)[0] >= 0:
        return low
    if _slope_and_curvature(scores, labels, high)[0] <= 0:
        return high
    inverse = 1.0
    while high - low > _RELATIVE_TOLERANCE * high:
        slope, curvature = _slope_and_curvature(scores, labels, inverse)
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = slope / curvature if curvature > 0 else math.inf
        if abs(step) <= _RELATIVE_TOLERANCE * inverse:
            break
        newton = inverse - step
        inverse = newton if low < newton < high else math.sqrt(low * high)
    return inverse


def _slope_and_curvature(
    scores: NDArray[np.float64], labels: Labels, inverse: float
) -> tuple[float, float]:
    """Return the first two derivatives, by 1/T, of the mean negative log-likelihood at 1/T."""
    p = softmax(scores, 1 / inverse)
    expected = np.sum(p * scores, axis=1)
    deviations = scores - expected[:, None]
    slope = np.mean(expected - scores[np.arange(len(labels)), labels])
    return float(slope), float(np.mean(np.sum(p * deviations**2, axis=1)))
