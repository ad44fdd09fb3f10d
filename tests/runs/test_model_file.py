"""The model file: round trip, and refusal of everything that is not exactly a model."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from softmax_cli.errors import ModelError
from softmax_cli.paths import quoted
from softmax_cli.runs.model_file import MODEL_FORMAT, SavedModel, load_model, save_model

FEATURES, CLASSES = 6, 3


def make_model(**changes: Any) -> SavedModel:
    generator = np.random.default_rng(7)
    values: dict[str, Any] = {
        "weights": generator.normal(size=(FEATURES, CLASSES)).astype(np.float32),
        "bias": generator.normal(size=CLASSES).astype(np.float32),
        "mean": generator.uniform(0, 255, FEATURES).astype(np.float32),
        "scale": np.full(FEATURES, 255, np.float32),
        "class_names": ("cat", "dog", "naïve frog"),
        "temperature": 1.5,
        "settings": {"optimizer": {"learning_rate": 1.5e-7}, "seed": 0, "early_stopping": None},
        "results": {"iterations": 3000, "validation_accuracy": 0.375},
        "data_digest": "ab" * 32,
    }
    return SavedModel(**{**values, **changes})


def test_a_model_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    model, path = make_model(), tmp_path / "model.safetensors"
    save_model(path, model)
    loaded = load_model(path, features=FEATURES)
    for field in dataclasses.fields(SavedModel):
        saved, found = getattr(model, field.name), getattr(loaded, field.name)
        if isinstance(saved, np.ndarray):
            assert found.dtype == saved.dtype
            assert np.array_equal(found, saved)
            assert not found.flags.writeable
        else:
            assert found == saved
            assert type(found) is type(saved)


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    save_model(first, make_model())
    fortran = np.asfortranarray(make_model().weights)
    save_model(second, make_model(weights=fortran))
    assert first.read_bytes() == second.read_bytes()


def test_a_model_of_a_newer_format_names_the_version_that_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(
            "softmax_cli.runs.model_file.MODEL_FORMAT", dataclasses.replace(MODEL_FORMAT, version=4)
        )
        patch.setattr("softmax_cli.runs.sealed.__version__", "9.3.1")
        save_model(path, make_model())
    with pytest.raises(ModelError, match=r"written by softmax 9\.3\.1 \(format 4\)") as caught:
        load_model(path)
    assert caught.value.hint == "Install softmax 9.3.1 or newer."


def test_other_programs_read_it_as_safetensors(tmp_path: Path) -> None:
    model, path = make_model(), tmp_path / "model.safetensors"
    save_model(path, model)
    with safe_open(str(path), framework="numpy") as file:
        assert np.array_equal(file.get_tensor("weights"), model.weights)
        entry = json.loads(file.metadata()["softmax"])
    assert entry["document"]["class_names"] == list(model.class_names)


def test_results_that_are_not_finite_are_stored_as_null(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, make_model(results={"loss": math.nan, "history": [1.0, math.inf]}))
    loaded = load_model(path, features=FEATURES)
    assert loaded.results == {"loss": None, "history": [1.0, None]}


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.full((FEATURES, CLASSES), np.nan, np.float32)},
        {"weights": np.zeros((FEATURES, CLASSES))},
        {"weights": np.zeros(FEATURES * CLASSES, np.float32)},
        {"bias": np.zeros(CLASSES + 1, np.float32)},
        {"bias": np.array([0, 0, np.inf], np.float32)},
        {"mean": np.zeros(FEATURES - 1, np.float32)},
        {"scale": np.array([1, 1, 1, 1, 1, 0], np.float32)},
        {"scale": np.array([1, 1, 1, 1, 1, -1], np.float32)},
        {"class_names": ()},
        {"class_names": ("cat", "cat", "dog")},
        {"class_names": ("cat", "dog", "")},
        {"class_names": ("cat", "dog", "\x1b[31mfrog")},
        {"class_names": ("cat", "dog", "\ud800")},
        {"class_names": ("cat", "dog", 3)},
        {"temperature": 0.0},
        {"temperature": -1.0},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"data_digest": "two\nlines"},
    ],
)
def test_an_unsound_model_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="expected"):
        make_model(**changes)


def test_settings_must_be_finite(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(ModelError, match="cannot hold these settings"):
        save_model(path, make_model(settings={"learning_rate": math.nan}))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_model_names_the_command_that_finishes_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model at") as caught:
        load_model(tmp_path / "model.safetensors")
    assert caught.value.hint is not None
    assert "--resume" in caught.value.hint


def test_the_way_on_can_be_pasted_whatever_the_folder_is_called(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path / "my run" / "model.safetensors")
    assert caught.value.hint is not None
    assert caught.value.hint.endswith(f"--resume {quoted(tmp_path / 'my run')}")


def test_a_model_of_another_number_of_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, make_model())
    with pytest.raises(ModelError, match="expected a model of 7 features, got 6"):
        load_model(path, features=7)
