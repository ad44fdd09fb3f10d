"""The section ``model``."""

from typing import Any

import pytest

from softmax_cli.config.loading import with_values
from softmax_cli.config.model_schema import Annealing
from softmax_cli.config.schema import TrainConfig
from softmax_cli.errors import ConfigurationError
from tests.config.single_values import load, refusal


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("model.temperature", 0, "expected a number of at least 1e-06, got 0"),
        ("model.temperature", True, "expected a number or {start: ..., end: ..., decay: ...}"),
        ("model.temperature", "hot", "expected a number or {start: ..., end: ..., decay: ...}"),
        ("model.temperature", {"start": 1}, "temperature.end: expected a value, got none"),
        ("model.temperature", {"start": 1, "end": 0}, "temperature.end: expected a number of"),
        ("model.weight_scale", -1, "expected a number of at least 0"),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(key, value)


def test_the_hinge_loss_takes_no_temperature() -> None:
    with pytest.raises(ConfigurationError, match=r"model.temperature: expected 1.0 with the hinge"):
        with_values(TrainConfig(), {"model.loss": "hinge", "model.temperature": 2.0})


def test_a_temperature_is_a_number_or_an_annealing() -> None:
    assert load("model.temperature", 2).model.temperature == 2.0
    hot = load("model.temperature", {"start": 4, "end": 1}).model.temperature
    assert hot == Annealing(start=4.0, end=1.0, decay="linear")
