"""Whether a sweep may continue in the directory of another: only its search space may grow."""

from typing import Any

from softmax_cli.config.differences import differing_keys
from softmax_cli.config.problems import Value
from softmax_cli.config.sweep_loading import axis_values
from softmax_cli.config.sweep_schema import RandomSearch, SweepConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import ConfigurationError


def check_extends(before: SweepConfig, now: SweepConfig) -> None:
    """Check that a sweep is another one, or its grid or number of random trials has grown.

    The folder of the data may have changed, and which of the trials is chosen at the end.

    Raises:
        ConfigurationError: something else differs, with a line for each difference.
    """
    fixed = _fixed_part(before), _fixed_part(now)
    lines = differing_keys(*fixed, ignored={"train.data.dir"})
    if before.search == now.search == "grid":
        lines += [
            f"parameters.{key}: {', '.join(map(str, lost))} left out"
            for key in before.parameters
            if (lost := _lost_values(key, before, now))
        ]
    if lines:
        listing = "\n".join(f"  {line}" for line in lines)
        raise ConfigurationError(
            f"the sweep differs from the one in its directory:\n{listing}",
            hint="A grid may get more values, and a random search more trials. "
            "Put the rest back, or start a new sweep in another directory.",
        )


def _fixed_part(sweep: SweepConfig) -> dict[str, Any]:
    """What may not change, but for the folder of the data."""
    values: dict[str, Any] = plain_values(sweep)
    values.pop("select", None)
    if isinstance(sweep.search, RandomSearch):
        del values["search"]["random"]["trials"]
    elif sweep.search == "grid":
        values["parameters"] = sorted(values["parameters"])
    return values


def _lost_values(key: str, before: SweepConfig, now: SweepConfig) -> list[Value]:
    kept = axis_values(key, now.parameters[key]) if key in now.parameters else []
    return [value for value in axis_values(key, before.parameters[key]) if value not in kept]
