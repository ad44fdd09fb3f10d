"""Ranges of a sweep."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.config.sweep_schema import Range, SweepConfig
from softmax_cli.errors import ConfigurationError

POSITIVE = st.floats(1e-12, 1e12)


def test_points_of_a_linear_range() -> None:
    assert Range(low=0.1, high=0.5, num=5).points() == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_points_of_a_logarithmic_range() -> None:
    axis = Range(low=1e-3, high=10, num=5, scale="log")
    assert axis.points() == [1e-3, 1e-2, 1e-1, 1.0, 10.0]


def test_whole_points_are_rounded_and_not_repeated() -> None:
    assert Range(low=1, high=100, num=3, scale="log").points(whole=True) == [1, 10, 100]
    assert Range(low=1, high=3, num=9).points(whole=True) == [1, 2, 3]


def test_a_range_without_num_has_two_points() -> None:
    assert Range(low=1, high=3).points() == [1.0, 3.0]


@given(POSITIVE, POSITIVE, st.integers(2, 50), st.sampled_from(["linear", "log"]))
def test_points_ascend_from_low_to_high(one: float, other: float, num: int, scale: str) -> None:
    low, high = sorted((one, other))
    if high < low * (1 + 1e-9):
        high = low * 2
    axis = Range.model_validate({"low": low, "high": high, "num": num, "scale": scale})
    points = axis.points()
    assert len(points) == num
    assert points == sorted(points)
    assert (points[0], points[-1]) == (low, high)


@given(st.floats(0, 1))
def test_values_in_between_stay_inside(fraction: float) -> None:
    axis = Range(low=1e-5, high=3e-1, scale="log")
    assert axis.low <= axis.at(fraction) <= axis.high
    share = math.log(axis.at(fraction) / axis.low) / math.log(axis.high / axis.low)
    assert share == pytest.approx(fraction, abs=1e-9)


def test_halving_is_refused_with_lbfgs_with_the_reason() -> None:
    with pytest.raises(ConfigurationError, match=r"search: expected grid or random .* its optimum"):
        load_sweep_config("optimum-sweep", ["search={halving: {}}"])
    assert load_sweep_config("optimum-sweep", ["search={random: {trials: 3}}"]).folds == 1


def test_the_selection_is_left_out_of_files_at_its_default() -> None:
    axes: dict[str, Any] = {"seed": [0, 1]}
    sweep = SweepConfig(train=TrainConfig(), parameters=axes)
    assert "select" not in sweep.model_dump(mode="json")
    simplest = SweepConfig(train=TrainConfig(), parameters=axes, select="simplest")
    assert simplest.model_dump(mode="json")["select"] == "simplest"


def test_the_simplest_needs_a_standard_error() -> None:
    values: dict[str, Any] = {
        "train": TrainConfig(),
        "parameters": {"seed": [0, 1]},
        "select": "simplest",
        "metric": "validation_loss",
    }
    with pytest.raises(ValidationError, match="expected best with validation_loss and 1 fold"):
        SweepConfig(**values)
    assert SweepConfig(**values, folds=2).select == "simplest"
