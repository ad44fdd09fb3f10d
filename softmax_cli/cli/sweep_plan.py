"""``softmax sweep --dry-run``: what a sweep would do, and about how long it would take."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from softmax_cli.cli.output import Output
from softmax_cli.cli.tables import Column, ResultTable

if TYPE_CHECKING:
    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.tuning.estimate import StackEstimate

_COLUMNS = (
    Column("stack"),
    Column("trials"),
    Column("models", is_optional=True),
    Column("iterations", is_optional=True),
    Column("TFLOP", is_optional=True),
    Column("time"),
    Column("memory"),
)


def print_plan(settings: "SweepConfig", output: Output) -> None:
    """Print trials, stacks, arithmetic, and an estimate of time and memory.

    Raises:
        ConfigurationError: a combination of parameters is not valid.
    """
    from softmax_cli.cli.feature_progress import say_costs
    from softmax_cli.tuning.estimate import estimate
    from softmax_cli.tuning.stacks import plan_stacks
    from softmax_cli.tuning.trials import make_trials

    trials = make_trials(settings)
    estimates = estimate(plan_stacks(trials, settings.folds), settings.search)
    costs = say_costs([trial.config for trial in trials], output)
    document = {
        "trials": [{"id": trial.id, "parameters": trial.parameters} for trial in trials],
        "stacks": [asdict(stack) for stack in estimates],
        "features": [asdict(cost) for cost in costs],
    }
    for preconditioner in dict.fromkeys(stack.preconditioner for stack in estimates):
        if preconditioner is not None:
            output.message(f"The preconditioner is {preconditioner}.")
    output.result(document, lambda: _table(estimates))


def _table(estimates: "list[StackEstimate]") -> ResultTable:
    rows = [
        [
            str(number),
            str(stack.trials),
            str(stack.models),
            str(stack.iterations),
            *_costs(stack.operations, stack.seconds, stack.memory),
        ]
        for number, stack in enumerate(estimates, start=1)
    ]
    total = [
        "all",
        str(sum(stack.trials for stack in estimates)),
        str(sum(stack.models for stack in estimates)),
        "",
        *_costs(
            sum(stack.operations for stack in estimates),
            sum(stack.seconds for stack in estimates),
            max(stack.memory for stack in estimates),
        ),
    ]
    return ResultTable(_COLUMNS, [*rows, total], has_total=True)


def _costs(operations: float, seconds: float, memory: float) -> list[str]:
    return [f"{operations / 1e12:.2f}", f"{seconds:.1f} s", f"{memory / 1e6:.0f} MB"]
