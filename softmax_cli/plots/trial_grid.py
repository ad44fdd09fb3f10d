"""From a list of trials to the grid their parameters span."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
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


def read_axis(name: str, settings: Sequence[object], order: Sequence[object] = ()) -> Axis:
    """Put the distinct values of a setting in order.

    Numbers stand side by side and sorted, where the first of them is met; all else stands as first
    met, in ``order`` before ``settings``.

    Args:
        name: dotted key of the setting.
        settings: one value per trial: numbers, words, truth values, None, lists or mappings.
        order: values in the order that they are wanted in. Those that no trial has are left out.
    """
    keys = [_key(setting) for setting in settings]
    tried = set(keys)
    distinct = _numbers_sorted([key for key in map(_key, [*order, *settings]) if key in tried])
    places = {key: place for place, key in enumerate(distinct)}
    positions = np.array([places[key] for key in keys], dtype=np.int64)
    numbers = [key for key in distinct if isinstance(key, int | float)]
    values = np.array(numbers, dtype=np.float64)
    if len(numbers) == len(distinct):
        return Axis(name, _number_labels(values), positions, values)
    labels = {key: short_name(_words(s), 30) for key, s in zip(keys, settings, strict=True)}
    labels |= zip(numbers, _number_labels(values), strict=True)
    return Axis(name, tuple(labels[key] for key in distinct), positions, None)


def fill_grid(
    axes: Sequence[Axis], accuracies: NDArray[np.float64], best: int | None
) -> NDArray[np.int64]:
    """Put each trial into its cell of the grid that two or three axes span.

    Where several trials share a cell (they differ in a further axis), the cell gets ``best`` if it
    is among them, else the first of the most accurate.

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


def _key(setting: object) -> Hashable:
    """What is equal for equal settings, and a number for numbers alone."""
    if isinstance(setting, Mapping):
        return frozenset((key, _key(value)) for key, value in setting.items())
    if isinstance(setting, list | tuple):
        return tuple(map(_key, setting))
    # To Python, True equals 1.
    return (bool, setting) if isinstance(setting, bool) else setting


def _numbers_sorted(keys: Iterable[Hashable]) -> list[Hashable]:
    """The distinct keys as first met, but all numbers at the place of the first one, by size."""
    distinct = list(dict.fromkeys(keys))
    places = [place for place, key in enumerate(distinct) if isinstance(key, int | float)]
    if not places:
        return distinct
    numbers = sorted(key for key in distinct if isinstance(key, int | float))
    behind = (key for key in distinct[places[0] :] if not isinstance(key, int | float))
    return [*distinct[: places[0]], *numbers, *behind]


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
