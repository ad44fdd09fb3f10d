"""What the sections of settings are made of."""

import pytest
from pydantic import ValidationError

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.settings import without
from tests.config.single_values import load


def test_settings_are_frozen_and_hashable() -> None:
    config = TrainConfig()
    with pytest.raises(ValidationError):
        config.seed = 1
    assert hash(config) == hash(TrainConfig())


def test_integers_may_stand_for_numbers() -> None:
    rate = load("optimizer.learning_rate", 1).optimizer.learning_rate
    assert (rate, type(rate)) == (1.0, float)


def test_zero_has_no_sign() -> None:
    assert str(load("model.weight_scale", -0.0).model.weight_scale) == "0.0"


def test_keys_that_are_left_out_need_not_be_there() -> None:
    assert without({"a": 1, "b": 2}, ["b", "c"]) == {"a": 1}
