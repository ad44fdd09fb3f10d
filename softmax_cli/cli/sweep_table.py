"""The trials of a sweep as a table, best first."""

import json
from typing import TYPE_CHECKING

from softmax_cli.cli.tables import Column, ResultTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.tuning.repeats import Setting

NOISE_MARK = "≈"
"""Beside the accuracy of what is within noise of the best."""

_FIGURES = (
    Column("validation"),
    Column("loss", name="validation loss", is_optional=True),
    Column("training", is_optional=True),
    Column("loss", name="training loss", is_optional=True),
)
_PROVEN = (
    Column("gradient", name="largest gradient", is_optional=True),
    Column("above optimum", is_optional=True),
)


def leaders_table(
    settings: "SweepConfig",
    leaders: "Sequence[Setting]",
    rows: int,
    noise: "Sequence[bool | None] | None" = None,
    chosen: "Setting | None" = None,
) -> ResultTable:
    """Table of the first settings that were tried.

    Args:
        settings: of the sweep; a parameter is called by the last part of its name.
        leaders: best first.
        rows: how many are shown at most.
        noise: which of them are within noise of the best, for a column that marks them.
        chosen: the one to make bold; the first if None.
    """
    shown = leaders[:rows]
    keys = [key for key in settings.parameters if any(key in s.mean.parameters for s in shown)]
    names = (key.rpartition(".")[2].replace("_", " ") for key in keys)
    marks = [_mark(like) for like in noise[:rows]] if noise is not None else None
    best = shown[0] if chosen is None and shown else chosen
    table = [
        [str(rank) if s.mean.has_figures else "-", *_row(keys, s)]
        for rank, s in enumerate(shown, start=1)
    ]
    columns = [Column("rank"), *map(Column, names), *_FIGURES]
    if any(s.mean.gradient_norm is not None for s in shown):
        columns.extend(_PROVEN)
        for row, setting in zip(table, shown, strict=True):
            row.extend(_proven(setting))
    if any(len(setting.repeats) > 1 for setting in shown):
        columns.append(Column("seeds", is_optional=True))
        for row, setting in zip(table, shown, strict=True):
            row.append(str(len(setting.repeats)))
    if marks is not None and any(marks):
        # Beside the accuracies that it is about.
        place = 2 + len(keys)
        columns.insert(place, Column(NOISE_MARK, is_text=True, name="within noise"))
        for row, mark in zip(table, marks, strict=True):
            row.insert(place, mark)
    return ResultTable(
        columns=columns,
        rows=table,
        highlighted=next(
            (i for i, s in enumerate(shown) if s is best and s.mean.has_figures), None
        ),
    )


def noise_sentence(within: int, count: int, what: str) -> str:
    """How many of so many trials or settings cannot be told from the best.

    Args:
        within: the best one included.
        count: all.
        what: ``trials`` or ``settings``.
    """
    if within == 1:
        return f"no other of {count} {what} is within noise of the best"
    return f"{within} of {count} {what} are within noise of the best ({NOISE_MARK})"


def _mark(like: bool | None) -> str:
    return NOISE_MARK if like else ""


def _row(keys: "Sequence[str]", setting: "Setting") -> list[str]:
    outcome = setting.mean
    values = [
        value_text(outcome.parameters[key]) if key in outcome.parameters else "" for key in keys
    ]
    if not outcome.has_figures:
        return [*values, outcome.status, "-", "-", "-"]
    accuracy = f"{100 * outcome.validation_accuracy:.2f} %"
    if outcome.status == "dropped":
        accuracy += f" at {outcome.iterations}"
    elif outcome.validation_accuracy_std:
        accuracy += f" ± {100 * outcome.validation_accuracy_std:.2f}"
    return [
        *values,
        accuracy,
        f"{outcome.validation_loss:.4f}",
        f"{100 * outcome.train_accuracy:.2f} %",
        f"{outcome.train_loss:.4f}",
    ]


def _proven(setting: "Setting") -> list[str]:
    """How far a setting is from its optimum."""
    values = (setting.mean.gradient_norm, setting.mean.optimality_bound)
    return ["-" if value is None else f"{value:.1e}" for value in values]


def value_text(value: object) -> str:
    """A value of a setting, as short as a table wants it."""
    if isinstance(value, float):
        is_short_integer = value.is_integer() and abs(value) < 1e6
        return f"{value:.0f}" if is_short_integer else f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {value_text(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value)
