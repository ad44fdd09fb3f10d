import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli import load_dataset, load_run, softmax
from softmax_cli.errors import ArgumentError, ModelError, RunDirectoryError
from softmax_cli.evaluation.predictor import load_saved_model, scores_of
from softmax_cli.plots.templates import template_images
from softmax_cli.runs.model_file import save_model

TEST = load_dataset("synthetic").test
ROWS = TEST.images[:50]
PICTURES = ROWS.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def test_a_run_answers_as_its_model_does(trained: Path) -> None:
    run = load_run(trained)
    scores = scores_of(load_saved_model(trained), ROWS)
    np.testing.assert_array_equal(run.scores(ROWS), scores)
    np.testing.assert_array_equal(run.predict(ROWS), scores.argmax(axis=1))
    np.testing.assert_array_equal(run.predict_proba(ROWS), softmax(scores.astype(np.float64)))
    assert run.temperature == 1
    assert repr(run) == f"<TrainedRun {trained}: softmax, 10 classes>"


def test_pictures_are_the_same_images_as_rows(trained: Path) -> None:
    run = load_run(str(trained))
    np.testing.assert_array_equal(run.scores(PICTURES), run.scores(ROWS))
    assert run.predict(ROWS[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("images", "hint"),
    [
        (PICTURES[0], "one image"),
        (ROWS[0], "one image"),
        (PICTURES / 255, "the bytes from 0 to 255"),
        (ROWS.astype(np.float32), "the bytes from 0 to 255"),
        (PICTURES.transpose(0, 3, 1, 2), "channel-major"),
        (np.zeros((2, 28, 28), np.uint8), None),
        (["cat.png"], None),
    ],
)
def test_what_are_no_images_is_refused(images: Any, hint: str | None, trained: Path) -> None:
    expected = r"expected uint8 images of shape \(n, 32, 32, 3\) or \(n, 3072\), got "
    with pytest.raises(ArgumentError, match=expected) as caught:
        load_run(trained).predict(images)
    assert (caught.value.hint is None) if hint is None else (hint in str(caught.value.hint))


def test_probabilities_at_other_temperatures(trained: Path) -> None:
    run = load_run(trained)
    scores = run.scores(ROWS).astype(np.float64)
    np.testing.assert_allclose(run.predict_proba(ROWS, temperature=2), softmax(scores, 2.0))
    fitted = run.evaluation["calibration"]["temperature"]
    np.testing.assert_allclose(run.predict_proba(ROWS, calibrated=True), softmax(scores, fitted))
    for temperature in (0, -1, np.nan, np.inf):
        with pytest.raises(ArgumentError, match="expected a temperature above 0, got"):
            run.predict_proba(ROWS, temperature=temperature)
    with pytest.raises(ArgumentError, match="got both"):
        run.predict_proba(ROWS, temperature=1.0, calibrated=True)


def test_a_hinge_model_has_no_probabilities_of_its_own(hinge: Path) -> None:
    run = load_run(hinge)
    assert run.temperature is None
    with pytest.raises(ArgumentError, match="the scores of a hinge model are margins") as caught:
        run.predict_proba(ROWS)
    assert f"softmax evaluate {hinge} --calibrate" in str(caught.value.hint)
    expected = softmax(run.scores(ROWS).astype(np.float64), 3.0)
    np.testing.assert_allclose(run.predict_proba(ROWS, temperature=3.0), expected)
    with pytest.raises(ModelError, match="no calibration at"):
        run.predict_proba(ROWS, calibrated=True)


def test_templates_are_the_weights_that_pixels_meet(trained: Path) -> None:
    run = load_run(trained)
    assert run.pixel_weights.shape == (3072, 10)
    templates = run.templates()
    assert templates.shape == (10, 32, 32, 3)
    assert templates.dtype == np.uint8
    np.testing.assert_array_equal(templates, template_images(run.pixel_weights, "global"))
    by_class = run.templates("class")
    assert (by_class.reshape(10, -1).max(axis=1) == 255).all()
    with pytest.raises(ArgumentError, match="scale to be 'global' or 'class', got 'local'"):
        run.templates("local")  # type: ignore[arg-type] # that is what is tested


def test_a_model_of_other_features_has_no_templates(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softmax_cli.api.runs.pixel_weights", lambda _: None)
    with pytest.raises(ModelError, match="expected a model of pixels, got one of other features"):
        load_run(trained).templates()


def test_history_and_evaluation_are_those_of_the_directory(trained: Path) -> None:
    run = load_run(trained)
    assert run.history["iteration"].tolist() == [20, 40, 60]
    assert run.history["validation_accuracy"][-1] == run.results["validation_accuracy"]
    assert run.evaluation["split"] == "test"
    accuracy = (run.predict(TEST.images) == TEST.labels).mean()
    assert run.evaluation["accuracy"] == pytest.approx(accuracy)
    assert "model_digest" not in run.evaluation


def test_settings_are_a_copy(trained: Path) -> None:
    run = load_run(trained)
    assert run.settings["data"]["dataset"] == "synthetic"
    run.settings["data"]["dataset"] = "cifar10"
    run.results["validation_accuracy"] = 1
    assert run.settings["data"]["dataset"] == "synthetic"
    assert run.results["validation_accuracy"] != 1


def test_a_run_that_was_not_evaluated_says_how(hinge: Path) -> None:
    with pytest.raises(ModelError, match=r"no evaluation at .*evaluation\.json") as caught:
        _ = load_run(hinge).evaluation
    assert caught.value.hint == f"Evaluate it: softmax evaluate {hinge}"


def test_a_sweep_stands_for_its_best_trial(swept: Path) -> None:
    run = load_run(swept)
    assert run.path == swept / "best"
    np.testing.assert_array_equal(run.predict(ROWS), load_run(swept / "best").predict(ROWS))
    assert len(run.history["iteration"])


def test_a_sweep_without_a_best_trial(tmp_path: Path, swept: Path) -> None:
    shutil.copy(swept / "sweep.yaml", tmp_path)
    with pytest.raises(ModelError, match="no best trial at") as caught:
        load_run(tmp_path)
    assert "has not ended" in str(caught.value.hint)


def test_a_model_file_by_itself(trained: Path, hinge: Path, tmp_path: Path) -> None:
    run = load_run(trained / "best.safetensors")
    assert run.predict(ROWS).shape == (50,)
    shutil.copy(hinge / "model.safetensors", tmp_path)
    alone = load_run(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"no history at .*metrics\.csv") as caught:
        _ = alone.history
    assert "run directory" in str(caught.value.hint)


def test_an_evaluation_of_other_weights_is_told(trained: Path, hinge: Path, tmp_path: Path) -> None:
    shutil.copy(trained / "evaluation.json", tmp_path)
    save_model(tmp_path / "model.safetensors", load_saved_model(hinge))
    with pytest.raises(ModelError, match="belongs to another model"):
        _ = load_run(tmp_path).evaluation


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"expected a run directory at .* got nothing"):
        load_run(tmp_path / "nowhere")
    with pytest.raises(RunDirectoryError, match="without a run of softmax"):
        load_run(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    with pytest.raises(ModelError):
        load_run(tmp_path / "model.safetensors")
