import json
from pathlib import Path

import pytest

from softmax_cli.errors import CheckpointError
from softmax_cli.report import sweep_part as reporting
from softmax_cli.report.parts import RunPart
from softmax_cli.runs.directory import open_run_directory
from tests.cli.conftest import QUICK, Run


def part_of(run: Path) -> RunPart:
    return reporting.sweep_part(open_run_directory(run), None, None).part


def test_a_finished_sweep_has_its_table_and_its_best_run(swept: Path) -> None:
    part = part_of(swept)
    assert part.status == "finished"
    assert part.trials is not None
    results = (swept / "results.csv").read_text().splitlines()[1:]
    assert len(part.trials.rows) == len(results)
    place = list(part.trials.headings).index("validation accuracy")
    accuracies = [row[place].value for row in part.trials.rows]
    assert accuracies == sorted(accuracies, key=lambda value: -(value or 0))
    assert part.trials.rows[0][place].interval
    assert [picture.name for picture in part.pictures] == ["heatmap"]
    assert part.best is not None
    assert part.best.evaluation is not None


def test_a_sweep_of_an_earlier_version_has_no_intervals(swept: Path) -> None:
    later = {"validation_images", "fold_accuracies", "hits"}
    trials = swept / "trials.jsonl"
    records = [json.loads(line) for line in trials.read_text().splitlines()]
    kept = [{k: v for k, v in record.items() if k not in later} for record in records]
    trials.write_text("".join(f"{json.dumps(record)}\n" for record in kept))
    part = part_of(swept)
    assert part.trials is not None
    assert {cell.interval for row in part.trials.rows for cell in row} == {""}
    assert part.trials.marked == frozenset()


def test_an_unfinished_sweep_shows_what_is_done(swept: Path) -> None:
    for name in ("results.csv", "best.yaml"):
        (swept / name).unlink()
    (swept / "best").rename(swept / "elsewhere")
    lines = (swept / "trials.jsonl").read_text().splitlines(keepends=True)
    (swept / "trials.jsonl").write_text("".join(lines[:2]))
    part = part_of(swept)
    assert part.status == "not finished"
    assert part.trials is not None
    assert len(part.trials.rows) == 2
    assert part.pictures == []
    assert part.notes[0].text.startswith(f"2 of {len(lines)}")
    assert part.notes[0].command == f"softmax sweep --resume {swept}"
    (swept / "trials.jsonl").unlink()
    assert part_of(swept).trials is None


def test_a_sweep_whose_trials_all_diverged_has_no_best_run(run: Run, tmp_path: Path) -> None:
    axes = ("parameters.optimizer.learning_rate=[1e9]", "parameters.optimizer.regularization=[1]")
    run("sweep", "-c", "demo-sweep", *QUICK, *axes, "--run-dir", "lost")
    part = part_of(tmp_path / "lost")
    assert part.best is None
    assert "no best run" in part.notes[0].text
    assert part.trials is not None
    assert [row[-1].text for row in part.trials.rows] == ["diverged"]


def test_seeds_of_one_setting_are_one_row(run: Run, tmp_path: Path) -> None:
    axes = (
        "parameters.optimizer.learning_rate=[0.01]",
        "parameters.optimizer.regularization=[1e-3]",
    )
    run("sweep", "-c", "demo-sweep", *QUICK, *axes, "parameters.seed=[0,1]", "--run-dir", "seeds")
    part = part_of(tmp_path / "seeds")
    assert part.trials is not None
    (row,) = part.trials.rows
    values = dict(zip(part.trials.headings, row, strict=True))
    assert values["seeds"].text == "2"
    assert "±" in values["validation accuracy"].text


def test_a_long_table_shows_the_best(swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "MAX_ROWS", 2)
    part = part_of(swept)
    assert part.trials is not None
    assert [row[0].text for row in part.trials.rows] == ["1", "2"]
    assert "the best 2 of" in part.trials.caption


def test_damaged_records_are_refused(swept: Path) -> None:
    (swept / "trials.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(CheckpointError):
        part_of(swept)
