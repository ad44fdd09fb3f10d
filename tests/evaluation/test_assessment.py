"""Assessment of a saved model on its data set, and the temperature that is fitted for it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from softmax_cli.config.loading import with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.data import datasets
from softmax_cli.data.dataset import DataSource
from softmax_cli.data.images import ImageSet
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.errors import DataError, ModelError
from softmax_cli.evaluation.assessment import (
    Split,
    assess,
    assess_again,
    bound_to,
    calibrate,
    images_for,
)
from softmax_cli.evaluation.calibration import fit_temperature
from softmax_cli.evaluation.metrics import accuracy
from softmax_cli.evaluation.predictor import model_digest, scores_of, settings_of
from softmax_cli.model import hinge_loss, softmax_loss
from softmax_cli.runs.model_file import SavedModel
from softmax_cli.runs.tables import json_value, write_json

IMAGES = {"train": make_synthetic("train", size=500), "test": make_synthetic("test", size=120)}
CONFIG = with_values(
    TrainConfig(),
    {"data.dataset": "synthetic", "data.train_size": 300, "data.validation_size": 150},
)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Small images in place of those of the data set; the folders they are asked of."""
    folders: list[Path] = []

    def load(source: DataSource, split: Literal["train", "test"]) -> ImageSet:
        assert source.dataset == "synthetic"
        folders.append(source.directory)
        return IMAGES[split]

    monkeypatch.setattr(datasets, "load_split", load)
    return folders


def new_model(
    values: dict[str, Any] | None = None, *, temperature: float = 1.0, seed: int = 0
) -> SavedModel:
    """The mean image of each class as its weights, and noise: right more often than not."""
    train = IMAGES["train"]
    mean = train.images.mean(axis=0).astype(np.float32)
    templates = [train.images[train.labels == c].mean(axis=0) - mean for c in range(10)]
    noise = np.random.default_rng(seed).normal(scale=5, size=(3072, 10))
    return SavedModel(
        weights=(1e-3 * (np.stack(templates, axis=1) + noise)).astype(np.float32),
        bias=np.zeros(10, np.float32),
        mean=mean,
        scale=np.full(3072, 50, np.float32),
        class_names=train.class_names,
        temperature=temperature,
        settings=plain_values(with_values(CONFIG, values or {})),
        results={},
        data_digest=train.digest,
    )


HINGE = new_model({"model.loss": "hinge"})


def test_settings_come_back_from_a_model() -> None:
    assert settings_of(new_model({"optimizer.momentum": 0.9})) == with_values(
        CONFIG, {"optimizer.momentum": 0.9}
    )


@pytest.mark.parametrize("settings", [{"data": 3}, {"optimizer": {"momentun": 0.9}}])
def test_settings_that_are_not_valid_are_a_matter_of_the_model(settings: dict[str, Any]) -> None:
    model = new_model()
    model.settings.clear()
    model.settings.update(settings)
    with pytest.raises(ModelError, match="the model's settings are not valid: settings: "):
        assess(model, "test")


def test_the_splits_are_those_of_the_training() -> None:
    train, validation, test = (
        images_for(new_model(), split) for split in ("train", "validation", "test")
    )
    np.testing.assert_array_equal(train.images, IMAGES["train"].images[:300])
    np.testing.assert_array_equal(validation.images, IMAGES["train"].images[-150:])
    assert test is IMAGES["test"]


def test_images_are_looked_for_where_training_found_them_unless_told_otherwise(
    asked: list[Path],
) -> None:
    model = new_model({"data.dir": "/data/here"})
    images_for(model, "test")
    images_for(model, "validation", Path("/data/there"))
    assert asked == [Path("/data/here"), Path("/data/there")]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_data_set_of_other_classes_is_refused(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tuple(f"other {name}" for name in IMAGES["test"].class_names)
    image_set = replace(IMAGES["train"], class_names=others)
    monkeypatch.setattr(datasets, "load_split", lambda *_: image_set)
    with pytest.raises(DataError, match=r"the model's classes \(airplane, .* got other airplane"):
        images_for(new_model(), split)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_figure_is_that_of_the_scores_of_the_split(split: Split) -> None:
    model = new_model()
    assessed = assess(model, split)
    images = images_for(model, split)
    scores = scores_of(model, images.images)
    assert (assessed.split, len(assessed.images)) == (split, len(images))
    np.testing.assert_array_equal(assessed.scores, scores)
    assert assessed.evaluation.examples == len(images)
    assert assessed.evaluation.accuracy == accuracy(scores, images.labels) > 0.3
    assert assessed.evaluation.loss == softmax_loss(scores.astype(np.float64), images.labels)


@pytest.mark.parametrize(("own", "given", "used"), [(2.0, None, 2.0), (2.0, 0.5, 0.5)])
def test_the_temperature_is_the_model_s_own_unless_one_is_given(
    own: float, given: float | None, used: float
) -> None:
    model = new_model(temperature=own)
    assessed = assess(model, "test", temperature=given)
    exact = assessed.scores.astype(np.float64)
    assert assessed.temperature == used
    assert assessed.evaluation.loss == softmax_loss(exact, IMAGES["test"].labels, used)
    assert assessed.reliability is not None
    assert assessed.reliability.temperature == used
    assert assessed.reliability.loss == assessed.evaluation.loss


def test_margins_have_no_probabilities_but_at_a_given_temperature() -> None:
    plain, warm = assess(HINGE, "test"), assess(HINGE, "test", temperature=0.5)
    labels, exact = IMAGES["test"].labels, plain.scores.astype(np.float64)
    assert (plain.temperature, plain.reliability) == (None, None)
    assert plain.evaluation.loss == warm.evaluation.loss == hinge_loss(exact, labels)
    assert warm.temperature == 0.5
    assert warm.reliability is not None
    assert warm.reliability.loss == softmax_loss(exact, labels, 0.5)


def test_an_assessment_becomes_json_under_stable_names() -> None:
    document = assess(new_model(), "validation").to_json()
    assert json.loads(json.dumps(document)) == json_value(document)
    assert {"split", "examples", "loss", "accuracy", "temperature"} < document.keys()
    assert (document["split"], document["examples"]) == ("validation", 150)
    assert document["negative_log_likelihood"] == document["loss"]
    assert 0 < document["expected_calibration_error"] < 1
    margins = assess(HINGE, "test").to_json()
    assert margins.keys() == document.keys()
    for name in ("temperature", "negative_log_likelihood", "expected_calibration_error"):
        assert margins[name] is None
        assert margins.get(f"{name}_interval") is None


@pytest.mark.parametrize("model", [new_model(), HINGE])
def test_every_figure_lies_in_its_interval_which_is_the_same_each_time(model: SavedModel) -> None:
    document = assess(model, "test", temperature=1.5).to_json()
    names = [name.removesuffix("_interval") for name in document if name.endswith("_interval")]
    assert {"loss", "accuracy", "expected_calibration_error"} < set(names)
    for name in names:
        low, high = document[f"{name}_interval"]
        assert low <= document[name] <= high
        assert low < high
    assert assess(model, "test", temperature=1.5).to_json() == document


@pytest.mark.parametrize(
    ("model", "temperature"), [(new_model(), None), (new_model(), 0.7), (HINGE, None), (HINGE, 2.0)]
)
def test_an_evaluation_that_was_written_is_repeated(
    tmp_path: Path, model: SavedModel, temperature: float | None
) -> None:
    path = tmp_path / "evaluation.json"
    first = assess(model, "validation", temperature=temperature)
    write_json(path, bound_to(model, first.to_json()))
    again = assess_again(path, model)
    assert again is not None
    assert again.to_json() == first.to_json()


def test_an_evaluation_that_is_not_there_or_of_another_model_is_not_repeated(
    tmp_path: Path, asked: list[Path]
) -> None:
    path, model = tmp_path / "evaluation.json", new_model()
    assert assess_again(path, model) is None
    other = new_model(seed=1)
    write_json(path, bound_to(other, assess(other, "test").to_json()))
    asked.clear()
    assert assess_again(path, model) is None
    assert asked == []


@pytest.mark.parametrize(
    "changes",
    [{"split": "tests"}, {"split": None}, {"temperature": 0.0}, {"temperature": "warm"}],
)
def test_a_document_that_nobody_wrote_here_is_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path, model = tmp_path / "evaluation.json", new_model()
    write_json(path, {**bound_to(model, assess(model, "test").to_json()), **changes})
    with pytest.raises(ModelError, match=r"evaluation\.json is not an evaluation") as caught:
        assess_again(path, model)
    assert caught.value.hint == "Evaluate the run again."


def test_a_document_says_which_model_it_speaks_of() -> None:
    model = new_model()
    document = bound_to(model, {"split": "test"})
    assert document == {"model_digest": model_digest(model), "split": "test"}


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_calibration_fits_the_validation_images_and_measures_the_split(factor: float) -> None:
    model = new_model(temperature=factor)
    assessed = assess(model, "test")
    calibration = calibrate(model, assessed)
    validation = images_for(model, "validation")
    scores = scores_of(model, validation.images)
    assert calibration.temperature == fit_temperature(scores, validation.labels)
    assert (calibration.examples, calibration.split) == (150, "test")
    assert calibration.before is assessed.reliability
    assert calibration.before is not None
    assert calibration.after.temperature == calibration.temperature
    assert calibration.after.loss < calibration.before.loss
    document = calibration.to_json()
    assert json.loads(json.dumps(document)) == json_value(document)
    assert document["fitted_on"] == "validation"
    assert document["after"]["loss"] == calibration.after.loss


def test_margins_have_no_probabilities_before_calibration() -> None:
    calibration = calibrate(HINGE, assess(HINGE, "test"))
    assert calibration.before is None
    assert calibration.to_json()["before"] is None
    labels = IMAGES["test"].labels
    chance = softmax_loss(np.zeros((len(labels), 10)), labels)
    assert calibration.after.loss < chance
