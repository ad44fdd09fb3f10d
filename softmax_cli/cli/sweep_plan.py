"""``softmax sweep --dry-run``: what a sweep would do, and about how long it would take."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from softmax_cli.cli.output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.tuning.estimate import StackEstimate


def print_plan(settings: "SweepConfig", output: Output) -> None:
    """Print trials, stacks, arithmetic, and an estimate of time and memory.

    Raises:
        ConfigurationError: a combination of parameters is not valid.
    """
    from softmax_cli.tuning.estimate import estimate
    from softmax_cli.tuning.stacks import plan_stacks
    from softmax_cli.tuning.trials import make_trials

    trials = make_trials(settings)
    estimates = estimate(plan_stacks(trials, settings.folds), settings.search)
    document = {
        "trials": [{"id": trial.id, "parameters": trial.parameters} for trial in trials],
        "stacks": [asdict(stack) for stack in estimates],
    }
    output.result(document, lambda: _table(estimates))


def _table(estimates: "list[StackEstimate]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("stack", "trials", "models", "iterations", "TFLOP", "time", "memory"):
        table.add_column(heading, justify="left" if heading == "stack" else "right", no_wrap=True)
    for number, stack in enumerate(estimates, start=1):
        table.add_row(
            str(number),
            str(stack.trials),
            str(stack.models),
            str(stack.iterations),
            f"{stack.operations / 1e12:.2f}",
            f"{stack.seconds:.1f} s",
            f"{stack.memory / 1e6:.0f} MB",
        )
    table.add_section()
    table.add_row(
        "all",
        str(sum(stack.trials for stack in estimates)),
        str(sum(stack.models for stack in estimates)),
        "",
        f"{sum(stack.operations for stack in estimates) / 1e12:.2f}",
        f"{sum(stack.seconds for stack in estimates):.1f} s",
        f"{max(stack.memory for stack in estimates) / 1e6:.0f} MB",
    )
    return table
