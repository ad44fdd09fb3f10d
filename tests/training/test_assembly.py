from collections.abc import Callable

import numpy as np
import pytest

from softmax_cli.config.schema import TrainConfig
from softmax_cli.training.assembly import (
    build_trainer,
    iterations_of,
    learning_rate_schedule,
    temperature_schedule,
)
from softmax_cli.training.trainer import SgdTrainer
from softmax_cli.training.training_data import TrainingData
from softmax_cli.training.updates import MomentumUpdate

Settings = Callable[..., TrainConfig]


@pytest.mark.parametrize(
    ("epochs", "train_size", "expected"), [(1, 600, 30), (2.5, 600, 75), (1, 601, 31), (1e-6, 5, 1)]
)
def test_epochs_count_in_iterations(
    settings: Settings, epochs: float, train_size: int, expected: int
) -> None:
    assert iterations_of(settings(**{"training.epochs": epochs}), train_size) == expected


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [8.0, 8.0, 8.0]),
        ("linear", [8.0, 4.0, 0.0]),
        ({"kind": "cosine", "final": 0.5}, [8.0, 6.0, 4.0]),
        ({"kind": "exponential", "final": 0.25}, [8.0, 4.0, 2.0]),
        ({"kind": "step", "every": 40, "factor": 0.5}, [8.0, 4.0, 2.0]),
        ({"kind": "linear", "warmup": 50}, [8.0 / 51, 8.0, 0.0]),
    ],
)
def test_each_schedule_at_start_middle_and_end(
    settings: Settings, schedule: object, expected: list[float]
) -> None:
    values = {"optimizer.schedule": schedule, "optimizer.learning_rate": 8.0}
    rate = learning_rate_schedule(settings(**values).optimizer, 101)
    assert rate(np.array([0, 50, 100])) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine", "exponential", "step"])
def test_a_learning_rate_of_zero_stays_zero(settings: Settings, kind: str) -> None:
    values = {"optimizer.schedule": kind, "optimizer.learning_rate": 0.0}
    rate = learning_rate_schedule(settings(**values).optimizer, 101)
    assert rate(np.arange(101)).tolist() == [0.0] * 101


def test_temperatures(settings: Settings) -> None:
    falling = {"start": 4.0, "end": 1.0, "decay": "linear"}
    schedule = temperature_schedule(settings(**{"model.temperature": falling}).model, 4)
    assert schedule(np.arange(4)) == pytest.approx([4.0, 3.0, 2.0, 1.0])
    constant = temperature_schedule(settings(**{"model.temperature": 2.0}).model, 4)
    assert constant(np.arange(4)) == pytest.approx([2.0] * 4)


def test_one_member_with_momentum_gives_all_a_velocity(
    settings: Settings, data: TrainingData
) -> None:
    trainer = build_trainer([settings(), settings(**{"optimizer.momentum": 0.5})], data)
    assert isinstance(trainer, SgdTrainer)
    assert isinstance(trainer._update, MomentumUpdate)


def test_the_sampling_does_not_depend_on_the_number_of_models(
    settings: Settings, data: TrainingData
) -> None:
    one, three = build_trainer([settings()], data), build_trainer([settings()] * 3, data)
    assert isinstance(one, SgdTrainer)
    assert isinstance(three, SgdTrainer)
    for step in (0, 300):
        indices = one._minibatches.at(step).indices
        assert (indices == three._minibatches.at(step).indices).all()
