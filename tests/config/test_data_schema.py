"""The section ``data``."""

from pathlib import Path
from typing import Any

import pytest

from softmax_cli.config.data_schema import ArrayFiles
from softmax_cli.config.loading import with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.errors import ConfigurationError
from tests.config.single_values import refusal

ARRAYS = {"data.dataset": "arrays", "data.train": "train.npz"}


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        (
            "data.dataset",
            "cifar-10",
            "'cifar100-coarse', 'synthetic' or 'arrays', got \"cifar-10\"; did you",
        ),
        ("data.dir", "", "expected some text"),
        ("data.dir", 3, "expected text, got 3"),
        ("data.dir", None, "got null: a plain ~ means null in YAML, and ~/ is the home"),
        ("data.train_size", 0, "expected a number of at least 1, got 0"),
        ("data.validation_size", 0, "expected a number of at least 1"),
        ("data.validation_size", 50_000, "to fit into the 50000 there are, got 50000 + at least 1"),
        ("data", None, "expected a mapping of settings, got null"),
        ("data", [1], "expected a mapping of settings, got [1]"),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(key, value)


def test_files_of_arrays_have_a_shorthand() -> None:
    data = with_values(TrainConfig(), ARRAYS | {"data.test": {"features": "x", "labels": "y"}}).data
    assert data.train == ArrayFiles(features="train.npz")
    assert data.files == {"train": (Path("train.npz"),), "test": (Path("x"), Path("y"))}


def test_a_file_of_arrays_is_also_looked_for_in_the_folder_of_the_data(tmp_path: Path) -> None:
    values = ARRAYS | {"data.train": "gone/train.npz", "data.dir": str(tmp_path)}
    data = with_values(TrainConfig(), values).data
    assert data.files["train"] == (Path("gone/train.npz"),)
    (tmp_path / "train.npz").touch()
    assert data.files["train"] == (tmp_path / "train.npz",)


def test_the_home_of_whoever_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    data = with_values(TrainConfig(), ARRAYS | {"data.train": "~/x.npz"}).data
    assert data.files["train"] == (Path("/home/ada/x.npz"),)
    assert data.train == ArrayFiles(features="~/x.npz")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"data.dataset": "arrays"}, "data.train: expected the file of the training arrays"),
        ({"data.train": "x.npz"}, "data.train: expected this only with data.dataset arrays"),
        ({"data.class_names": ["a", "b"]}, "data.class_names: expected this only with"),
        (ARRAYS | {"data.test": 3}, r"data.test: expected a file or \{features: .*, got 3"),
        (ARRAYS | {"data.test": {"labels": "y"}}, "data.test.features: expected a value, got none"),
        (ARRAYS | {"data.class_names": ["a"]}, "expected two names or more, got"),
        (ARRAYS | {"data.class_names": ["a", "b", "a"]}, 'names that differ, got "a" twice'),
        (ARRAYS | {"data.class_names": "a"}, 'data.class_names: expected a list, got "a"'),
        (ARRAYS | {"data.class_names": ["a", 1]}, r"data.class_names\[1\]: expected text, got 1"),
        (
            ARRAYS | {"augmentation.horizontal_flip": "exact"},
            'horizontal_flip: expected false with data.dataset arrays, .* got "exact"',
        ),
        ({"data.dataset": "cifar100", "data.validation_size": 50_000}, "to fit into the 50000"),
        (
            ARRAYS | {"data.validation": "v.npz", "data.validation_size": 5},
            "data.validation_size: expected no size beside data.validation, .* got 5",
        ),
    ],
)
def test_settings_of_arrays_that_do_not_fit(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        with_values(TrainConfig(), values)
