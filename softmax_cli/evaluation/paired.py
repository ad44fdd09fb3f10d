"""Whether two models differ by more than chance, when both have seen the same images.

That is a sharper question than whether their intervals overlap: most images are easy for both or
hard for both, and say nothing about which is better.

References: McNemar, "Note on the Sampling Error of the Difference Between Correlated Proportions"
(Psychometrika 1947); Tango, "Equivalence Test and Confidence Interval for the Difference in
Proportions for the Paired-Sample Design" (Statistics in Medicine 1998); Holm, "A Simple
Sequentially Rejective Multiple Test Procedure" (Scandinavian Journal of Statistics 1979).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats
from softmax_cli.evaluation.intervals import (
    LEVEL,
    Interval,
    bootstrap,
    normal_quantile,
    percentile_interval,
    student_within,
)

SIGNIFICANCE = 0.05
"""A p value below this says that a difference is more than noise."""

RESAMPLES = 9999
"""Enough that a p value can be as small as 0.0002."""

Hits = NDArray[np.bool_]
"""Which of n images a model gets right, (n,)."""


@dataclass(frozen=True)
class PairedDifference:
    """A figure of one model minus that of another on the same images.

    Attributes:
        difference: second minus first.
        interval: where the true difference may lie.
        p_value: how probable at least such a difference is between models that are equally good.
    """

    difference: float
    interval: Interval
    p_value: float

    @classmethod
    def of_hits(cls, first: Hits, second: Hits) -> Self:
        """Difference of two accuracies: Tango's interval, and the exact test of McNemar."""
        gained = int(np.count_nonzero(second & ~first))
        lost = int(np.count_nonzero(first & ~second))
        return cls(
            (gained - lost) / len(first) if len(first) else 0.0,
            tango_interval(gained, lost, len(first)),
            mcnemar_p_value(gained, lost),
        )


def mcnemar_p_value(gained: int, lost: int) -> float:
    """Exact two-sided p value of McNemar's test.

    If both models are equally good, then each image that only one of them gets right is as likely
    to be right in either: ``gained`` is binomial with probability 1/2.

    Args:
        gained: images that only the second model gets right.
        lost: images that only the first model gets right.

    >>> round(mcnemar_p_value(25, 10), 4)
    0.0167
    """
    fewer, total = min(gained, lost), gained + lost
    if 2 * fewer >= total - 1:
        return 1.0
    # P(X = fewer), correctly rounded, times the sum of P(X = k) / P(X = fewer) over k <= fewer.
    at_fewer = math.comb(total, fewer) / (1 << total)
    k = np.arange(fewer, 0, -1)
    return min(1.0, 2 * at_fewer * float(1 + np.cumprod(k / (total - k + 1)).sum()))


def tango_interval(gained: int, lost: int, images: int, level: float = LEVEL) -> Interval:
    """Tango's score interval of the difference of two accuracies on the same images.

    It holds the differences that McNemar's test, with the normal distribution in place of the
    exact one, does not refuse. So 0 lies outside of it about when the p value is below 5 %.

    Args:
        gained: images that only the second model gets right.
        lost: images that only the first model gets right.
        images: n, all of them.
        level: how often it shall catch the truth.

    >>> low, high = tango_interval(25, 10, 200)
    >>> round(low, 4), round(high, 4)
    (0.0179, 0.1355)
    """
    if images == 0:
        return -1.0, 1.0
    z, estimate = normal_quantile(level), (gained - lost) / images

    def excess(difference: float) -> float:
        return abs(_tango_score(difference, gained, lost, images)) - z

    return _crossing(excess, estimate, -1.0), _crossing(excess, estimate, 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction of p values for their number, in their order.

    Of m comparisons between equals, the chance that any corrected value is below 5 % is at most
    5 %.

    >>> [round(p, 4) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    corrected, greatest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        greatest = max(greatest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = greatest
    return corrected


def mean_differences(
    values: Floats, *, resamples: int = RESAMPLES, seed: int = 0
) -> list[PairedDifference]:
    """Mean differences with intervals and p values by a bootstrap over the images.

    The p value is twice the share of the resampled means on the other side of 0, counted as Davison
    and Hinkley do ("Bootstrap Methods and their Application", 1997, section 4.4): never 0.

    Args:
        values: (n, Q) differences on each image, such as between the losses of two models.
        resamples: how often the images are drawn again.
        seed: of the draws.

    Returns:
        Q differences.
    """
    images = len(values)
    resampled = bootstrap(
        lambda drawn: drawn @ values / images, images, resamples=resamples, seed=seed
    )  # (B, Q)
    found = []
    for mean, means in zip(values.mean(axis=0), resampled.T, strict=True):
        beyond = min(np.count_nonzero(means <= 0), np.count_nonzero(means >= 0))
        p_value = min(1.0, 2 * (1 + int(beyond)) / (1 + resamples))
        found.append(PairedDifference(float(mean), percentile_interval(means), p_value))
    return found


def paired_t_p_value(differences: Floats, *, overlap: float = 0.0) -> float:
    """Two-sided p value of Student's paired test that the differences (n,) have mean 0.

    Args:
        differences: at least 2.
        overlap: added to 1/n in the variance of the mean, where the differences are not
            independent. For k folds, whose models share training images, it is 1/(k - 1), the ratio
            of held-out to training images (Nadeau and Bengio 2003).
    """
    mean, count = float(differences.mean()), len(differences)
    variance = float(differences.var(ddof=1)) * (1 / count + overlap)
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    return 1 - student_within(abs(mean) / math.sqrt(variance), count - 1)


def _tango_score(difference: float, gained: int, lost: int, images: int) -> float:
    """How many standard errors the estimate lies above ``difference``, were that the truth.

    The standard error is that of the most likely probabilities with that difference. The one of an
    image that only the first model gets right, q, is the greater root of a quadratic equation.
    """
    linear = -gained - lost + (2 * images - gained + lost) * difference
    constant = -lost * difference * (1 - difference)
    root = math.sqrt(max(linear * linear - 8 * images * constant, 0.0))
    q = (root - linear) / (4 * images)
    variance = images * (2 * q + difference * (1 - difference))
    distance = gained - lost - images * difference
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def _crossing(excess: Callable[[float], float], inside: float, outside: float) -> float:
    """Where ``excess`` becomes positive on the way from a point inside to the bound of the range.

    The bound itself where it never does.
    """
    if excess(outside) <= 0:
        return outside
    while True:
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            return middle
        inside, outside = (middle, outside) if excess(middle) <= 0 else (inside, middle)
