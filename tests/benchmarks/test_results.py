import json
from pathlib import Path

import pytest

from benchmarks.accuracy import Rung
from benchmarks.growth import Point
from benchmarks.results import Findings, Results, load, save
from benchmarks.step import StepTimes
from benchmarks.timing import Comparison, Figure, Goal, Measurement, Spread
from softmax_cli.errors import DataError


def results(group: str) -> Results:
    spread = Spread(2.0, 1.0, 3.0)
    measurements = (
        Measurement("a", (2.0, 4.0), 0.5, 1, (0.4, 0.4), (0.5, 0.5)),
        Measurement("b", (1.0, 1.0), 1.0, 0, (), (), "did not learn"),
    )
    goals = (Goal("a", "a", 2.0, at_least=True), Goal("a", "b", None, at_least=False))
    return Results(
        group=group,
        date="2026-01-02",
        machine={"cpu": "some", "caches": {"L2": "1024K"}},
        settings={"quick": True, "repeats": 2, "target": 0.3},
        findings=Findings(
            comparisons=(Comparison(group, "Title", measurements, goals, ("note",), "column"),),
            curves={group: {"a": (Rung(1, 0.4, 0.39, 0.38),)}},
            points=(Point("models", StepTimes(1, 2, 3, spread, spread, spread), 5),),
            figures=(Figure("peak", spread, 260, at_least=False, unit="MB"),),
            steps=(StepTimes(1, 2, 3, spread, spread, spread),),
        ),
    )


def test_what_is_saved_is_loaded_in_the_order_of_groups(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    for group in ("sweep", "single"):
        save(results(group), folder)
    assert load(folder, ["single", "none", "sweep"]) == [results("single"), results("sweep")]


def test_a_file_holds_ratios_and_raw_times(tmp_path: Path) -> None:
    save(results("single"), tmp_path)
    document = json.loads((tmp_path / "single.json").read_text("utf-8"))
    (comparison,) = document["findings"]["comparisons"]
    assert comparison["measurements"][0]["seconds"] == [2.0, 4.0]
    assert [each["ratio"] for each in comparison["ratios"]] == [
        {"median": 1.0, "low": 1.0, "high": 1.0},
        None,
    ]


def test_complaints_are_listed() -> None:
    assert results("single").complaints == ["single: b did not learn"]


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"format": 0}', '{"format": 1, "group": "single"}']
)
def test_a_file_that_is_not_ours_is_an_error_with_a_hint(content: str, tmp_path: Path) -> None:
    (tmp_path / "single.json").write_text(content)
    with pytest.raises(DataError, match="expected results") as error:
        load(tmp_path, ["single"])
    assert "measure this group again" in (error.value.hint or "")
