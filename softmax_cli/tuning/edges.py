"""Whether the best trial lies on an edge of the search space, beyond which better ones may lie."""

from collections.abc import Sequence
from typing import cast

from softmax_cli.config.loading import with_values
from softmax_cli.config.problems import Value
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_loading import WHOLE_NUMBER_KEYS
from softmax_cli.errors import ConfigurationError
from softmax_cli.tuning.outcomes import Outcome
from softmax_cli.tuning.repeats import SEED_KEYS
from softmax_cli.tuning.trials import Trial


def edge_warnings(best: Outcome, trials: Sequence[Trial]) -> list[str]:
    """A sentence for each parameter whose best value is the smallest or the largest tried.

    There is none where no value beyond is valid, as below a regularisation of 0.
    """
    config = next(trial.config for trial in trials if trial.id == best.id)
    warnings = []
    for key, value in best.parameters.items():
        tried = [trial.parameters[key] for trial in trials]
        values = {cast("float", other) for other in tried if _is_number(other)}
        if key in SEED_KEYS or not _is_number(value) or len(values) < 2:
            continue
        value = cast("float", value)
        for edge, direction, word in ((min(values), -1, "smaller"), (max(values), 1, "larger")):
            if value == edge and _is_valid(config, key, _beyond(key, edge, direction)):
                warnings.append(
                    f"The best {key}, {value:g}, is on the edge of what was tried: "
                    f"try {word} values."
                )
    return warnings


def _beyond(key: str, edge: float, direction: int) -> float:
    """A value just over the edge."""
    if key in WHOLE_NUMBER_KEYS:
        return int(edge) + direction
    return edge + direction * max(abs(edge) * 1e-3, 1e-12)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_valid(config: TrainConfig, key: str, value: float) -> bool:
    try:
        with_values(config, {key: value})
    except ConfigurationError:
        return False
    return True
