from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.errors import ModelError
from softmax_cli.report.parts import RunPart
from softmax_cli.report.training_part import model_part, training_part
from softmax_cli.runs.directory import open_run_directory
from softmax_cli.runs.model_file import load_model, save_model
from tests.cli.conftest import QUICK, Run

DIVERGING = ("optimizer.learning_rate=1e9", "optimizer.regularization=1")


def part_of(run: Path) -> RunPart:
    return training_part(open_run_directory(run), None, None).part


def test_a_finished_training_has_figures_curves_and_templates(trained: Path) -> None:
    part = part_of(trained)
    assert part.status == "finished"
    facts = {fact.name: fact for fact in part.facts}
    assert facts["validation accuracy"].interval
    assert facts["iterations"].text == "60"
    assert [picture.name for picture in part.pictures] == ["curves"]
    names = load_model(trained / "model.safetensors").class_names
    assert [thumbnail.lines for thumbnail in part.templates] == [(name,) for name in names]


@pytest.mark.parametrize(
    ("features", "pictures"),
    [("hog", ["weights"]), ("{kind: patches, filters: 8, rank: 8}", ["dictionary", "patches"])],
)
def test_weights_of_other_features_than_pixels_are_pictures(
    run: Run, tmp_path: Path, features: str, pictures: list[str]
) -> None:
    values = (f"features={features}", "data.train_size=300", "training.iterations=5")
    trained = run("train", "-c", "demo", *values, "--run-dir", "other")
    assert trained.code == 0, trained.err
    part = part_of(tmp_path / "other")
    assert [picture.name for picture in part.weights] == pictures
    assert list(part.templates) == []
    model = model_part(tmp_path / "other/model.safetensors").part
    assert model.weights == part.weights


def test_the_distance_from_the_optimum_is_told(run: Run, tmp_path: Path) -> None:
    values = (*QUICK, "training.certificate=true")
    assert run("train", "-c", "demo", *values, "--run-dir", "sgd").code == 0
    names = [fact.name for fact in part_of(tmp_path / "sgd").facts]
    assert {"objective", "above its minimum, at most", "largest gradient"} <= set(names)


def test_an_unfinished_training_is_told_how_to_go_on(trained: Path) -> None:
    for name in ("summary.json", "model.safetensors", "best.safetensors"):
        (trained / name).unlink()
    part = part_of(trained)
    assert part.status == "not finished"
    assert f"softmax train --resume {trained}" in {note.command for note in part.notes}
    assert [picture.name for picture in part.pictures] == ["curves"]
    assert part.reproduction is not None
    assert part.reproduction.environment


def test_a_resumed_training_is_reported_like_any_other(run: Run, trained: Path) -> None:
    whole = part_of(trained)
    for name in ("summary.json", "model.safetensors", "best.safetensors"):
        (trained / name).unlink()
    (trained / "checkpoint/step-00000060.safetensors").unlink()
    assert run("train", "--resume", "here").code == 0
    resumed = part_of(trained)
    assert resumed.pictures == whole.pictures
    assert resumed.templates == whole.templates


def test_a_diverged_training_has_its_curves(run: Run, tmp_path: Path) -> None:
    often = ("training.iterations=9", "training.validate_every=1")
    run("train", "-c", "demo", *often, *DIVERGING, "--run-dir", "often")
    part = part_of(tmp_path / "often")
    assert part.status == "diverged"
    assert [picture.name for picture in part.pictures] == ["curves"]
    assert list(part.templates) == []
    assert any("no model" in note.text for note in part.notes)
    run("train", "-c", "demo", *QUICK, *DIVERGING, "--run-dir", "seldom")
    part = part_of(tmp_path / "seldom")
    assert part.pictures == []
    assert any("no curves" in note.text for note in part.notes)


def test_a_directory_with_nothing_but_a_model_is_reported(trained: Path) -> None:
    for path in trained.iterdir():
        if path.is_file() and path.name != "model.safetensors":
            path.unlink()
    part = part_of(trained)
    assert "without the summary" in part.status
    assert "validation accuracy" in {fact.name for fact in part.facts}
    assert part.reproduction is not None
    assert "dataset: synthetic" in part.reproduction.settings


def test_a_model_file_is_reported(trained: Path) -> None:
    part = model_part(trained / "best.safetensors").part
    assert part.kind == "model"
    assert len(part.templates) == 10
    assert part.reproduction is not None
    assert "best.safetensors" in part.reproduction.digests


def test_a_hundred_classes_and_hostile_names_are_reported(trained: Path) -> None:
    file = trained / "model.safetensors"
    model = load_model(file)
    names = ("<script>alert(1)</script>", *(f"class {n}" for n in range(99)))
    weights = np.tile(model.weights, (1, 10))
    save_model(
        file,
        replace(model, weights=weights, bias=np.tile(model.bias, 10), class_names=names),
    )
    part = part_of(trained)
    assert [thumbnail.lines[0] for thumbnail in part.templates] == list(names)


def test_a_damaged_model_is_refused(trained: Path) -> None:
    file = trained / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ModelError):
        part_of(trained)
