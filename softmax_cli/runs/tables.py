"""Tables and documents that people and other programs read: CSV, JSON, JSON lines.

The same values always give the same bytes. JSON has no NaN and no infinity: both become null.
"""

import contextlib
import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from softmax_cli.errors import CheckpointError, ModelError
from softmax_cli.runs.atomic import errors_naming, sync_directory, write_all, write_text
from softmax_cli.runs.directory import resume_command
from softmax_cli.runs.text import decode, read_text


def json_value(value: object) -> Any:
    """Turn nested values into what JSON can hold.

    Mappings keep their order; tuples and arrays become lists, numpy scalars numbers, paths strings,
    and numbers that are not finite null.

    Args:
        value: None, bool, number, str, path, array, or a mapping or sequence of these.

    Raises:
        TypeError: a value of another type is in it.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return json_value(value.tolist())
    if isinstance(value, Sequence | set | frozenset):
        return [json_value(item) for item in value]
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write ``document`` as indented JSON, in its own order, ending in a newline.

    Raises:
        OSError: writing failed; what was at ``path`` is still there.
        TypeError: a value is not one that :func:`json_value` takes.
    """
    text = json.dumps(json_value(document), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write ``rows`` as CSV under a header line of ``columns``.

    Floats are written with as many digits as bring back the same number, lists and mappings as
    JSON, None and a missing key as an empty field.

    Raises:
        OSError: writing failed; what was at ``path`` is still there.
        ValueError: a row has a key that is not among the columns.
    """
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    write_text(path, stream.getvalue())


def read_json(path: Path) -> dict[str, Any]:
    """Read an object that :func:`write_json` wrote.

    Raises:
        ModelError: the file does not hold a JSON object.
        OSError: it cannot be read.
    """
    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not a JSON document: {error}") from error
    if not isinstance(document, dict):
        raise ModelError(f"expected a JSON object in {path}, got a {type(document).__name__}")
    return document


def read_numbers(path: Path, columns: Sequence[str] | None = None) -> dict[str, list[float]]:
    """Read columns of numbers from a table that :func:`write_csv` wrote; an empty cell is NaN.

    Args:
        path: the table.
        columns: which; None for all.

    Raises:
        ModelError: a column is missing, or a cell is not a number.
        OSError: the file cannot be read.
    """
    try:
        reader = csv.DictReader(_lines(path))
        rows = list(reader)
        names = reader.fieldnames or ()
        if not names or not set(columns or ()) <= set(names):
            raise KeyError(columns)
        return {name: [float(row[name] or "nan") for row in rows] for name in columns or names}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        wanted = f" with {', '.join(columns)}" if columns else ""
        raise ModelError(f"expected a table of numbers{wanted} in {path}") from error


@dataclass(frozen=True)
class SweepResults:
    """The table of a sweep, in the order of its rows: best first.

    Attributes:
        parameters: dotted key -> its value in each trial.
        validation_accuracies: of each trial, NaN where it diverged.
        intervals: of these accuracies, NaN twice where there is none.
        within_noise: whether each trial, or its setting, cannot be told from the best.
    """

    parameters: dict[str, list[Any]]
    validation_accuracies: list[float]
    intervals: list[tuple[float, float]]
    within_noise: list[bool]


def read_results(path: Path) -> SweepResults:
    """Read ``results.csv``; its parameters are the columns between ``id`` and ``status``.

    Raises:
        ModelError: it is missing, or not the table of a sweep.
        OSError: it cannot be read.
    """
    if not path.exists():
        hint = f"If the sweep was interrupted: {resume_command('sweep', path.parent)}"
        raise ModelError(f"no results at {path}", hint=hint)
    accuracies = read_numbers(path, ("validation_accuracy",))["validation_accuracy"]
    try:
        header, *rows = csv.reader(_lines(path))
        columns = range(header.index("id") + 1, header.index("status"))
        parameters = {header[i]: [_value(row[i]) for row in rows] for i in columns}
        noise = header.index("within_noise") if "within_noise" in header else None
        within_noise = [noise is not None and row[noise] == "true" for row in rows]
    except (ValueError, IndexError, csv.Error) as error:
        raise ModelError(f"expected the results of a sweep in {path}: {error}") from error
    ends = ("validation_accuracy_low", "validation_accuracy_high")
    if set(ends) <= set(header):
        bounds = read_numbers(path, ends)
        intervals = list(zip(*bounds.values(), strict=True))
    else:  # of an earlier version
        intervals = [(math.nan, math.nan)] * len(rows)
    return SweepResults(parameters, accuracies, intervals, within_noise)


def _lines(path: Path) -> io.StringIO:
    """The lines of a table, with the newlines that may be inside a cell."""
    return io.StringIO(read_text(path), newline="")


def _value(cell: str) -> Any:
    """What stood in the settings: a number, a truth value, a mapping, or else a word."""
    try:
        return json.loads(cell) if cell else None
    except ValueError:
        return cell


def _cell(value: object) -> str:
    value = value.tolist() if hasattr(value, "tolist") else value
    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)


def append_jsonl(path: Path, document: Mapping[str, object]) -> None:
    """Append ``document`` to ``path`` as one line of JSON, and make it durable.

    A line that a killed process left without its newline is cut off first. If appending fails, the
    whole lines that were there are still there, and nothing else.

    Raises:
        OSError: writing failed; ``filename`` is ``path``.
        TypeError: a value is not one that :func:`json_value` takes.
    """
    line = _json_line(document)
    is_new = not path.exists()
    with errors_naming(path), path.open("ab+", buffering=0) as stream:
        end = _end_of_whole_lines(stream)
        stream.truncate(end)
        try:
            write_all(stream, line.encode())
            os.fsync(stream.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                stream.truncate(end)
            raise
    if is_new:
        sync_directory(path.parent)


def write_jsonl(path: Path, documents: Iterable[Mapping[str, object]]) -> None:
    """Write a line of JSON for each of ``documents``, in place of what was at ``path``.

    Raises:
        OSError: writing failed; what was at ``path`` is still there.
        TypeError: a value is not one that :func:`json_value` takes.
    """
    write_text(path, "".join(map(_json_line, documents)))


def _json_line(document: Mapping[str, object]) -> str:
    return json.dumps(json_value(document), ensure_ascii=False, allow_nan=False) + "\n"


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read the documents of a file that :func:`append_jsonl` wrote.

    A last line without a newline was torn by a crash and does not count.

    Returns:
        One dictionary per line, in the file's order; none if there is no file.

    Raises:
        CheckpointError: a line is not a JSON object.
        OSError: the file exists but cannot be read.
    """
    try:
        # Split before it is decoded: the last line may be torn in the middle of a character.
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [_object_of_line(path, number, line) for number, line in enumerate(lines, start=1)]


def _object_of_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        document = json.loads(decode(line))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}, line {number}: expected JSON, got {error}") from error
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise CheckpointError(f"{path}, line {number}: expected a JSON object, got a {kind}")
    return document


def _end_of_whole_lines(stream: FileIO) -> int:
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        return 0
    stream.seek(size - 1)
    if stream.read(1) == b"\n":
        return size
    stream.seek(0)
    return stream.readall().rfind(b"\n") + 1
