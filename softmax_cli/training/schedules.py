"""Learning rates and temperatures over the steps of a training.

A schedule maps steps, counted from 0, to values. Those that run from a start to an end reach the
end at the last step.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]
Values = NDArray[np.float64]
Schedule = Callable[[Steps], Values]
"""``schedule(steps)`` gives the value at each of the steps."""

Decay = Literal["linear", "cosine", "exponential"]

_BLOCK_STEPS = 256


def constant(value: float) -> Schedule:
    """The same value at every step."""
    return lambda steps: np.full(len(steps), value)


def decay(kind: Decay, start: float, end: float, iterations: int) -> Schedule:
    """From ``start`` at the first step to ``end`` at the last.

    Args:
        kind: ``linear``; ``cosine``, half a wave (Loshchilov and Hutter, SGDR, 2017, without
            restarts); ``exponential``, which multiplies by the same number at each step and needs
            ``start`` and ``end`` positive.
        start: value at step 0.
        end: value at step ``iterations - 1``.
        iterations: number of steps.
    """

    def values(steps: Steps) -> Values:
        progress: Values = np.minimum(steps / max(iterations - 1, 1), 1.0)
        match kind:
            case "linear":
                return start + (end - start) * progress
            case "cosine":
                return end + (start - end) * (1 + np.cos(np.pi * progress)) / 2
            case "exponential":
                return start * (end / start) ** progress

    return values


def staircase(start: float, every: int, factor: float) -> Schedule:
    """``start``, multiplied by ``factor`` after each ``every`` steps."""
    return lambda steps: np.asarray(start * factor ** (steps // every), np.float64)


def scaled(factor: float, schedule: Schedule) -> Schedule:
    """``factor`` times the values of a schedule."""
    return lambda steps: factor * schedule(steps)


def warmed_up(schedule: Schedule, warmup: int) -> Schedule:
    """Linear rise over the first ``warmup`` steps, then ``schedule`` from its own step 0."""

    def values(steps: Steps) -> Values:
        later = schedule(np.maximum(steps - warmup, 0))
        return later * np.minimum((steps + 1) / (warmup + 1), 1.0)

    return values


class ScheduleTable:
    """The values of K schedules at one step, computed a block of steps at a time."""

    def __init__(self, schedules: Sequence[Schedule]) -> None:
        self._schedules = schedules
        self._block = -1
        self._values = np.empty((0, len(schedules)))

    def at(self, step: int) -> Values:
        """Values (K,) at a step."""
        block, offset = divmod(step, _BLOCK_STEPS)
        if block != self._block:
            steps = np.arange(block * _BLOCK_STEPS, (block + 1) * _BLOCK_STEPS)
            self._values = np.stack([schedule(steps) for schedule in self._schedules], axis=1)
            self._block = block
        row: Values = self._values[offset]
        return row
