"""The trials of a sweep as a table, best first."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.tuning.outcomes import Outcome


def leaders_table(settings: "SweepConfig", outcomes: "Sequence[Outcome]", rows: int) -> "Table":
    """Table of the first ``rows`` outcomes.

    Names of parameters are cut to what tells them apart, so that the table fits 80 columns.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("rank", justify="right", no_wrap=True)
    for key in settings.parameters:
        name = key.rpartition(".")[2].replace("_", " ")
        longest_word = max(len(word) for word in name.split())
        table.add_column(name, justify="right", min_width=longest_word, max_width=16)
    for heading in ("validation", "loss", "training", "loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    for rank, outcome in enumerate(outcomes[:rows], start=1):
        values = [_text(outcome.parameters[key]) for key in settings.parameters]
        style = "bold" if rank == 1 else None
        table.add_row(*_figures(rank, values, outcome), style=style)
    return table


def _figures(rank: int, values: list[str], outcome: "Outcome") -> list[str]:
    if outcome.status in ("diverged", "failed"):
        return ["-", *values, outcome.status, "-", "-", "-"]
    accuracy = f"{100 * outcome.validation_accuracy:.2f} %"
    if outcome.validation_accuracy_std:
        accuracy += f" ± {100 * outcome.validation_accuracy_std:.2f}"
    if outcome.status == "dropped":
        accuracy += f" at {outcome.iterations}"
    return [
        str(rank),
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
    return value if isinstance(value, str) else json.dumps(value)
