"""What differs between two sets of settings."""

from typing import Any

import pytest

from softmax_cli.config.differences import differing_keys, differing_settings
from softmax_cli.config.loading import load_train_config, with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values

THEN: dict[str, Any] = {
    "data": {"dir": "data", "train_size": None},
    "optimizer": {"momentum": 0.9, "schedule": {"kind": "cosine", "warmup": 0}},
    "seed": 0,
}


def test_equal_settings_do_not_differ() -> None:
    values = plain_values(load_train_config("linear"))
    assert differing_keys(values, plain_values(load_train_config("linear"))) == []


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        ({"seed": 3}, ["seed: 0, now 3"]),
        (
            {"optimizer": {"momentum": 0.0, "schedule": {"kind": "cosine", "warmup": 5}}},
            ["optimizer.momentum: 0.9, now 0.0", "optimizer.schedule.warmup: 0, now 5"],
        ),
        (
            {"optimizer": {"momentum": 0.9, "schedule": "constant"}},
            ["optimizer.schedule: {'kind': 'cosine', 'warmup': 0}, now constant"],
        ),
        ({"data": {"dir": "data", "train_size": 500}}, ["data.train_size: None, now 500"]),
        ({"data": None}, ["data: {'dir': 'data', 'train_size': None}, now None"]),
    ],
)
def test_a_line_for_each_difference(now: dict[str, Any], lines: list[str]) -> None:
    assert differing_keys(THEN, {**THEN, **now}) == lines


def test_lines_are_in_the_order_of_their_keys_and_name_what_one_side_lacks() -> None:
    then, now = {"b": 1, "c": {"d": 2}}, {"a": 0, "c": {"e": 3}}
    expected = ["a: None, now 0", "b: 1, now None", "c.d: 2, now None", "c.e: None, now 3"]
    assert differing_keys(then, now) == expected


def test_a_key_that_is_missing_is_as_good_as_null() -> None:
    assert differing_keys({"data": {"train_size": None}}, {"data": {}}) == []


def test_ignored_keys_may_differ_and_their_neighbours_may_not() -> None:
    now = {**THEN, "data": {"dir": "/moved", "train_size": 500}}
    assert differing_keys(THEN, now, ignored={"data.dir"}) == ["data.train_size: None, now 500"]
    assert differing_keys(THEN, now, ignored={"data"}) == []
    assert len(differing_keys(THEN, now, ignored={"dir"})) == 2


def test_values_have_the_name_of_what_they_are_a_part_of() -> None:
    assert differing_keys({"momentum": 0.9}, {"momentum": 0.5}, "optimizer") == [
        "optimizer.momentum: 0.9, now 0.5"
    ]
    assert differing_keys(["a", "b"], ["a"], "trials") == ["trials: ['a', 'b'], now ['a']"]
    assert differing_keys(["a", "b"], ["a"]) == ["['a', 'b'], now ['a']"]
    assert differing_keys("text", {"a": 1}) == ["text, now {'a': 1}"]


def test_differing_settings_are_those_of_any_pair_and_sections_of_two_kinds_are_whole() -> None:
    base = TrainConfig()
    other = with_values(base, {"optimizer.momentum": 0.5, "data.dir": "/elsewhere"})
    third = with_values(base, {"optimizer.schedule": "cosine"})
    found = differing_settings([base, other, third], ignored={"data.dir"})
    assert list(found) == ["optimizer.schedule", "optimizer.momentum"]
    assert found["optimizer.momentum"] == [0.0, 0.5, 0.0]
    assert [schedule["kind"] for schedule in found["optimizer.schedule"]] == [
        "constant", "constant", "cosine",
    ]  # fmt: skip
    assert differing_settings([base, base]) == {}
