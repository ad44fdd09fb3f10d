import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from softmax_cli.data import datasets
from softmax_cli.data.dataset import DataSource
from softmax_cli.data.images import ImageSet
from softmax_cli.errors import ConfigurationError
from softmax_cli.evaluation.comparison import Comparison, compare_models, distinct_names
from softmax_cli.evaluation.metrics import predictions
from softmax_cli.evaluation.paired import PairedDifference, holm
from softmax_cli.model.softmax_loss import SOFTMAX
from softmax_cli.runs.tables import json_value
from tests.evaluation.test_assessment import HINGE, IMAGES, new_model

FIRST = new_model()
OTHER = new_model({"optimizer.momentum": 0.9}, seed=1)


@pytest.fixture(autouse=True)
def small_images(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(source: DataSource, split: Literal["train", "test"]) -> ImageSet:
        return IMAGES[split]

    monkeypatch.setattr(datasets, "load_split", load)


def compared(*models: object) -> Comparison:
    names = [f"run {number}" for number in range(len(models))]
    return compare_models(models, names)  # type: ignore[arg-type]


def test_accuracy_and_loss_are_compared_on_the_same_images() -> None:
    found = compared(FIRST, OTHER)
    (difference,) = found.differences
    labels = IMAGES["test"].labels
    first, second = (predictions(a.scores) == labels for a in found.assessments)
    assert difference.accuracy == PairedDifference.of_hits(first, second)
    assert difference.accuracy_p_holm == difference.accuracy.p_value
    losses = [SOFTMAX.mean(a.scores, labels) for a in found.assessments]
    assert difference.loss is not None
    assert difference.loss.difference == pytest.approx(losses[1] - losses[0], rel=1e-9)
    low, high = difference.loss.interval
    assert low < difference.loss.difference < high


def test_classes_come_with_those_first_that_differ_most() -> None:
    (difference,) = compared(FIRST, OTHER).differences
    sizes = [abs(found.recall.difference) for found in difference.classes]
    assert sizes == sorted(sizes, reverse=True)
    assert {found.name for found in difference.classes} == set(FIRST.class_names)


def test_p_values_of_several_models_are_corrected() -> None:
    differences = compared(FIRST, OTHER, new_model(seed=2), HINGE).differences
    p_values = [difference.accuracy.p_value for difference in differences]
    assert [difference.accuracy_p_holm for difference in differences] == holm(p_values)
    assert [difference.loss is None for difference in differences] == [False, False, True]
    assert differences[-1].loss_p_holm is None


def test_models_with_margins_are_compared_by_their_own_loss() -> None:
    (difference,) = compared(HINGE, new_model({"model.loss": "hinge"}, seed=3)).differences
    assert difference.loss is not None
    assert difference.loss.p_value <= 1


def test_a_model_does_not_differ_from_itself() -> None:
    found = compared(FIRST, FIRST)
    (difference,) = found.differences
    assert found.settings == {}
    assert (difference.accuracy.difference, difference.accuracy.p_value) == (0, 1)
    assert difference.loss is not None
    assert difference.loss.p_value == 1


def test_only_settings_that_differ_are_listed_and_the_folder_of_the_data_is_not() -> None:
    elsewhere = new_model({"data.dir": "/elsewhere", "model.loss": "hinge"})
    assert compared(FIRST, OTHER, elsewhere).settings == {
        "model.loss": ["softmax", "softmax", "hinge"],
        "optimizer.momentum": [0.0, 0.9, 0.0],
    }


def test_a_comparison_becomes_json() -> None:
    document = json_value(compared(FIRST, OTHER, HINGE).to_json())
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert [run["name"] for run in document["runs"]] == ["run 0", "run 1", "run 2"]
    assert document["compared_with"] == "run 0"
    assert len(document["differences"]) == 2
    low, high = document["differences"][0]["accuracy_difference_interval"]
    assert low <= document["differences"][0]["accuracy_difference"] <= high


def test_models_of_other_classes_are_refused() -> None:
    other = replace(OTHER, class_names=tuple("abcdefghij"))
    with pytest.raises(ConfigurationError, match="same classes: run 0 knows"):
        compared(FIRST, other)


def test_models_with_other_images_are_refused() -> None:
    other = new_model({"data.validation_size": 100})
    with pytest.raises(ConfigurationError, match="same validation images: those of a and of b"):
        compare_models([FIRST, other], ["a", "b"], "validation")
    assert np.isfinite(compare_models([FIRST, other], "ab").assessments[0].scores).all()


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/a", "runs/b"], ["a", "b"]),
        (["x/best", "y/best"], ["x/best", "y/best"]),
        (["a/model.safetensors", "a/best.safetensors"], ["model.safetensors", "best.safetensors"]),
    ],
)
def test_names_are_as_short_as_they_tell_apart(paths: list[str], names: list[str]) -> None:
    assert distinct_names(list(map(Path, paths))) == names


def test_the_same_path_twice_gets_numbers() -> None:
    assert distinct_names([Path("a"), Path("a")]) == ["1: a", "2: a"]
