import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, Run


@pytest.fixture
def other(run: Run, trained: Path) -> Path:
    """A second training, with another learning rate."""
    directory = trained.parent / "other"
    settings = ("optimizer.learning_rate=0.002", "--run-dir", directory)
    assert run("train", "-c", "demo", *QUICK, *settings).code == 0
    return directory


def test_compares_two_trainings_and_draws(run: Run, trained: Path, other: Path) -> None:
    result = run("compare", trained, other)
    assert result.code == 0
    for text in ("optimizer.learning_rate", "minus here", "class that differs"):
        assert text in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())
    assert (trained / "comparison.png").read_bytes()[:4] == b"\x89PNG"
    assert "comparison.png" in result.err


def test_one_json_document_has_every_figure(run: Run, trained: Path, other: Path) -> None:
    arguments = ("--split", "validation", "--format", "json", "--output", "pictures")
    document = run("compare", trained, other, other / "best.safetensors", *arguments).json()
    assert document["split"] == "validation"
    assert [found["name"] for found in document["differences"]] == [
        "other",
        "best.safetensors",
    ]
    assert document["settings"].keys() == {"optimizer.learning_rate"}
    assert Path("pictures/comparison.png").is_file()


def test_models_of_other_features_are_compared_and_their_features_kept(
    run: Run, trained: Path
) -> None:
    values = ("features=hog", "data.train_size=500", "training.iterations=5", "--data-dir", "kept")
    Path("kept").mkdir()
    assert run("train", "-c", "demo", *values, "--run-dir", "hog").code == 0
    before = set(Path("kept/features").iterdir())
    result = run("compare", trained, "hog", "--data-dir", "kept", "--format", "json")
    assert result.code == 0, result.err
    assert [found["kind"] for found in result.json()["settings"]["features"]] == ["pixels", "hog"]
    assert set(Path("kept/features").iterdir()) > before


def test_of_a_sweep_the_best_run_is_compared(run: Run, trained: Path) -> None:
    axis = "parameters.optimizer.learning_rate=[0.001,0.003]"
    base = ("train.training.iterations=40", "train.data.train_size=500")
    swept = run("sweep", "-c", "demo-sweep", axis, *base, "--run-dir", "grid")
    assert swept.code == 0
    document = run("compare", trained, "grid", "--format", "json").json()
    accuracy = run("evaluate", "grid/best", "--format", "json").json()["accuracy"]
    assert document["runs"][1]["accuracy"] == accuracy


def test_what_cannot_be_compared_is_refused_with_the_reason(run: Run, trained: Path) -> None:
    assert run("compare", trained).code == 2
    assert "at least two runs" in run("compare", trained).err
    smaller = ("data.validation_size=150", "--run-dir", "smaller")
    assert run("train", "-c", "demo", *QUICK, *smaller).code == 0
    refused = run("compare", trained, "smaller", "--split", "validation")
    assert refused.code == 2
    assert "validation images" in refused.err
    assert run("compare", trained, "smaller").code == 0
    assert run("compare", trained, "nowhere").code == 2


def test_a_directory_that_may_not_be_written_keeps_the_result(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, "copy")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "comparison.png")

    monkeypatch.setattr("softmax_cli.runs.pictures.write_bytes", refuse)
    result = run("compare", trained, "copy")
    assert result.code == 0
    assert "was not drawn" in result.err
