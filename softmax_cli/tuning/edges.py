"""Whether the best trial lies on an edge of the search space, beyond which better ones may lie."""

from collections.abc import Sequence
from typing import cast

from softmax_cli.config.loading import with_values
from softmax_cli.config.problems import Value
from softmax_cli.config.schema import TrainConfig
from softmax_cli.errors import ConfigurationError
from softmax_cli.tuning.outcomes import Outcome
from softmax_cli.tuning.trials import Trial


def edge_warnings(best: Outcome, trials: Sequence[Trial]) -> list[str]:
    """A sentence for each parameter whose best value is the smallest or the largest tried.

    There is none where nothing lies beyond, as below a regularisation of 0.
    """
    config = next(trial.config for trial in trials if trial.id == best.id)
    warnings = []
    for key, value in best.parameters.items():
        tried = [trial.parameters[key] for trial in trials]
        values = sorted({cast("float", other) for other in tried if _is_number(other)})
        if not _is_number(value) or len(values) < 2:
            continue
        for edge, neighbour, word in (
            (values[0], values[1], "smaller"),
            (values[-1], values[-2], "larger"),
        ):
            if value == edge and _is_valid(config, key, _beyond(edge, neighbour)):
                warnings.append(
                    f"The best {key}, {value:g}, is on the edge of the grid: try {word} values."
                )
    return warnings


def _beyond(edge: float, neighbour: float) -> float:
    """One step over the edge; by a ratio where both are positive, so as not to fall below zero."""
    beyond = edge * edge / neighbour if edge > 0 < neighbour else 2 * edge - neighbour
    return type(edge)(beyond)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_valid(config: TrainConfig, key: str, value: float) -> bool:

    try:
        with_values(config, {key: value})
    except ConfigurationError:
        return False
    return True
