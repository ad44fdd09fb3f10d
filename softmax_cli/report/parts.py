"""What a report is made of, as texts and pictures that a page only has to arrange."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from softmax_cli.evaluation.intervals import Interval
from softmax_cli.runs.model_file import SavedModel


@dataclass(frozen=True)
class Fact:
    """A figure or another fact.

    Attributes:
        name: what it is.
        text: its value.
        interval: its 95 % interval; empty for none.
    """

    name: str
    text: str
    interval: str = ""


@dataclass(frozen=True)
class Note:
    """Something that a reader has to know.

    Attributes:
        text: as a sentence.
        command: what to do about it in a shell; empty for nothing.
    """

    text: str
    command: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        name: of :data:`~softmax_cli.runs.pictures.PICTURES`.
        uri: its content.
        text: what it shows, for a reader who does not see it.
    """

    name: str
    uri: str
    text: str


@dataclass(frozen=True)
class Thumbnail:
    """A small image with a caption of one or more lines."""

    uri: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it shows.
        value: what it is sorted by; None for the text itself.
        interval: its 95 % interval; empty for none.
    """

    text: str
    value: float | None = None
    interval: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under headings.

    Attributes:
        caption: what the table shows.
        headings: of the columns.
        rows: a cell for each column; the first one names the row.
        is_number: whether each column holds figures.
        marked: indices of rows that stand out.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    is_number: Sequence[bool]
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Reproduction:
    """What was run, and how to run it again.

    Attributes:
        commands: a line each.
        file: name of the file with the settings, which the commands name.
        settings: content of that file.
        uri: the same, for saving it.
        environment: what it was trained with; empty if not known.
        digests: SHA-256 of data and of the model, by what it is of.
    """

    commands: Sequence[str]
    file: str
    settings: str
    uri: str
    environment: Mapping[str, object]
    digests: Mapping[str, str]


@dataclass(frozen=True)
class EvaluationPart:
    """What `softmax evaluate` found.

    Attributes:
        split: which images.
        noun: what they are called: images, or examples where they are no pictures.
        facts: the figures.
        classes: those of each class.
        pictures: of the evaluation.
        mistakes: the surest ones.
    """

    split: str
    noun: str
    facts: Sequence[Fact]
    classes: Table
    pictures: Sequence[Picture]
    mistakes: Sequence[Thumbnail]


@dataclass(frozen=True)
class RunPart:
    """A training, a sweep or a model file.

    Attributes:
        path: as the user wrote it.
        kind: ``training``, ``sweep`` or ``model``.
        status: how it ended.
        facts: the figures of the training or the sweep.
        notes: what is missing, and how to get it.
        trials: the table of a sweep.
        pictures: of the training or the sweep.
        templates: of the classes.
        weights: pictures of them, where the classes have no templates.
        evaluation: None if there is none.
        reproduction: how to run it again.
        best: the best run of a sweep.
    """

    path: str
    kind: str
    status: str
    facts: Sequence[Fact] = ()
    notes: Sequence[Note] = ()
    trials: Table | None = None
    pictures: Sequence[Picture] = ()
    templates: Sequence[Thumbnail] = ()
    weights: Sequence[Picture] = ()
    evaluation: EvaluationPart | None = None
    reproduction: Reproduction | None = None
    best: "RunPart | None" = field(default=None)

    def all_notes(self) -> list[Note]:
        """What is missing of this run and of the best run of a sweep, each under its path."""
        own = [Note(f"{self.path}: {note.text}", note.command) for note in self.notes]
        return [*own, *(self.best.all_notes() if self.best else ())]

    def to_json(self) -> dict[str, Any]:
        """What the report has of this run, under stable names."""
        evaluation = self.evaluation
        drawn = [*self.pictures, *self.weights, *(evaluation.pictures if evaluation else ())]
        return {
            "run_dir": self.path,
            "kind": self.kind,
            "status": self.status,
            "evaluated_on": evaluation.split if evaluation else None,
            "pictures": [picture.name for picture in drawn],
            "templates": len(self.templates),
            "mistakes": len(evaluation.mistakes) if evaluation else 0,
            "trials": len(self.trials.rows) if self.trials else None,
            "notes": [note.text for note in self.notes],
            "best": self.best.to_json() if self.best else None,
        }


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read of a run.

    Attributes:
        part: of the report.
        model: of the run, or of the best run of a sweep; None if there is none.
        evaluation: the document of that model's evaluation; None if there is none.
    """

    part: RunPart
    model: SavedModel | None
    evaluation: Mapping[str, Any] | None


@dataclass(frozen=True)
class ComparisonPart:
    """Several models on the same images.

    Attributes:
        split: which images.
        pictures: of the comparison.
        tables: of the models, the settings that differ, the differences and the classes.
    """

    split: str
    pictures: Sequence[Picture]
    tables: Sequence[Table]

    def to_json(self) -> dict[str, Any]:
        """What the report has of it, under stable names."""
        return {"split": self.split, "pictures": [picture.name for picture in self.pictures]}


def percent(share: float) -> str:
    """A share as a percentage with two decimals."""
    return f"{100 * share:.2f} %"


def percent_fact(name: str, share: float, interval: Interval | None = None) -> Fact:
    """A share, and its interval if there is one."""
    return Fact(name, percent(share), _percent_interval(interval))


def number_fact(name: str, number: float, interval: Interval | None = None) -> Fact:
    """A loss, and its interval if there is one."""
    return Fact(name, f"{number:.4f}", _number_interval(interval))


def _number_interval(interval: Interval | None) -> str:
    return f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else ""


def _percent_interval(interval: Interval | None) -> str:
    """The interval of a share; empty for None."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %" if interval else ""


def percent_cell(share: float, interval: Interval | None = None) -> Cell:
    """A share in a table."""
    return Cell(percent(share), share, _percent_interval(interval))


def number_cell(number: float, interval: Interval | None = None) -> Cell:
    """A loss in a table."""
    return Cell(f"{number:.4f}", number, _number_interval(interval))


def value_cell(value: object) -> Cell:
    """A setting in a table."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Cell(f"{value:.10g}", float(value))
    return Cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
