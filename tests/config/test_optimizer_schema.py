"""The section ``optimizer``."""

from typing import Any

import pytest

from softmax_cli.config.optimizer_schema import ConstantSchedule, StepSchedule
from softmax_cli.config.schema import TrainConfig
from tests.config.single_values import load, refusal


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("optimizer.learning_rate", "0.1", 'expected a number, got "0.1"'),
        ("optimizer.learning_rate", True, "expected a number, got true"),
        ("optimizer.learning_rate", float("nan"), "expected a finite number, got NaN"),
        ("optimizer.learning_rate", float("inf"), "expected a finite number, got Infinity"),
        ("optimizer.learning_rate", 1e31, "expected a number of at most 1e+30"),
        ("optimizer.learning_rate", 10**400, "expected a number, got a whole number of more than"),
        ("optimizer.momentum", 1, "expected a number below 1, got 1"),
        ("optimizer.nesterov", True, "nesterov: expected nesterov only with a momentum above 0"),
        ("optimizer.regularization", -1e-9, "expected a number of at least 0"),
        ("optimizer.schedule", "cosin", "expected one of 'constant', 'cosine'"),
        ("optimizer.schedule", "cosin", 'got "cosin"; did you mean cosine?'),
        ("optimizer.schedule", 3, "expected the name of a schedule"),
        ("optimizer.schedule", {"warmup": 1}, "schedule.kind: expected a value, got none"),
        (
            "optimizer.schedule",
            {"kind": "step", "every": 0},
            "schedule.every: expected a number of",
        ),
        (
            "optimizer.schedule",
            {"kind": "step", "step": 1},
            "schedule.step: expected one of kind, ",
        ),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(key, value)


def test_a_name_stands_for_a_schedule() -> None:
    step = load("optimizer.schedule", "step").optimizer.schedule
    assert step == StepSchedule(kind="step", warmup=0, every=1000, factor=0.1)
    assert TrainConfig().optimizer.schedule == ConstantSchedule(kind="constant")
