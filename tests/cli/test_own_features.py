"""Features that the user brings, from the first command to the last; docs/data.md shows it."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from tests.cli.conftest import Run
from tests.data.own_arrays import CLASSES, examples, write_npz

DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"
TRAIN = (
    "data.dataset=arrays",
    "data.train=train.npz",
    "data.test=test.npz",
    "data.validation_size=30",
    "optimizer.learning_rate=0.1",
    "optimizer.regularization=0.01",
    "training.iterations=50",
    "training.batch_size=20",
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder of ``train.npz`` and ``test.npz``, in which commands are run."""
    write_npz(tmp_path / "train.npz", 120)
    write_npz(tmp_path / "test.npz", 40, seed=1)
    return tmp_path


def test_the_commands_of_the_document_work(run: Run, tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Your own features")[2]
    (tmp_path / "probe-sweep.yaml").write_text(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    for kind, block in re.findall(r"```(python|sh)\n(.*?)```", text, re.DOTALL):
        if kind == "python":
            exec(block, {})
            continue
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "softmax"
            result = run(*arguments)
            assert result.code == 0, (line, result.err)
    document = json.loads((tmp_path / "probes/best/evaluation.json").read_text())
    assert document["examples"] == 500
    assert document["accuracy"] > 0.95


def test_pictures_that_need_none_are_drawn(run: Run, files: Path) -> None:
    training = run("train", *TRAIN, "--run-dir", "here")
    assert training.code == 0, training.err
    assert "Training on 90 examples" in training.err
    assert "examples" in run("evaluate", "here").out
    result = run("visualize", "here", "--format", "json")
    drawn = [Path(path).name for path in result.json()["pictures"]]
    assert drawn == ["curves.png", "confusion_matrix.png", "reliability.png"]
    assert "The weights are not drawn" in result.err
    assert not (files / "here" / "weights.png").exists()
    report = run("report", "here", "--format", "json").json()
    (part,) = report["runs"]
    assert part["pictures"] == ["curves", "confusion_matrix", "reliability"]
    assert (part["templates"], part["mistakes"]) == (0, 0)
    page = (files / "here" / "report.html").read_text(encoding="utf-8")
    assert "Evaluation on test examples" in page
    assert "test images" not in page


def test_models_of_the_same_examples_are_compared(run: Run, files: Path) -> None:
    run("train", *TRAIN, "--run-dir", "here")
    run("train", *TRAIN, "optimizer.momentum=0.9", "--run-dir", "other")
    result = run("compare", "here", "other")
    assert result.code == 0, result.err
    assert result.out.startswith("examples     40 (test)")
    write_npz(files / "elsewhere.npz", 40, seed=2)
    values = ["data.test=elsewhere.npz" if "data.test" in value else value for value in TRAIN]
    run("train", *values, "--run-dir", "third")
    refused = run("compare", "here", "third")
    assert refused.code == 2
    assert "expected models with the same test examples" in refused.err
    assert "the same files" in refused.err


def test_predictions_are_those_of_the_evaluation(run: Run, files: Path) -> None:
    run("train", *TRAIN, f"data.class_names=[{','.join(CLASSES)}]", "--run-dir", "here")
    assert run("evaluate", "here", "--format", "json").json()["accuracy"] > 0.9
    np.save(files / "rows.npy", examples(40, 1)[0].astype(np.float64))
    Image.new("RGB", (9, 9)).save(files / "cat.png")
    result = run("predict", "here", "rows.npy", "cat.png", "--format", "json")
    assert result.code == 1
    found = [entry["classes"][0]["name"] for entry in result.json()["predictions"]]
    right = np.array(found) == np.array(CLASSES)[examples(40, 1)[1]]
    assert right.mean() > 0.9
    assert [failure["image"] for failure in result.json()["failures"]] == ["cat.png"]
    assert "this model classifies rows of 5 features" in result.err


def test_the_model_knows_the_classes_without_the_training_file(run: Run, files: Path) -> None:
    write_npz(files / "train.npz", 120, labels=examples(120)[1] + 4)
    write_npz(files / "test.npz", 40, 1, labels=examples(40, 1)[1] + 4)
    run("train", *TRAIN, "--run-dir", "here")
    (files / "train.npz").unlink()
    moved = files / "elsewhere"
    moved.mkdir()
    (files / "test.npz").rename(moved / "test.npz")
    assert run("evaluate", "here").code == 3
    document = run("evaluate", "here", "--data-dir", "elsewhere", "--format", "json").json()
    assert document["accuracy"] > 0.9
    assert [entry["name"] for entry in document["per_class"]] == ["4", "5", "6"]


def test_test_file_of_other_columns(run: Run, files: Path) -> None:
    run("train", *TRAIN, "--run-dir", "here")
    write_npz(files / "test.npz", 40, features=examples(40)[0][:, :4])
    result = run("evaluate", "here")
    assert result.code == 3
    assert "data.test: expected 5 features as in the training, got 4" in result.err


def test_file_that_is_missing(run: Run, files: Path) -> None:
    (files / "train.npz").unlink()
    result = run("train", *TRAIN, "--run-dir", "here")
    assert result.code == 3
    assert "data.train: train.npz: No such file" in result.err
    assert "in data.dir" in result.err
    assert not (files / "here").exists()


def test_normalised_rows_are_scored_as_they_were_trained(run: Run, files: Path) -> None:
    """The scale of a row does not matter then."""
    run("train", *TRAIN, "preprocessing.normalize=l2", "--run-dir", "here")
    features = examples(40, 1)[0]
    np.save(files / "a.npy", features)
    np.save(files / "b.npy", features * 8)
    scores: list[Any] = []
    for name in ("a.npy", "b.npy"):
        predictions = run("predict", "here", name, "--format", "json").json()["predictions"]
        scores.append([[c["score"] for c in entry["classes"]] for entry in predictions])
    assert scores[0] == scores[1]


def test_normalised_pixels_can_be_folded(run: Run) -> None:
    settings = (
        "data.dataset=synthetic",
        "data.train_size=300",
        "preprocessing.normalize=l2",
        "augmentation.horizontal_flip=exact",
        "training.iterations=20",
    )
    assert run("train", *settings, "--run-dir", "here").code == 0
    assert run("evaluate", "here").code == 0
    assert run("visualize", "here").code == 0


def test_digits_of_scikit_learn(run: Run, tmp_path: Path) -> None:
    """From its arrays, as they are, to a sweep that comes near its own logistic regression."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    np.savez(tmp_path / "train.npz", X=X_train, y=y_train)
    np.savez_compressed(tmp_path / "test.npz", X=X_test, y=y_test)
    np.save(tmp_path / "rows.npy", X_test)
    sweep = {
        "train": {
            "data": {
                "dataset": "arrays",
                "train": "train.npz",
                "test": "test.npz",
                "validation_size": 200,
            },
            "preprocessing": {"scale": "pixel"},
            "optimizer": {"momentum": 0.9, "schedule": "cosine"},
            "training": {"iterations": 500, "batch_size": 100, "sampling": "epoch"},
        },
        "parameters": {
            "optimizer.learning_rate": [0.03, 0.1],
            "optimizer.regularization": [0.001, 0.01],
        },
    }
    (tmp_path / "sweep.yaml").write_text(json.dumps(sweep))
    done = run("sweep", "--config", "sweep.yaml", "--run-dir", "here")
    assert done.code == 0, done.err
    accuracy = run("evaluate", "here/best", "--format", "json").json()["accuracy"]
    scaler = StandardScaler().fit(X_train)
    reference = LogisticRegression(C=0.1, max_iter=300).fit(scaler.transform(X_train), y_train)
    assert accuracy > reference.score(scaler.transform(X_test), y_test) - 0.02
    rows = run("predict", "here/best", "rows.npy", "--format", "json").json()["predictions"]
    names = [entry["classes"][0]["name"] for entry in rows]
    assert (np.array(names).astype(int) == y_test).mean() == pytest.approx(accuracy)
