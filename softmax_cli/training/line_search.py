"""How far to go along a direction: the strong Wolfe conditions, for K convex functions at once.

A convex function has its least value where its slope changes sign, so the slopes alone lead there:
the sign says on which side of it a step ends, and a straight line through two slopes says about how
far away. They also stay accurate where values no longer are, as near the optimum losses differ by
less than they are rounded.

Source: Nocedal and Wright, Numerical Optimization, section 3.5, for the conditions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PerModel = NDArray[np.float64]
Along = Callable[[PerModel], tuple[PerModel, PerModel]]
"""``along(step)`` gives values and slopes (K,) at steps (K,)."""

_DECREASE = 1e-4
"""Least share of the decrease that the first slope promises."""
_SLOPE = 0.5
"""Greatest share of the first slope that may be left."""
_ROUNDING = 1e-7
"""Share of a value that rounding may change."""
_MOST_TRIES = 20
_STRETCH = 4.0
"""A step that was too short becomes at most so many times as long."""
_MARGIN = 0.1
"""Share of an interval at either end of it that is not tried."""


@dataclass(frozen=True)
class Steps:
    """Where K searches ended.

    Attributes:
        length: (K,), 0 where nothing was found.
        value: (K,) there.
        slope: (K,) there.
    """

    length: PerModel
    value: PerModel
    slope: PerModel


def search(along: Along, value: PerModel, slope: PerModel) -> Steps:
    """Find steps that satisfy the strong Wolfe conditions, beginning with 1.

    Args:
        along: the functions.
        value: (K,) at 0.
        slope: (K,) at 0; where it is not negative no step is made.
    """
    best = Steps(np.zeros_like(value), value.copy(), slope.copy())
    searching = slope < 0
    low, high = np.zeros_like(value), np.full_like(value, np.inf)
    low_slope, high_slope = slope.copy(), np.full_like(value, np.nan)
    step = np.where(searching, 1.0, 0.0)
    for _ in range(_MOST_TRIES):
        values, slopes = along(step)
        allowed = value + _DECREASE * step * slope + _ROUNDING * np.abs(value)
        falls = (values <= allowed) & np.isfinite(slopes)
        # Short of the least value a convex function has fallen, whatever rounding says.
        short = searching & (slopes < 0)
        better = searching & (short | falls) & (np.abs(slopes) < np.abs(best.slope))
        _take_over(best, better, step, values, slopes)
        searching = searching & ~(falls & (np.abs(slopes) <= _SLOPE * np.abs(slope)))
        if not searching.any():
            break
        long = searching & ~short
        low[short], low_slope[short] = step[short], slopes[short]
        high[long], high_slope[long] = step[long], slopes[long]
        following = _between(low, high, low_slope, high_slope, slope)
        step = np.where(searching, following, best.length)
    return best


def _take_over(
    best: Steps, members: NDArray[np.bool_], step: PerModel, value: PerModel, slope: PerModel
) -> None:
    best.length[members] = step[members]
    best.value[members] = value[members]
    best.slope[members] = slope[members]


def _between(
    low: PerModel, high: PerModel, low_slope: PerModel, high_slope: PerModel, first: PerModel
) -> PerModel:
    """Where a straight line through two slopes is zero, but away from both ends."""
    with np.errstate(invalid="ignore", divide="ignore"):
        # No step was too long yet: the line goes through the slopes at 0 and at the longest one.
        beyond = low * first / (first - low_slope)
        beyond = np.clip(np.where(np.isfinite(beyond), beyond, np.inf), 1.5 * low, _STRETCH * low)
        width = high - low
        inner = low + width * low_slope / (low_slope - high_slope)
        inner = np.where(np.isfinite(inner), inner, low + 0.5 * width)
        inner = np.clip(inner, low + _MARGIN * width, high - _MARGIN * width)
    return np.where(np.isinf(high), beyond, inner)
