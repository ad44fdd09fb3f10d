import pytest

from softmax_cli.report.parts import (
    Cell,
    EvaluationPart,
    Fact,
    Note,
    Picture,
    RunPart,
    Table,
    number_cell,
    number_fact,
    percent_cell,
    percent_fact,
    value_cell,
)


def test_figures_have_their_intervals() -> None:
    assert percent_fact("accuracy", 0.4, (0.37, 0.431)) == Fact(
        "accuracy", "40.00 %", "37.0 to 43.1 %"
    )
    assert percent_fact("accuracy", 0.4) == Fact("accuracy", "40.00 %")
    assert number_fact("loss", 1.5, (1.4, 1.6)) == Fact("loss", "1.5000", "1.4000 to 1.6000")
    assert percent_cell(0.4, (0.37, 0.431)) == Cell("40.00 %", 0.4, "37.0 to 43.1 %")
    assert number_cell(1.5) == Cell("1.5000", 1.5)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (8000.0, Cell("8000", 8000)),
        (1.5e-7, Cell("1.5e-07", 1.5e-7)),
        (True, Cell("true")),
        (None, Cell("null")),
        ("hinge", Cell("hinge")),
        ({"kind": "cosine"}, Cell('{"kind": "cosine"}')),
    ],
)
def test_settings_are_written_as_in_yaml_and_numbers_sort(value: object, cell: Cell) -> None:
    assert value_cell(value) == cell


def test_what_a_run_has_is_told_in_json() -> None:
    picture = Picture("curves", "data:,", "curves")
    classes = Table("classes", ["class"], [[Cell("cat")]], [False])
    best = RunPart("s/best", "training", "finished", notes=[Note("b")], pictures=[picture])
    evaluation = EvaluationPart(
        "test", "images", [], classes, [Picture("confusion_matrix", "", "")], []
    )
    sweep = RunPart(
        "s",
        "sweep",
        "finished",
        notes=[Note("a")],
        trials=classes,
        evaluation=evaluation,
        best=best,
    )
    document = sweep.to_json()
    assert document["pictures"] == ["confusion_matrix"]
    assert document["trials"] == 1
    assert document["evaluated_on"] == "test"
    assert document["best"]["pictures"] == ["curves"]
    assert [note.text for note in sweep.all_notes()] == ["s: a", "s/best: b"]
