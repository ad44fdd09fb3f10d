"""The trials of a sweep as a table, best first."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.tuning.outcomes import Outcome

_WIDTH = 80
_VALUE_WIDTHS = (18, 12, 8)
_GAP = 3
_FIGURES = ("validation", "loss", "training", "loss")


def leaders_table(settings: "SweepConfig", outcomes: "Sequence[Outcome]", rows: int) -> "Table":
    """Table of the first ``rows`` outcomes.

    A parameter is headed by the last part of its name, one word below the other where they would
    not fit 80 columns side by side. Figures that find no room are left out, the last ones first.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = [_row(settings, outcome) for outcome in outcomes[:rows]]
    names = [key.rpartition(".")[2].replace("_", " ") for key in settings.parameters]
    headings, widest = _fitting(["rank", *names, *_FIGURES], len(names) + 2, shown)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        max_width = max(widest, *map(len, heading.split("\n")))
        table.add_column(heading, justify="right", overflow="fold", max_width=max_width)
    for rank, row in enumerate(shown, start=1):
        first = str(rank) if outcomes[rank - 1].has_figures else "-"
        table.add_row(first, *row[: len(headings) - 1], style="bold" if first == "1" else None)
    return table


def _fitting(
    headings: list[str], fewest: int, rows: "Sequence[Sequence[str]]"
) -> tuple[list[str], int]:
    """Headings and a width of values with which the table is no wider than 80 columns, if any."""
    widest, *narrower = _VALUE_WIDTHS
    if _width(headings, rows, widest) > _WIDTH:
        headings = [heading.replace(" ", "\n") for heading in headings]
    while len(headings) > fewest and _width(headings, rows, widest) > _WIDTH:
        headings.pop()
    while narrower and _width(headings, rows, widest) > _WIDTH:
        widest = narrower.pop(0)
    return headings, widest


def _width(headings: "Sequence[str]", rows: "Sequence[Sequence[str]]", widest: int) -> int:
    """Width of a table; rows have no rank, and perhaps more columns than there are headings."""
    width = len("rank")
    for column, heading in enumerate(headings[1:]):
        words = max(map(len, heading.split("\n")))
        values = max((len(row[column]) for row in rows), default=0)
        width += _GAP + max(words, min(values, widest))
    return width


def _row(settings: "SweepConfig", outcome: "Outcome") -> list[str]:
    values = [_text(outcome.parameters[key]) for key in settings.parameters]
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


def _text(value: object) -> str:
    if isinstance(value, float):
        is_short_integer = value.is_integer() and abs(value) < 1e6
        return f"{value:.0f}" if is_short_integer else f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value)
