"""What a group has measured, on what, and its file: ``GROUP.json`` in a folder of results."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from benchmarks.accuracy import Curves
from benchmarks.growth import Point
from benchmarks.step import StepTimes
from benchmarks.timing import Comparison, Figure
from softmax_cli.errors import DataError
from softmax_cli.runs.atomic import make_directory
from softmax_cli.runs.tables import write_json

FORMAT = 1
"""Of the files. A file of another format is measured anew."""


@dataclass(frozen=True)
class Findings:
    """What was measured.

    Attributes:
        comparisons: in the order of measuring.
        curves: by the name of a comparison, what each contender for an accuracy did with each
            budget.
        points: how time and memory grow.
        figures: that are no ratios of times.
        steps: a training step beside its products.
    """

    comparisons: tuple[Comparison, ...] = ()
    curves: dict[str, Curves] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    figures: tuple[Figure, ...] = ()
    steps: tuple[StepTimes, ...] = ()


@dataclass(frozen=True)
class Results:
    """What a group has measured, and on what.

    Attributes:
        group: its name.
        date: of its start.
        machine: what ``machine.machine`` says.
        settings: sizes and options of the run.
        findings: the figures.
        format: of the file.
    """

    group: str
    date: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    findings: Findings
    format: int = FORMAT

    @property
    def complaints(self) -> list[str]:
        """Contenders whose time does not count, and why."""
        return [
            f"{comparison.name}: {measurement.name} {measurement.complaint}"
            for comparison in self.findings.comparisons
            for measurement in comparison.measurements
            if measurement.complaint
        ]

    def to_json(self) -> dict[str, Any]:
        """All figures, the raw times and the ratios included."""
        document = asdict(self)
        written = document["findings"]["comparisons"]
        for comparison, values in zip(self.findings.comparisons, written, strict=True):
            values["ratios"] = [
                {**asdict(goal), "ratio": asdict(ratio) if ratio else None}
                for goal, ratio in comparison.ratios()
            ]
        return document


def save(results: Results, folder: Path) -> None:
    """Write ``GROUP.json``.

    Raises:
        OSError: it could not be written.
    """
    make_directory(folder)
    write_json(_file(folder, results.group), results.to_json())


def load(folder: Path, groups: Sequence[str]) -> list[Results]:
    """The results of those groups that have a file in a folder.

    Raises:
        DataError: a file is damaged, or of another format.
    """
    return [_read(_file(folder, group)) for group in groups if _file(folder, group).is_file()]


def _file(folder: Path, group: str) -> Path:
    return folder / f"{group}.json"


def _read(path: Path) -> Results:
    hint = "Remove it, or measure this group again."
    try:
        document = json.loads(path.read_text("utf-8"))
        found = document.get("format")
        if found != FORMAT:
            raise DataError(f"{path}: expected results of format {FORMAT}, got {found}", hint=hint)
        return TypeAdapter(Results).validate_python(document)
    except (ValueError, AttributeError, ValidationError) as error:
        raise DataError(
            f"{path}: expected results of benchmarks, got {error}", hint=hint
        ) from error
