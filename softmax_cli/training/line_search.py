"""How far to go along a direction: the strong Wolfe conditions, for K convex functions at once.

A convex function has its least value where its slope changes sign, so the sign says on which side
of it a step ends. Between a step that is too short and one that is too long, two points are tried
in turn: where a straight line through both slopes is zero, which is right for a parabola, and where
the two tangents meet, which is right for a function with a bend, such as the loss of a step that is
many times too long. Slopes also stay accurate where values no longer are, as near the optimum
losses differ by less than they are rounded.

Source: Nocedal and Wright, Numerical Optimization, section 3.1, for the conditions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PerModel = NDArray[np.float64]
Members = NDArray[np.bool_]
Along = Callable[[PerModel], tuple[PerModel, PerModel]]
"""``along(step)`` gives values and slopes (K,) at steps (K,)."""

_DECREASE = 1e-4
"""Least share of the decrease that the first slope promises."""
_SLOPE = 0.5
"""Greatest share of the first slope that may be left."""
_ROUNDING = 1e-7
"""Share of a value that rounding may change."""
_MOST_TRIES = 30
_STRETCH = 4.0
"""A step that was too short becomes at most so many times as long."""
_MARGIN = 1e-3
"""Share of an interval at either end of it that is not tried."""


@dataclass(frozen=True)
class Steps:
    """K steps, and the functions there.

    Attributes:
        length: (K,), 0 where the search found none.
        value: (K,) there.
        slope: (K,) there.
    """

    length: PerModel
    value: PerModel
    slope: PerModel

    def take_over(self, members: Members, other: "Steps") -> None:
        """Replace some of the steps."""
        for name, values in vars(self).items():
            values[members] = getattr(other, name)[members]


def search(along: Along, value: PerModel, slope: PerModel) -> Steps:
    """Find steps that satisfy the strong Wolfe conditions, beginning with 1.

    Args:
        along: the functions.
        value: (K,) at 0.
        slope: (K,) at 0; where it is not negative no step is made.
    """
    best, low, high = (Steps(np.zeros_like(value), value.copy(), slope.copy()) for _ in range(3))
    high.length[:] = np.inf
    searching = slope < 0
    step = np.where(searching, 1.0, 0.0)
    for number in range(_MOST_TRIES):
        tried = Steps(step, *along(step))
        allowed = value + _DECREASE * step * slope + _ROUNDING * np.abs(value)
        falls = (tried.value <= allowed) & np.isfinite(tried.slope)
        # Short of the least value a convex function has fallen, whatever rounding says.
        short = searching & (tried.slope < 0)
        flatter = np.abs(tried.slope) < np.abs(best.slope)
        best.take_over(searching & (short | falls) & flatter, tried)
        searching &= ~(falls & (np.abs(tried.slope) <= _SLOPE * np.abs(slope)))
        if not searching.any():
            break
        low.take_over(short, tried)
        high.take_over(searching & ~short, tried)
        following = _between(low, high, tangents=number % 2 == 1)
        following = np.where(np.isinf(high.length), _beyond(low, slope), following)
        step = np.where(searching, following, best.length)
    return best


def _beyond(low: Steps, first: PerModel) -> PerModel:
    """A longer step, where none was too long: a line through the slopes at 0 and there is zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        zero = low.length * first / (first - low.slope)
    zero = np.where(np.isfinite(zero), zero, np.inf)
    return np.clip(zero, 1.5 * low.length, _STRETCH * low.length)


def _between(low: Steps, high: Steps, *, tangents: bool) -> PerModel:
    """A step between one that is too short and one that is too long."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        width = high.length - low.length
        if tangents:
            part = (high.slope * width - (high.value - low.value)) / (high.slope - low.slope)
        else:
            part = width * low.slope / (low.slope - high.slope)
        part = np.where(np.isfinite(part), part, 0.5 * width)
        return low.length + np.clip(part, _MARGIN * width, (1 - _MARGIN) * width)
