"""The trials of a sweep: every combination of parameters that is tried."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from softmax_cli.config.loading import with_values
from softmax_cli.config.problems import Value
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_loading import WHOLE_NUMBER_KEYS, axis_values
from softmax_cli.config.sweep_schema import Axis, RandomSearch, Range, SweepConfig
from softmax_cli.config.writing import config_digest

_ID_LENGTH = 12


@dataclass(frozen=True)
class Trial:
    """One combination of parameters.

    Attributes:
        id: the first digits of the digest of ``config``, wherever its data is kept.
        parameters: dotted keys and the values tried.
        config: the base with these values.
    """

    id: str
    parameters: dict[str, Value]
    config: TrainConfig


def make_trials(sweep: SweepConfig) -> list[Trial]:
    """All different trials of a sweep, in the order of the grid or of the draws.

    Raises:
        ConfigurationError: if a combination is not a valid training.
    """
    if isinstance(sweep.search, RandomSearch):
        combinations = _draws(sweep, sweep.search.random.trials)
    else:
        combinations = _grid(sweep)
    trials: dict[str, Trial] = {}
    for parameters in combinations:
        config = with_values(sweep.train, parameters)
        trial = Trial(trial_id(config), parameters, config)
        trials.setdefault(trial.id, trial)
    return list(trials.values())


def trial_id(config: TrainConfig) -> str:
    """Identity of a training: its settings, but not the folder that its data is in."""
    return config_digest(with_values(config, {"data.dir": "data"}))[:_ID_LENGTH]


def _grid(sweep: SweepConfig) -> Iterator[dict[str, Value]]:
    values = [axis_values(key, axis) for key, axis in sweep.parameters.items()]
    for combination in itertools.product(*values):
        yield dict(zip(sweep.parameters, combination, strict=True))


def _draws(sweep: SweepConfig, trials: int) -> Iterator[dict[str, Value]]:
    """Drawn one trial after another, so that more trials begin with the same ones."""
    generator = np.random.default_rng(sweep.seed)
    for _ in range(trials):
        yield {key: _draw(key, axis, generator) for key, axis in sweep.parameters.items()}


def _draw(key: str, axis: Axis, generator: np.random.Generator) -> Value:
    if isinstance(axis, Range) and axis.num is None:
        value = axis.at(float(generator.random()))
        return round(value) if key in WHOLE_NUMBER_KEYS else value
    values = axis_values(key, axis)
    return values[int(generator.integers(len(values)))]
