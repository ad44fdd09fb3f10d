"""How far a figure may be from the truth, given how many images it was measured on.

The images are taken for a random sample of all images of their kind. A 95 % interval is made by a
rule that catches the true figure for 95 of 100 such samples. ``docs/differences.md`` says what that
means and what it does not.

References: Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (JASA
1927); Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 13 and 16; Nadeau
and Bengio, "Inference for the Generalization Error" (Machine Learning 2003).
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats

Interval: TypeAlias = tuple[float, float]
"""The lower and the upper end."""

LEVEL = 0.95
"""How often the intervals of this package catch the truth."""

RESAMPLES = 1000


def normal_quantile(level: float = LEVEL) -> float:
    """The z with ``P(-z < Z < z) = level`` for a standard normal Z: 1.96 for 95 %."""
    # Here, because it is slow to import and `predict` does not need it.
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level) / 2)


def wilson_interval(hits: int, images: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share, such as an accuracy.

    It holds the shares p for which ``|hits/n - p| <= z sqrt(p (1 - p) / n)``. No image says
    nothing: then it is 0 to 1.

    >>> low, high = wilson_interval(396, 1000)
    >>> round(low, 4), round(high, 4)
    (0.3661, 0.4267)
    """
    z = normal_quantile(level)
    misses = images - hits
    centre = hits + z * z / 2
    spread = z * math.sqrt((hits * misses / images if images else 0) + z * z / 4)
    low, high = (centre - spread) / (images + z * z), (centre + spread) / (images + z * z)
    # Where they are exact, rounding must not move them.
    return (0.0 if hits == 0 else low, 1.0 if misses == 0 else high)


def share_interval(share: float, images: int) -> Interval:
    """Wilson's interval of a share of images, such as an accuracy that was stored."""
    return wilson_interval(round(share * images), images)


def bootstrap(
    figures: Callable[[NDArray[np.float64]], Floats],
    images: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Figures of images that are drawn again, with replacement, as many as there are.

    Args:
        figures: from how often each image is drawn, (n,), to Q figures of such a sample.
        images: n.
        resamples: B, how often n images are drawn.
        seed: of the draws.

    Returns:
        (B, Q) float64.
    """
    generator = np.random.default_rng(seed)
    places = np.empty(images)
    found = []
    for _ in range(resamples):
        # Half the time of `integers`; with 53 bits for n places no place is favoured.
        generator.random(out=places)
        np.multiply(places, images, out=places)
        drawn = np.bincount(places.astype(np.int64), minlength=images)
        found.append(figures(drawn.astype(np.float64)))
    return np.array(found)


def percentile_interval(resampled: Floats, level: float = LEVEL) -> Interval:
    """The middle part of figures (B,) of resampled images."""
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def upward_biased_interval(estimate: float, resampled: Floats, level: float = LEVEL) -> Interval:
    """The interval of a figure, 0 or more, that chance can only make greater.

    An expected calibration error is one: noise in the bins adds to it, in the images and once more
    in those that are resampled (B,). So how far the resampled figures lie above the estimate is how
    far the estimate lies above the truth: the interval is their percentiles mirrored at the
    estimate (the basic bootstrap of Davison and Hinkley, 1997, section 5.2), from 0 on, and with
    the estimate in it.
    """
    low, high = percentile_interval(resampled, level)
    return max(0.0, 2 * estimate - high), max(estimate, 2 * estimate - low)


def student_interval(mean: float, deviation: float, count: int, level: float = LEVEL) -> Interval:
    """Student's interval of a mean of ``count`` values with a standard deviation; at least 2."""
    reach = student_quantile(count - 1, level) * deviation / math.sqrt(count)
    return mean - reach, mean + reach


def student_quantile(degrees: int, level: float = LEVEL) -> float:
    """The t with ``P(-t < T < t) = level`` for Student's T with some degrees of freedom."""
    low, high = 0.0, 1.0
    while student_within(high, degrees) < level:
        high *= 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if student_within(middle, degrees) < level else (low, middle)
    return high


def student_within(t: float, degrees: int) -> float:
    """``P(-t < T < t)`` for Student's T with a whole number of degrees of freedom, t >= 0.

    Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for i in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (i - 1) / i
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
