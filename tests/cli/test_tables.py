"""No table cuts or splits a figure, or is wider than the terminal, whatever its width."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from softmax_cli.cli import benchmark, output
from softmax_cli.cli.tables import Column, FactsTable, ResultTable, wrapped
from tests.cli.conftest import QUICK, Run

WIDTHS = range(20, 121)
FIGURE = re.compile(r"\d[\d.,e+-]*(?<![,.])(?: (?:%|s|ms|µs|MB)(?!\w))?")
SWEEP = """\
base: demo
parameters:
  optimizer.learning_rate: [0.001, 0.012345]
  model.temperature: [1, {start: 4, end: 1, decay: linear}]
  training.batch_size: [100, 50]
  augmentation.horizontal_flip: [false]
folds: 2
"""
COMMANDS = {
    "train": ("train", "-c", "demo", *QUICK),
    "diverged": ("train", "-c", "demo", *QUICK, "optimizer.learning_rate=1e9"),
    "sweep": ("sweep", "-c", "sweep.yaml", *QUICK),
    "small sweep": ("sweep", "-c", "demo-sweep", *QUICK),
    "plan": ("sweep", "-c", "sweep.yaml", *QUICK, "--dry-run"),
    "evaluate": ("evaluate", "here", "--calibrate"),
    "verify": ("download", "--verify"),
    "benchmark": ("benchmark", "--dataset", "synthetic", "--samples", "20"),
    "presets": ("presets",),
}


def printed(table: RenderableType, width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(table, soft_wrap=True)
    return captured.get().splitlines()


def figures(lines: list[str]) -> set[str]:
    return {figure for line in lines for figure in FIGURE.findall(line)}


def is_one_piece(line: str) -> bool:
    return len(wrapped(line.strip(), 1)) == 1


def assert_fits(lines: list[str], width: int, whole: set[str]) -> None:
    assert figures(lines) <= whole, f"a figure is not whole at {width}"
    for line in lines:
        assert "…" not in line
        assert cell_len(line) <= width or is_one_piece(line), f"{line!r} is wider than {width}"
        assert line == line.rstrip()


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("name", COMMANDS)
def test_every_table_fits_every_width(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shown: list[RenderableType] = []

    def result(_: object, __: Mapping[str, Any], table: Callable[[], RenderableType]) -> None:
        shown.append(table())

    monkeypatch.setattr(output.Output, "result", result)
    monkeypatch.setattr(benchmark, "MODELS", (1, 3))
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    (tmp_path / "data/cifar-10-batches-py").mkdir(parents=True)
    run(*COMMANDS[name])

    (table,) = shown
    whole = figures(printed(table, 1000))
    assert len(whole) > 1
    for width in WIDTHS:
        assert_fits(printed(table, width), width, whole)
    assert figures(printed(table, 20)) == whole, "below each other, nothing is left out"


@pytest.mark.usefixtures("trained")
def test_predictions_fit_every_width(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("predict", "here", "here/curves.png", "--top", "10")
    monkeypatch.delenv("COLUMNS", raising=False)
    (whole,) = run(*command).out.splitlines()
    assert whole.startswith("here/curves.png ")
    for width in (20, 30, 47, 80, 120, 230):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = run(*command).out.splitlines()
        assert_fits([line.rstrip() for line in lines], width, figures([whole]))
        assert len(lines) == (1 if width == 230 else 11)
        assert figures(lines) == figures([whole])


@pytest.mark.usefixtures("trained")
def test_the_width_is_that_of_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (30, 56, 80):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = run("evaluate", "here").out.splitlines()
        assert 0.6 * width < max(map(len, lines)) <= width


TABLE = ResultTable(
    [
        Column("class", is_text=True),
        Column("recall"),
        Column("images seen", is_optional=True),
        Column("taken for", is_text=True, is_optional=True),
    ],
    [["猫", "71.00 %", "5", "犬 (3)"], ["ship", "100.00 %", "12,345", "-"]],
)


def test_wide_characters_keep_the_columns() -> None:
    assert printed(TABLE, 80) == [
        "class     recall   images seen   taken for",
        "──────────────────────────────────────────",
        "猫       71.00 %             5   犬 (3)",
        "ship    100.00 %        12,345   -",
    ]


def test_headings_are_broken_first_then_columns_left_out_the_last_ones_first() -> None:
    assert printed(TABLE, 36)[:2] == [
        "                    images   taken",
        "class     recall      seen   for",
    ]
    assert printed(TABLE, 26) == [
        "                    images",
        "class     recall      seen",
        "──────────────────────────",
        "猫       71.00 %         5",
        "ship    100.00 %    12,345",
        "columns left out: taken",
        "for",
    ]
    assert printed(TABLE, 16)[-3:] == ["columns left", "out: images", "seen, taken for"]


def test_in_the_end_values_stand_below_each_other() -> None:
    assert printed(TABLE, 15)[:9] == [
        "猫",
        "  recall",
        "    71.00 %",
        "  images seen",
        "    5",
        "  taken for",
        "    犬 (3)",
        "ship",
        "  recall",
    ]


def test_a_total_is_set_apart_and_empty_cells_are_left_out_below_each_other() -> None:
    columns = [Column("stack"), Column("trials"), Column("time")]
    table = ResultTable(columns, [["1", "8", "1.5 s"], ["all", "", "1.5 s"]], has_total=True)
    assert printed(table, 80) == [
        "stack   trials    time",
        "──────────────────────",
        "    1        8   1.5 s",
        "──────────────────────",
        "  all            1.5 s",
    ]
    assert printed(table, 20) == [
        "stack 1",
        "  trials  8",
        "  time    1.5 s",
        "stack all",
        "  time  1.5 s",
    ]


def test_a_console_that_knows_ascii_alone_gets_no_other_lines() -> None:
    console = Console(width=80, color_system=None)
    options = replace(console.options, encoding="ascii")
    assert "-----" in "".join(segment.text for segment in console.render(TABLE, options))


def test_a_path_is_never_broken_and_stands_below_where_there_is_no_room() -> None:
    facts = FactsTable({"best validation": "70.20 % after 40 iterations", "model": Path("a b/c")})
    assert printed(facts, 80) == [
        "best validation  70.20 % after 40 iterations",
        "model            a b/c",
    ]
    long = Path("runs/with a blank/" + 20 * "x")
    assert printed(FactsTable({"model": long}), 42) == ["model", f"  {long}"]
    assert printed(FactsTable({"model": long}), 39) == ["model", f" {long}"]
    assert printed(FactsTable({"model": long}), 20) == ["model", str(long)]


def test_what_would_move_the_cursor_is_replaced() -> None:
    table = ResultTable([Column("class", is_text=True)], [["a\x1b[31m\nb"], ["c\udcff"]])
    assert printed(table, 80)[2:] == ["a�[31m�b", "c\\udcff"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("39.60 % ± 1.23 at 112", ["39.60 %", "± 1.23", "at", "112"]),
        ("60 in 0.1 s, 3 ms or 4 MB", ["60", "in", "0.1 s,", "3 ms", "or", "4 MB"]),
        ("2 sheep", ["2", "sheep"]),
        ("", [""]),
    ],
)
def test_a_unit_stays_with_its_number(text: str, lines: list[str]) -> None:
    assert wrapped(text, 1) == lines
    assert wrapped(text, 100) == [text]
