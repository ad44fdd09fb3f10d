from pathlib import Path

from softmax_cli.report.comparison_part import comparison_part
from softmax_cli.report.reading import read_run
from tests.cli.conftest import QUICK, Run


def test_runs_are_compared_on_the_images_that_all_were_evaluated_on(
    run: Run, tmp_path: Path, trained: Path, swept: Path
) -> None:
    run("train", "-c", "demo", *QUICK, "model.loss=hinge", "--run-dir", "hinge")
    readings = [read_run(path) for path in (trained, tmp_path / "hinge", swept)]
    part, notes = comparison_part(readings, None)
    assert notes == []
    assert part is not None
    assert part.split == "test"
    for path in ("here", "hinge", "swept/best"):
        run("evaluate", path, "--split", "validation")
    part, _ = comparison_part([read_run(path) for path in (trained, tmp_path / "hinge")], None)
    assert part is not None
    assert part.split == "validation"
    models, settings, differences, classes = part.tables
    assert [row[0].text for row in models.rows] == ["here", "hinge"]
    assert models.rows[0][1].interval
    assert "model.loss" in [row[0].text for row in settings.rows]
    assert differences.rows[0][0].text == "hinge"
    assert len(classes.rows) == 3
    assert part.to_json() == {"split": "validation", "pictures": ["comparison"]}


def test_what_cannot_be_compared_is_explained(run: Run, tmp_path: Path, trained: Path) -> None:
    assert comparison_part([read_run(trained)], None) == (None, [])
    diverging = ("optimizer.learning_rate=1e9", "optimizer.regularization=1")
    run("train", "-c", "demo", *QUICK, *diverging, "--run-dir", "lost")
    lost = read_run(tmp_path / "lost")
    part, notes = comparison_part([read_run(trained), lost], None)
    assert part is None
    assert "no two models" in notes[0].text
    part, notes = comparison_part([read_run(trained), lost, read_run(trained)], None)
    assert part is not None
    assert str(tmp_path / "lost") in notes[0].text
    run("train", "-c", "demo", *QUICK, "seed=1", "data.validation_size=100", "--run-dir", "other")
    for path in ("here", "other"):
        run("evaluate", path, "--split", "validation")
    part, notes = comparison_part([read_run(trained), read_run(tmp_path / "other")], None)
    assert part is None
    assert notes[0].text.startswith("The runs are not compared: ")
