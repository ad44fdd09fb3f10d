"""The trials of a sweep as a table, best first."""

import json
from typing import TYPE_CHECKING

from softmax_cli.cli.tables import Column, ResultTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.tuning.outcomes import Outcome

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


def leaders_table(settings: "SweepConfig", outcomes: "Sequence[Outcome]", rows: int) -> ResultTable:
    """Table of the first ``rows`` outcomes; a parameter is called by the last part of its name."""
    shown = outcomes[:rows]
    proven = any(outcome.gradient_norm is not None for outcome in shown)
    figures = (*_FIGURES, *_PROVEN) if proven else _FIGURES
    names = (key.rpartition(".")[2].replace("_", " ") for key in settings.parameters)
    ranks = (str(rank) if o.has_figures else "-" for rank, o in enumerate(shown, start=1))
    return ResultTable(
        columns=[Column("rank"), *map(Column, names), *figures],
        rows=[
            [rank, *_row(settings, o), *(_proven(o) if proven else ())]
            for rank, o in zip(ranks, shown, strict=True)
        ],
        highlighted=0 if shown and shown[0].has_figures else None,
    )


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


def _proven(outcome: "Outcome") -> list[str]:
    """How far a trial is from its optimum."""
    values = (outcome.gradient_norm, outcome.optimality_bound)
    return ["-" if value is None else f"{value:.1e}" for value in values]


def _text(value: object) -> str:
    if isinstance(value, float):
        is_short_integer = value.is_integer() and abs(value) < 1e6
        return f"{value:.0f}" if is_short_integer else f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value)
