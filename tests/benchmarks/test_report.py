from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.accuracy import Rung
from benchmarks.growth import Point
from benchmarks.machine import machine
from benchmarks.report import (
    BEGIN,
    END,
    machines_text,
    markdown,
    medians_table,
    rich_table,
    seconds_text,
    tables_of,
    write_document,
    write_report,
)
from benchmarks.results import Findings, Results
from benchmarks.step import StepTimes
from benchmarks.timing import Comparison, Figure, Goal, Measurement, Spread
from softmax_cli.errors import DataError


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
        Goal("floor", "slow", None, at_least=True),
    )
    steps = [
        StepTimes(models, 200, 50_000, spread(models / 1e3), spread(models / 2e3), spread(2.0))
        for models in (1, 24)
    ]
    rungs = (Rung(1, 0.4, 0.39, 0.38), Rung(2, 0.8, 0.42, 0.416))
    return Results(
        group="single",
        date="2026-01-02",
        machine=machine(),
        settings={"quick": False, "repeats": 3},
        findings=Findings(
            comparisons=(Comparison("single", "One training", measurements, goals, ("A note.",)),),
            curves={"accuracy": {"softmax": rungs}},
            points=tuple(Point("models", step, 250_000_000) for step in steps),
            figures=(
                Figure("peak", spread(255.0), 260, at_least=False, unit="MB"),
                Figure("difference", spread(2e-6), 1e-6, at_least=False),
            ),
            steps=tuple(steps),
        ),
    )


def test_a_report_is_tables_and_a_plot(results: Results, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    write_report([results], folder)
    assert {path.name for path in folder.iterdir()} == {"results.md", "results.png"}


def test_markdown_is_tables_with_date_machine_and_notes(results: Results) -> None:
    text = markdown([results])
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
    assert rows["single: floor / slow"].split("|")[2:5] == [" 0.21 ", " none ", "  "]
    assert rows["peak"].split("|")[2:5] == [" 255 MB ", " ≤ 260 MB ", " met "]
    assert rows["difference"].split("|")[2:5] == [" 2e-06 ", " ≤ 1e-06 ", " missed "]


def test_a_quick_run_says_so(results: Results) -> None:
    results.settings["quick"] = True
    assert "This was a quick run" in markdown([results])


def test_every_table_has_a_row_of_the_width_of_its_header(results: Results) -> None:
    tables = list(tables_of([results]))
    assert len(tables) == 5
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.header)}
        assert rich_table(table).row_count == len(table.rows)


def test_comparisons_with_a_column_share_a_table(results: Results) -> None:
    columns = [
        Comparison(
            f"threads, {name}",
            "A step",
            (
                Measurement("by the rule", (0.1, 0.2, 0.3), 1.0, 0, (), ()),
                Measurement("1 thread", (seconds,) * 3, 1.0, 0, (), ()),
            ),
            (Goal("by the rule", "1 thread", 1.1, at_least=False),),
            ("A note.",),
            column=name,
        )
        for name, seconds in (("alone", 0.4), ("busy", 0.5))
    ]
    table = medians_table(columns)
    assert table.header == ("", "alone", "busy")
    assert table.rows == (("by the rule", "200 ms", "200 ms"), ("1 thread", "400 ms", "500 ms"))
    threads = replace(results, findings=Findings(tuple(columns)))
    shared, ratios = tables_of([threads])
    assert shared == table
    assert [row[1] for row in ratios.rows] == ["0.50", "0.40"]


def test_groups_of_one_machine_share_a_sentence(results: Results) -> None:
    busier = {**results.machine, "load_average": 1e6}
    later = replace(results, group="sweep", date="2026-01-03", machine=busier)
    text = machines_text([results, later])
    assert text.startswith("Measured on 2026-01-02 to 2026-01-03 on ")
    assert f"load average {results.machine['load_average']} to 1000000.0 before" in text
    other = replace(later, machine={**busier, "versions": {"numpy": "9.9"}})
    text = machines_text([results, other])
    assert text.startswith("single: measured on 2026-01-02 on ")
    assert "sweep: measured on 2026-01-03 on " in text
    assert "numpy 9.9" in text


def test_a_document_keeps_the_sentences_around_what_was_measured(
    results: Results, tmp_path: Path
) -> None:
    document, image = tmp_path / "benchmarks.md", tmp_path / "benchmarks.png"
    document.write_text(f"# Before\n\n{BEGIN}\nold\n{END}\n\nAfter.\n", "utf-8")
    for _ in range(2):
        write_document([results], document, image)
        text = document.read_text("utf-8")
        assert text == f"# Before\n\n{BEGIN}\n\n{markdown([results])}\n{END}\n\nAfter.\n"
    assert image.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["none", f"{BEGIN}\n", f"{END}\n{BEGIN}\n"])
def test_a_document_without_markers_stays_as_it_is(
    text: str, results: Results, tmp_path: Path
) -> None:
    document, image = tmp_path / "benchmarks.md", tmp_path / "benchmarks.png"
    document.write_text(text, "utf-8")
    with pytest.raises(DataError, match="expected a line"):
        write_document([results], document, image)
    assert document.read_text("utf-8") == text
    assert not image.exists()


def test_the_shipped_document_has_both_markers() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text("utf-8").splitlines()
    assert lines.count(BEGIN) == lines.count(END) == 1
    assert lines.index(BEGIN) < lines.index(END)


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
