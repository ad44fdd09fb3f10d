import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.data.synthetic import make_synthetic
from tests.cli.conftest import QUICK, Run


@pytest.mark.parametrize("loss", ["softmax", "hinge"])
def test_prints_the_very_figures_that_training_reported(run: Run, loss: str) -> None:
    model = ("model.loss=" + loss, "training.early_stopping={patience: 3}")
    trained = run("train", "-c", "demo", *QUICK, *model, "--run-dir", "here", "--format", "json")
    for split in ("train", "validation"):
        evaluated = run("evaluate", "here", "--split", split, "--format", "json").json()
        assert evaluated["accuracy"] == trained.json()[f"{split}_accuracy"]
        assert evaluated["loss"] == trained.json()[f"{split}_loss"]


def test_the_json_document_is_complete_and_consistent(run: Run) -> None:
    run("train", "-c", "demo", *QUICK, "--run-dir", "here")
    result = run("evaluate", "here", "--format", "json")
    assert result.code == 0
    document = result.json()
    matrix = np.array(document["confusion_matrix"])
    assert document["split"] == "test"
    assert document["run_dir"] == "here"
    assert matrix.shape == (10, 10)
    assert matrix.sum() == document["examples"] == 1000
    assert np.trace(matrix) / 1000 == document["accuracy"]
    assert document["top5_accuracy"] >= document["accuracy"]
    assert [entry["name"] for entry in document["per_class"]][:2] == ["airplane", "automobile"]


def test_the_table_has_a_row_for_each_class_and_fits_a_terminal(run: Run) -> None:
    run("train", "-c", "demo", *QUICK, "--run-dir", "here")
    result = run("evaluate", "here")
    assert result.code == 0
    assert "truck" in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())


def test_a_model_file_can_be_evaluated_by_itself(run: Run, tmp_path: Path) -> None:
    run("train", "-c", "demo", *QUICK, "--run-dir", "here")
    whole = run("evaluate", "here", "--format", "json").json()
    (tmp_path / "here/model.safetensors").rename(tmp_path / "alone.safetensors")
    alone = run("evaluate", "alone.safetensors", "--format", "json").json()
    assert alone["accuracy"] == whole["accuracy"]


def test_what_is_no_run_exits_with_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in ("nowhere", "empty"):
        result = run("evaluate", path)
        assert result.code == 2
        assert path in result.err


def test_a_model_that_is_missing_or_cut_short_exits_with_3(run: Run, tmp_path: Path) -> None:
    run("train", "-c", "demo", *QUICK, "--run-dir", "here")
    model = tmp_path / "here/model.safetensors"
    content = model.read_bytes()
    model.write_bytes(content[:-100])
    assert run("evaluate", "here").code == 3
    model.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    assert run("evaluate", "here").code == 3
    model.unlink()
    assert run("evaluate", "here").code == 3


def test_the_result_is_kept_in_the_run_directory(run: Run, trained: Path) -> None:
    document = run("evaluate", "here", "--format", "json").json()
    kept = json.loads((trained / "evaluation.json").read_text())
    assert len(kept.pop("model_digest")) == 64
    assert kept == {key: value for key, value in document.items() if key != "run_dir"}
    assert not (trained / "calibration.json").exists()


def test_the_calibration_of_a_model_file_is_kept_beside_it(run: Run, trained: Path) -> None:
    copy = trained.parent / "mine.safetensors"
    copy.write_bytes((trained / "model.safetensors").read_bytes())
    for model, kept in (
        (trained / "model.safetensors", trained / "calibration.json"),
        (trained / "best.safetensors", trained / "best.calibration.json"),
        (copy, trained.parent / "mine.calibration.json"),
    ):
        result = run("evaluate", model, "--calibrate", "--format", "json")
        assert result.code == 0
        document = json.loads(kept.read_text())
        assert document["temperature"] == result.json()["calibration"]["temperature"]
        assert str(kept) in result.err
        assert "--calibrated" in result.err
    assert "--calibrated" not in run("evaluate", copy, "--calibrate", "--quiet").err
    assert run("train", "-c", "demo", *QUICK, "--run-dir", trained, "--overwrite").code == 0
    assert not list(trained.glob("*calibration.json"))


def test_a_calibration_beside_a_copy_of_its_model_is_found(run: Run, trained: Path) -> None:
    assert run("evaluate", "here", "--calibrate").code == 0
    (trained / "model.safetensors").rename(trained / "mine.safetensors")
    assert run("predict", "here/mine.safetensors", "-", "--calibrated").code == 1
    (trained / "calibration.json").unlink()
    assert run("predict", "here/mine.safetensors", "-", "--calibrated").code == 3


def test_a_temperature_changes_the_loss_and_nothing_else(run: Run, trained: Path) -> None:
    own, same, hot = (
        run("evaluate", "here", "--format", "json", *options).json()
        for options in ((), ("--temperature", "1"), ("--temperature", "7.5"))
    )
    assert own == same
    assert own["temperature"] == 1.0
    assert own["negative_log_likelihood"] == own["loss"]
    assert hot["temperature"] == 7.5
    assert hot["loss"] == hot["negative_log_likelihood"] != own["loss"]
    for key in ("accuracy", "top5_accuracy", "per_class", "confusion_matrix"):
        assert hot[key] == own[key]


def test_calibration_lowers_the_loss_of_a_run_trained_hot(run: Run, tmp_path: Path) -> None:
    hot = ("model.temperature=4", "optimizer.regularization=0.1")
    run("train", "-c", "demo", *QUICK, *hot, "--run-dir", "here")
    plain = run("evaluate", "here", "--format", "json").json()
    document = run("evaluate", "here", "--calibrate", "--format", "json").json()
    calibration = document["calibration"]

    assert document["accuracy"] == plain["accuracy"]
    assert calibration["before"]["temperature"] == document["temperature"] == 4.0
    assert calibration["before"]["loss"] == document["loss"] == plain["loss"]
    assert calibration["after"]["loss"] < calibration["before"]["loss"] - 0.01
    assert calibration["after"]["temperature"] == calibration["temperature"]
    assert len(calibration["after"]["bins"]) == 15
    kept = json.loads((tmp_path / "here/calibration.json").read_text())
    assert (
        kept.pop("model_digest")
        == json.loads((tmp_path / "here/evaluation.json").read_text())["model_digest"]
    )
    assert kept == calibration

    at_fitted = run(
        "evaluate",
        "here",
        "--temperature",
        calibration["temperature"],
        "--split",
        "validation",
        "--format",
        "json",
    ).json()
    for factor in (0.99, 1.01):
        near = run(
            "evaluate",
            "here",
            "--temperature",
            factor * calibration["temperature"],
            "--split",
            "validation",
            "--format",
            "json",
        ).json()
        assert near["loss"] > at_fitted["loss"]


def test_a_hinge_model_gets_probabilities_from_a_temperature(run: Run) -> None:
    run("train", "-c", "demo", *QUICK, "model.loss=hinge", "--run-dir", "here")
    plain, given, fitted = (
        run("evaluate", "here", "--format", "json", *options).json()
        for options in ((), ("--temperature", "2"), ("--calibrate",))
    )
    assert plain["temperature"] is None
    assert plain["expected_calibration_error"] is None
    assert plain["loss"] == given["loss"] == fitted["loss"]
    assert given["negative_log_likelihood"] > fitted["calibration"]["after"]["loss"]
    assert fitted["calibration"]["before"] is None
    for options in ((), ("--calibrate",)):
        result = run("evaluate", "here", *options)
        assert result.code == 0
        assert all(len(line) <= 80 for line in result.out.splitlines())


def test_a_run_that_may_not_be_written_is_evaluated_all_the_same(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _document: object) -> None:
        raise PermissionError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("softmax_cli.runs.tables.write_json", refuse)
    result = run("evaluate", "here", "--calibrate", "--format", "json")
    assert result.code == 0
    assert result.json()["examples"] == 1000
    assert "here/calibration.json may not be written" in result.err
    assert sorted(path.name for path in trained.glob("*.json")) == ["summary.json"]


def test_a_full_disk_is_an_error_after_the_result(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _document: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("softmax_cli.runs.tables.write_json", full)
    result = run("evaluate", "here", "--format", "json")
    assert result.code == 1
    assert result.json()["examples"] == 1000


def test_a_data_set_of_other_classes_is_refused(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_synthetic("test")
    renamed = replace(images, class_names=tuple(reversed(images.class_names)))
    monkeypatch.setattr("softmax_cli.data.datasets.load_split", lambda *_: renamed)
    result = run("evaluate", "here")
    assert result.code == 3
    assert "truck, ship" in result.err


@pytest.mark.parametrize(
    "options",
    [
        ("--temperature", "0"),
        ("--temperature", "-1"),
        ("--temperature", "nan"),
        ("--temperature", "2", "--calibrate"),
        ("--split", "all"),
    ],
)
def test_wrong_usage_exits_with_2(run: Run, trained: Path, options: tuple[str, ...]) -> None:
    assert run("evaluate", "here", *options).code == 2


@pytest.mark.cifar10
def test_calibration_helps_a_hot_training_on_real_images(run: Run, cifar10_dir: Path) -> None:
    quick = ("training.iterations=300", "training.validate_every=300", "model.temperature=4")
    run("train", "-c", "cs231n", *quick, "--data-dir", cifar10_dir, "--run-dir", "here")
    document = run("evaluate", "here", "--calibrate", "--format", "json").json()
    before, after = document["calibration"]["before"], document["calibration"]["after"]
    assert after["loss"] < before["loss"]
