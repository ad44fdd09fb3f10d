"""The sections ``preprocessing`` and ``augmentation``."""

from typing import Any

import pytest

from tests.config.single_values import load, refusal


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("preprocessing.center", "yes", 'expected true or false, got "yes"'),
        ("preprocessing.center", 1, "expected true or false, got 1"),
        ("preprocessing.scale", "features", "'feature' or 'pixel', got \"features\"; did you mean"),
        ("augmentation.horizontal_flip", None, "expected true, false or exact, got null"),
        ("augmentation.horizontal_flip", 1, "expected true, false or exact, got 1"),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(key, value)


@pytest.mark.parametrize("flip", [True, False, "exact"])
def test_the_forms_of_a_flip(flip: object) -> None:
    assert load("augmentation.horizontal_flip", flip).augmentation.horizontal_flip == flip
