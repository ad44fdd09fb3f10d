"""CSV, JSON and JSON lines: same values, same bytes; nothing but valid JSON; torn lines dropped."""

import errno
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.errors import CheckpointError, ModelError
from softmax_cli.runs.tables import (
    append_jsonl,
    json_value,
    read_json,
    read_jsonl,
    read_numbers,
    read_results,
    write_csv,
    write_json,
)


def test_csv_keeps_every_digit(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    rows: list[dict[str, object]] = [
        {"step": 100, "loss": 0.1 + 0.2, "rate": np.float64(1.5e-7), "flag": True},
        {"step": np.int64(200), "loss": math.nan, "rate": None, "flag": np.bool_(False)},
        {"step": 300, "loss": -math.inf, "rate": 1e22, "flag": "a, b"},
        {"step": 400},
    ]
    write_csv(path, ["step", "loss", "rate", "flag"], rows)
    assert path.read_bytes() == (
        b"step,loss,rate,flag\n"
        b"100,0.30000000000000004,1.5e-07,true\n"
        b"200,nan,,false\n"
        b'300,-inf,1e+22,"a, b"\n'
        b"400,,,\n"
    )


def test_csv_refuses_a_key_without_a_column(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="loss"):
        write_csv(tmp_path / "metrics.csv", ["step"], [{"step": 1, "loss": 2.0}])
    assert list(tmp_path.iterdir()) == []


def test_json_is_valid_and_ordered(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_json(
        path,
        {
            "run_dir": Path("runs/demo"),
            "accuracy": np.float32(0.5),
            "loss": math.nan,
            "matrix": np.array([[1, 2], [3, 4]]),
            "names": ("cat", "naïve"),
            "count": np.int64(3),
            "missing": None,
            "done": np.bool_(True),
        },
    )
    assert path.read_text(encoding="utf-8").endswith("}\n")
    document = json.loads(path.read_text(encoding="utf-8"))
    assert list(document.items()) == [
        ("run_dir", "runs/demo"),
        ("accuracy", 0.5),
        ("loss", None),
        ("matrix", [[1, 2], [3, 4]]),
        ("names", ["cat", "naïve"]),
        ("count", 3),
        ("missing", None),
        ("done", True),
    ]


def test_json_value_makes_nested_non_finite_numbers_null() -> None:
    value = {"a": [math.inf, {"b": np.array([1.0, np.nan])}], 3: -0.0}
    assert json_value(value) == {"a": [None, {"b": [1.0, None]}], "3": 0.0}


def test_json_value_refuses_what_json_cannot_hold() -> None:
    with pytest.raises(TypeError, match="object"):
        json_value({"a": object()})


def test_json_and_columns_are_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "summary.json", {"loss": 0.1, "diverged": False})
    assert read_json(tmp_path / "summary.json") == {"loss": 0.1, "diverged": False}
    write_csv(tmp_path / "metrics.csv", ["step", "loss"], [{"step": 1, "loss": 0.1}, {"step": 2}])
    columns = read_numbers(tmp_path / "metrics.csv", ["loss", "step"])
    assert columns["step"] == [1.0, 2.0]
    assert columns["loss"][0] == 0.1
    assert math.isnan(columns["loss"][1])
    assert read_numbers(tmp_path / "metrics.csv").keys() == {"step", "loss"}


@pytest.mark.parametrize("text", ["", "[1]", "{", "\x80", "[" * 100_000])
def test_what_is_no_json_object_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"summary\.json"):
        read_json(tmp_path / "summary.json")


@pytest.mark.parametrize("text", ["", "step\n1\n", "step,loss\n1,high\n", "step,loss\n1\n\x80"])
def test_a_table_without_these_numbers_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"metrics\.csv"):
        read_numbers(tmp_path / "metrics.csv", ["loss"])


@pytest.mark.parametrize("text", ["", "step,loss\n1,high\n", "step,loss\n1\n\x80"])
def test_a_table_of_anything_but_numbers_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"expected a table of numbers in .*metrics\.csv"):
        read_numbers(tmp_path / "metrics.csv")


MARK = b"\xef\xbb\xbf"


def add_mark(path: Path) -> None:
    """What a spreadsheet or an editor does that saves a file again."""
    path.write_bytes(MARK + path.read_bytes().replace(b"\n", b"\r\n"))


def test_json_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    write_json(path, {"name": "größer"})
    add_mark(path)
    assert read_json(path) == {"name": "größer"}


def test_a_table_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    write_csv(path, ["step", "loss"], [{"step": 1, "loss": 0.5}])
    add_mark(path)
    assert read_numbers(path, ["step", "loss"]) == {"step": [1.0], "loss": [0.5]}


def test_results_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    columns = ["id", "model.loss", "seed", "status", "validation_accuracy"]
    row = {"id": "a", "model.loss": "hinge", "seed": 3, "status": "finished"}
    write_csv(path, columns, [{**row, "validation_accuracy": 0.5}])
    expected = read_results(path)
    assert expected.parameters == {"model.loss": ["hinge"], "seed": [3]}
    add_mark(path)
    assert read_results(path) == expected
    # ... also where the mark stands right before the column that is looked for.
    path.write_bytes(path.read_bytes().replace(b"id,", b'"id",'))
    assert read_results(path) == expected


def test_lines_with_a_byte_order_mark_are_read_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    append_jsonl(path, {"id": "a"})
    add_mark(path)
    assert read_jsonl(path) == [{"id": "a"}]
    append_jsonl(path, {"id": "b"})
    assert read_jsonl(path) == [{"id": "a"}, {"id": "b"}]
    assert path.read_bytes().startswith(MARK)


def test_lines_are_appended_and_read(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    assert read_jsonl(path) == []
    append_jsonl(path, {"id": "a", "loss": math.nan})
    append_jsonl(path, {"id": "b\nc"})
    assert read_jsonl(path) == [{"id": "a", "loss": None}, {"id": "b\nc"}]
    assert path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("torn", [b'{"id": "to', b'{"id": "torn"}', b"\xff"])
def test_a_torn_last_line_does_not_count_and_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "trials.jsonl"
    append_jsonl(path, {"id": "a"})
    path.write_bytes(path.read_bytes() + torn)
    assert read_jsonl(path) == [{"id": "a"}]
    append_jsonl(path, {"id": "b"})
    assert read_jsonl(path) == [{"id": "a"}, {"id": "b"}]


def test_a_file_of_one_torn_line_starts_afresh(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(b'{"id')
    append_jsonl(path, {"id": "a"})
    assert path.read_bytes() == b'{"id": "a"}\n'


@pytest.mark.parametrize("line", [b"{", b"[1]", b"", b"\xff", b"[" * 100_000])
def test_a_damaged_line_is_an_error_that_names_it(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(b'{"id": "a"}\n' + line + b"\n")
    with pytest.raises(CheckpointError, match="line 2: expected"):
        read_jsonl(path)


def test_a_failed_append_leaves_the_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trials.jsonl"
    append_jsonl(path, {"id": "a"})

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left") as caught:
        append_jsonl(path, {"id": "b"})
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b'{"id": "a"}\n'
