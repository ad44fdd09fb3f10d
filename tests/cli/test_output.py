import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.cli.options import OutputFormat
from softmax_cli.cli.output import Output, describe, json_text, percent, print_error
from softmax_cli.errors import DataError

DOCUMENT = {"path": Path("here"), "loss": math.nan, "counts": np.array([1, 2]), "name": "größer"}

Captured = pytest.CaptureFixture[str]


def test_a_result_is_one_json_document_on_stdout(capsys: Captured) -> None:
    Output(OutputFormat.JSON, quiet=True).result(DOCUMENT, lambda: "a table")
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out) == {
        "path": "here",
        "loss": None,
        "counts": [1, 2],
        "name": "größer",
    }


@pytest.mark.parametrize(("verbose", "lines"), [(False, 1), (True, 6)])
def test_what_begins_is_said_with_the_machine_if_verbose(
    verbose: bool, lines: int, capsys: Captured
) -> None:
    Output(OutputFormat.TABLE, quiet=False, verbose=verbose).beginning("Training here")
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Training here"
    assert len(said) >= lines
    assert any(line.startswith("numpy: ") for line in said) is verbose


def test_a_result_is_a_table_on_stdout_and_is_never_cut(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    line = "[a path]/" + "x" * 50 + " :smile:"
    Output(OutputFormat.TABLE, quiet=False).result(DOCUMENT, lambda: line)
    assert capsys.readouterr().out == f"{line}\n"


@pytest.mark.parametrize(
    ("quiet", "verbose", "expected"),
    [
        (False, False, "message\nWarning: warning\n"),
        (True, False, "Warning: warning\n"),
        (False, True, "message\ndetail\nWarning: warning\n"),
    ],
)
def test_options_decide_what_is_said_on_stderr(
    quiet: bool, verbose: bool, expected: str, capsys: Captured
) -> None:
    output = Output(OutputFormat.JSON, quiet=quiet, verbose=verbose)
    output.message("message")
    output.detail("detail")
    output.warning("warning")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", expected)


def test_an_error_has_its_hint_below(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["softmax"])
    print_error("no model at [here]", "Run `softmax train`.")
    print_error("interrupted")
    expected = "Error: no model at [here]\nRun `softmax train`.\nError: interrupted\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DataError("no data", hint="Get it."), "no data"),
        (OSError(28, "No space left on device", "a.csv"), "No space left on device: a.csv"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_errors_are_described_in_a_sentence(error: Exception, sentence: str) -> None:
    assert describe(error) == sentence


@pytest.mark.parametrize(
    ("encoding", "text"), [("utf-8", '"größer"'), ("ascii", '"gr\\u00f6\\u00dfer"')]
)
def test_json_fits_the_encoding_of_stdout(
    encoding: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert json_text("größer") == text


def test_percentages_have_two_decimals_or_are_a_dash() -> None:
    assert [percent(0.39604), percent(1.0), percent(None)] == ["39.60 %", "100.00 %", "-"]
