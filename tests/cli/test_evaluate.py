from pathlib import Path

import numpy as np
import pytest

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
