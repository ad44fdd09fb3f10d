import json
from pathlib import Path

import pytest

from softmax_cli.errors import DataError, ModelError
from softmax_cli.evaluation.predictor import load_saved_model
from softmax_cli.report.evaluation_part import evaluation_part
from softmax_cli.report.parts import EvaluationPart, Note
from tests.cli.conftest import QUICK, Run


def part_of(run: Path) -> tuple[EvaluationPart | None, list[Note]]:
    notes: list[Note] = []
    return evaluation_part(run, load_saved_model(run), None, None, notes)[0], notes


def test_a_run_without_an_evaluation_is_told_how_to_get_one(trained: Path) -> None:
    part, notes = part_of(trained)
    assert part is None
    assert [note.command for note in notes] == [f"softmax evaluate {trained}"]


def test_figures_are_those_of_the_evaluation(run: Run, trained: Path) -> None:
    evaluation = run("evaluate", "here", "--calibrate", "--format", "json").json()
    part, notes = part_of(trained)
    assert part is not None
    assert notes == []
    facts = {fact.name: fact for fact in part.facts}
    low, high = evaluation["accuracy_interval"]
    assert facts["accuracy"].text == f"{100 * evaluation['accuracy']:.2f} %"
    assert facts["accuracy"].interval == f"{100 * low:.1f} to {100 * high:.1f} %"
    assert facts["loss"].text == f"{evaluation['loss']:.4f}"
    fitted = evaluation["calibration"]["temperature"]
    assert facts["fitted temperature"].text == f"{fitted:.4f}"
    first, row = evaluation["per_class"][0], part.classes.rows[0]
    assert row[0].text == first["name"]
    assert [cell.value for cell in row[1:5]] == [
        first[key] for key in ("support", "recall", "precision", "f1")
    ]
    assert [picture.name for picture in part.pictures] == ["confusion_matrix", "reliability"]
    assert 0 < len(part.mistakes) <= 15


def test_without_the_images_the_figures_are_left(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise DataError("CIFAR-10 not found")

    run("evaluate", "here")
    whole, _ = part_of(trained)
    monkeypatch.setattr("softmax_cli.data.datasets.load_split", missing)
    part, notes = part_of(trained)
    assert part is not None
    assert whole is not None
    assert part.facts == whole.facts
    assert part.classes == whole.classes
    assert [picture.name for picture in part.pictures] == ["confusion_matrix"]
    assert "CIFAR-10 not found" in notes[0].text


def test_an_evaluation_without_intervals_of_an_earlier_version_is_shown(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise DataError("CIFAR-10 not found")

    run("evaluate", "here")
    kept = trained / "evaluation.json"
    document = json.loads(kept.read_text())
    kept.write_text(json.dumps({k: v for k, v in document.items() if "interval" not in k}))
    monkeypatch.setattr("softmax_cli.data.datasets.load_split", missing)
    part, _ = part_of(trained)
    assert part is not None
    assert {fact.interval for fact in part.facts} == {""}
    assert part.classes.rows[0][2].interval


def test_a_hinge_model_has_probabilities_once_it_is_calibrated(run: Run, tmp_path: Path) -> None:
    run("train", "-c", "demo", *QUICK, "model.loss=hinge", "--run-dir", "hinge")
    run("evaluate", "hinge")
    part, notes = part_of(tmp_path / "hinge")
    assert part is not None
    assert [picture.name for picture in part.pictures] == ["confusion_matrix"]
    assert part.mistakes == []
    assert "--calibrate" in notes[0].command
    run("evaluate", "hinge", "--calibrate")
    part, notes = part_of(tmp_path / "hinge")
    assert part is not None
    assert len(part.pictures) == 2
    assert part.mistakes
    assert notes == []


def test_a_calibration_of_other_weights_is_left_out(run: Run, trained: Path) -> None:
    run("evaluate", "here", "--calibrate")
    kept = trained / "calibration.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "model_digest": "0"}))
    part, notes = part_of(trained)
    assert part is not None
    assert "fitted temperature" not in {fact.name for fact in part.facts}
    assert "another model" in notes[0].text


@pytest.mark.parametrize(
    "change",
    [
        {"confusion_matrix": [[1]]},
        {"confusion_matrix": "x"},
        {"loss": None},
        {"accuracy": "high"},
        {"split": "all"},
        {"examples": []},
    ],
)
def test_what_is_no_evaluation_is_refused(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    def missing(*_: object) -> None:
        raise DataError("CIFAR-10 not found")

    run("evaluate", "here")
    kept = trained / "evaluation.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), **change}))
    monkeypatch.setattr("softmax_cli.data.datasets.load_split", missing)
    with pytest.raises(ModelError, match="not an evaluation"):
        part_of(trained)
