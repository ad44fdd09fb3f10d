"""From a list of trials to the grid their parameters span."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.plots.style import readable_number, short_name

# Values farther apart than this, greatest over least, were meant as steps of a factor.
_LOG_RATIO = 20.0


@dataclass(frozen=True, eq=False)
class Axis:
    """One varied setting: its distinct values in order, and where each trial stands among them.

    ``positions`` is ``(n,)`` int64, indices into ``labels``. ``values`` is ``(len(labels),)``
    float64 where all values are numbers, otherwise None.
    """

    name: str
    labels: tuple[str, ...]
    positions: NDArray[np.int64]
    values: NDArray[np.float64] | None

    @property
    def logarithmic(self) -> bool:
        """Whether the values are positive and span so much that steps are factors."""
        if self.values is None or self.values[0] <= 0:
            return False
        return bool(self.values[-1] / self.values[0] >= _LOG_RATIO)


def read_axis(name: str, settings: Sequence[object]) -> Axis:
    """Sort the distinct values of a setting: numbers by size, all else as first met.

    Args:
        name: dotted key of the setting.
        settings: one value per trial: numbers, words, truth values, None or mappings.
    """
    if all(isinstance(s, int | float) and not isinstance(s, bool) for s in settings):
        values, positions = np.unique(np.asarray(settings, np.float64), return_inverse=True)
        return Axis(name, _number_labels(values), positions.astype(np.int64), values)
    words = [_words(setting) for setting in settings]
    distinct = list(dict.fromkeys(words))
    positions = np.array([distinct.index(word) for word in words], dtype=np.int64)
    return Axis(name, tuple(short_name(word, 30) for word in distinct), positions, None)


def fill_grid(
    axes: Sequence[Axis], accuracies: NDArray[np.float64], best: int | None
) -> NDArray[np.int64]:
    """Put each trial into its cell of the grid that two or three axes span.

    Where several trials share a cell (they differ in a further axis) ``best`` has it, else the
    first of the most accurate.

    Args:
        axes: the axes of the grid.
        accuracies: ``(n,)``, NaN where a trial diverged.
        best: index of the trial that must be seen, if any.

    Returns:
        Index of the trial in each cell, of the shape that ``axes`` span; -1 where there is none.
    """
    cells = np.full([len(axis.labels) for axis in axes], -1, dtype=np.int64)
    worst_first = np.argsort(-np.nan_to_num(accuracies, nan=-np.inf), kind="stable")[::-1].tolist()
    for trial in worst_first + ([] if best is None else [best]):
        cells[tuple(axis.positions[trial] for axis in axes)] = trial
    return cells


def is_scattered(axes: Sequence[Axis], trials: int) -> bool:
    """Tell whether at least half the cells of the grid must be empty."""
    return math.prod(len(axis.labels) for axis in axes) >= 2 * trials


def check_trials(
    parameters: Mapping[str, Sequence[object]], accuracies: NDArray[np.float64]
) -> None:
    """Refuse trials that cannot be drawn.

    Raises:
        DataError: there are no trials or no parameters, or columns differ in length.
    """
    lengths = {name: len(column) for name, column in parameters.items()}
    if not lengths or accuracies.size == 0 or set(lengths.values()) != {len(accuracies)}:
        raise DataError(
            "expected at least one trial, and one value of each parameter for each of "
            f"{accuracies.size} accuracies, got {lengths}"
        )


def _number_labels(values: NDArray[np.float64]) -> tuple[str, ...]:
    labels = tuple(readable_number(value) for value in values)
    if len(set(labels)) < len(labels):
        return tuple(f"{value:.8g}" for value in values)
    return labels


def _words(setting: object) -> str:
    """Write a setting as its YAML would, without braces."""
    if isinstance(setting, Mapping):
        return ", ".join(f"{key} {_words(value)}" for key, value in setting.items())
    if setting is None or isinstance(setting, bool):
        return {None: "null", True: "true", False: "false"}[setting]
    if isinstance(setting, int | float):
        return readable_number(setting)
    return str(setting)
