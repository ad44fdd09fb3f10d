import json
from pathlib import Path

import pytest

from benchmarks.accuracy import Rung
from benchmarks.growth import Point
from benchmarks.machine import machine
from benchmarks.report import Results, markdown, rich_table, seconds_text, tables_of, write_report
from benchmarks.step import StepTimes
from benchmarks.timing import Comparison, Goal, Measurement, Spread


def spread(middle: float) -> Spread:
    return Spread(middle, 0.9 * middle, 1.1 * middle)


@pytest.fixture
def results() -> Results:
    measurements = (
        Measurement("softmax", (1.0, 1.2, 1.1), 1.0, 1, (0.39,) * 3, (0.375,) * 3),
        Measurement("slow", (4.0, 4.4, 4.8), 1.0, 1, (0.38,) * 3, (0.376,) * 3),
        Measurement("lazy", (0.1, 0.1, 0.1), 1.0, 1, (0.1,) * 3, (0.1,) * 3, "did not learn"),
        Measurement("floor", (0.9, 0.9, 1.0), 1.0, 0, (), ()),
    )
    goals = (
        Goal("slow", "softmax", 3.0, at_least=True),
        Goal("softmax", "floor", 1.15, at_least=False),
        Goal("lazy", "softmax", 1.0, at_least=True),
    )
    steps = [
        StepTimes(models, 200, 50_000, spread(models / 1e3), spread(models / 2e3), spread(2.0))
        for models in (1, 24)
    ]
    return Results(
        date="2026-01-02",
        machine=machine(),
        settings={"quick": False, "repeats": 3},
        comparisons=[Comparison("single", "One training", measurements, goals, ("A note.",))],
        curves={"softmax": (Rung(1, 0.4, 0.39, 0.38), Rung(2, 0.8, 0.42, 0.416))},
        points=tuple(Point("models", step, 250_000_000) for step in steps),
        training_peak=spread(400e6),
        steps=steps,
    )


def test_files_hold_every_figure(results: Results, tmp_path: Path) -> None:
    write_report(results, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert {path.name for path in folder.iterdir()} == {
        "results.json",
        "results.md",
        "results.png",
    }
    document = json.loads((folder / "results.json").read_text())
    measured = document["comparisons"][0]["measurements"]
    assert measured[0]["seconds"] == [1.0, 1.2, 1.1]
    assert document["comparisons"][0]["ratios"][0]["ratio"]["median"] == pytest.approx(4.0)
    assert document["comparisons"][0]["ratios"][2]["ratio"] is None
    assert document["points"][1]["step"]["models"] == 24
    assert document["machine"]["cores"] >= 1


def test_markdown_is_tables_with_date_machine_and_notes(results: Results) -> None:
    text = markdown(results)
    assert text.startswith("Measured on 2026-01-02 on ")
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line[:1] == "|"}
    assert rows["slow"].split("|")[2:] == [
        " 4.4 s ", " 4 s ", " 4.8 s ", " 4.00 ", " 38.00 % ", " 37.60 % ", "",
    ]  # fmt: skip
    assert "invalid" in rows["lazy"]
    assert rows["single: slow / softmax"].split("|")[2:5] == [" 4.00 ", " ≥ 3 ", " met "]
    assert rows["single: softmax / floor"].split("|")[2:5] == [" 1.11 ", " ≤ 1.15 ", " met "]
    assert "invalid" in rows["single: lazy / softmax"]
    assert "lazy: did not learn. A note." in text
    assert "quick run" not in text


def test_a_quick_run_says_so(results: Results) -> None:
    results.settings["quick"] = True
    assert "This was a quick run" in markdown(results)


def test_every_table_has_a_row_of_the_width_of_its_header(results: Results) -> None:
    tables = list(tables_of(results))
    assert len(tables) == 5
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert rich_table(table).row_count == len(table.rows)


def test_complaints_are_listed(results: Results) -> None:
    assert results.complaints == ["single: lazy did not learn"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00012345, "123 µs"),
        (0.0123, "12.3 ms"),
        (1.234, "1.23 s"),
        (99.9, "99.9 s"),
        (431.2, "431 s"),
    ],
)
def test_times_have_a_unit_that_suits_them(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
