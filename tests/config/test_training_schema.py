"""The section ``training``."""

from typing import Any

import pytest

from softmax_cli.config.writing import plain_values
from tests.config.single_values import load, refusal


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("training.batch_size", -200, "expected a number of at least 1, got -200"),
        ("training.batch_size", 200.0, "expected a whole number, got 200.0"),
        ("training.iterations", 0, "expected a number of at least 1"),
        ("training.iterations", 10**9, "expected a number of at most 100000000"),
        ("training.epochs", 0, "expected a number above 0"),
        ("training.early_stopping", {}, "early_stopping.patience: expected a value, got none"),
        ("training.early_stopping", {"patience": 0}, "patience: expected a number of at least 1"),
        ("training.early_stopping", 3, "expected a mapping of settings, got 3"),
        ("training.iteration", 3, "got an unknown key; did you mean training.iterations?"),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(key, value)


def test_one_length_is_written() -> None:
    assert plain_values(load("training.epochs", 2).training).keys() >= {"epochs", "batch_size"}
    assert "iterations" not in plain_values(load("training.epochs", 2).training)
    assert plain_values(load("seed", 1).training)["iterations"] == 3000


def test_a_length_that_is_not_given_does_not_count_as_given() -> None:
    assert "iterations" not in load("training.batch_size", 9).training.model_fields_set
    assert "iterations" in load("training.iterations", 9).training.model_fields_set
