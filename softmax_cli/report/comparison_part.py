"""The part of a report about several runs: their models on the same images."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from softmax_cli.errors import ConfigurationError, DataError
from softmax_cli.evaluation.assessment import Assessment, Split
from softmax_cli.evaluation.comparison import (
    Comparison,
    ModelDifference,
    compare_models,
    distinct_names,
)
from softmax_cli.evaluation.intervals import Interval
from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.report.drawings import draw_comparison
from softmax_cli.report.inline import figure_uri
from softmax_cli.report.parts import (
    Cell,
    ComparisonPart,
    Note,
    Picture,
    Reading,
    Table,
    number_cell,
    percent_cell,
    value_cell,
)

_CLASSES_SHOWN = 3
_DEFAULT_SPLIT: Split = "test"


def comparison_part(
    readings: Sequence[Reading],
    data_dir: Path | None,
    observer: ExtractionObserver | None = None,
) -> tuple[ComparisonPart | None, list[Note]]:
    """The models of several runs on the same images: those of their evaluations.

    Args:
        readings: of the runs. One without a model is left out.
        data_dir: where the data set is; None looks where each training found it.
        observer: is told of features that take long to compute.

    Returns:
        The part, or None where there are no two models to compare or they cannot be compared; and
        what is missing.

    Raises:
        ModelError: the settings of a model are not valid.
    """
    compared = [reading for reading in readings if reading.model is not None]
    if len(compared) < 2:
        return None, [Note("There are no two models to compare.")] if len(readings) > 1 else []
    left_out = [reading.part.path for reading in readings if reading.model is None]
    notes: list[Note] = []
    if left_out:
        notes.append(Note(f"Not compared, as there is no model: {', '.join(left_out)}."))
    models = [reading.model for reading in compared if reading.model is not None]
    names = distinct_names([Path(reading.part.path) for reading in compared])
    try:
        comparison = compare_models(models, names, _split(compared), data_dir, observer)
    except (ConfigurationError, DataError) as error:
        return None, [*notes, Note(f"The runs are not compared: {error.message}.")]
    return _part(comparison), notes


def _split(readings: Sequence[Reading]) -> Split:
    """The images that all were evaluated on; the test images if there are no such."""
    found = {reading.evaluation["split"] if reading.evaluation else None for reading in readings}
    splits: tuple[Split, ...] = get_args(Split)
    return next((split for split in splits if found == {split}), _DEFAULT_SPLIT)


def _part(comparison: Comparison) -> ComparisonPart:
    first = comparison.assessments[0]
    text = f"Accuracies and their differences to {comparison.names[0]}. The tables have them, too."
    return ComparisonPart(
        split=first.split,
        pictures=[Picture("comparison", figure_uri(draw_comparison(comparison)), text)],
        tables=[
            _models(comparison),
            *([_settings(comparison)] if comparison.settings else []),
            _differences(comparison),
            _classes(comparison),
        ],
    )


def _models(comparison: Comparison) -> Table:
    rows = [
        [Cell(name), *_figures(assessment)]
        for name, assessment in zip(comparison.names, comparison.assessments, strict=True)
    ]
    first = comparison.assessments[0]
    return Table(
        f"Figures on {first.evaluation.examples:,} {first.split} {first.images.noun}, "
        "with 95 % intervals",
        ("run", "accuracy", "log loss", "calibration error"),
        rows,
        is_number=(False, True, True, True),
    )


def _figures(assessment: Assessment) -> list[Cell]:
    evaluation, measured = assessment.evaluation, assessment.reliability
    intervals = assessment.reliability_intervals
    accuracy = percent_cell(evaluation.accuracy, evaluation.accuracy_interval)
    if measured is None or intervals is None:
        return [accuracy, Cell("-"), Cell("-")]
    return [
        accuracy,
        number_cell(measured.loss, intervals.loss),
        percent_cell(measured.expected_calibration_error, intervals.expected_calibration_error),
    ]


def _settings(comparison: Comparison) -> Table:
    rows = [[Cell(key), *map(value_cell, values)] for key, values in comparison.settings.items()]
    return Table(
        "Settings that differ",
        ("setting", *comparison.names),
        rows,
        is_number=[False] * (1 + len(comparison.names)),
    )


def _differences(comparison: Comparison) -> Table:
    many, noun = len(comparison.differences) > 1, comparison.assessments[0].images.noun
    p_name = "p, corrected by Holm" if many else "p"
    rows = [
        [Cell(name), *_difference(found)]
        for name, found in zip(comparison.names[1:], comparison.differences, strict=True)
    ]
    return Table(
        f"Differences to {comparison.names[0]} on the same {noun}: points of accuracy with the p "
        "value of McNemar's exact test, losses with that of a paired bootstrap",
        ("run", "accuracy", p_name, "loss", p_name),
        rows,
        is_number=(False, True, True, True, True),
    )


def _difference(found: ModelDifference) -> list[Cell]:
    accuracy, loss = found.accuracy, found.loss
    row = [_points(accuracy.difference, accuracy.interval), _p_value(found.accuracy_p_holm)]
    if loss is None:
        return [*row, Cell("-"), Cell("-")]
    low, high = loss.interval
    shown = Cell(f"{loss.difference:+.4f}", loss.difference, f"{low:+.4f} to {high:+.4f}")
    return [*row, shown, _p_value(found.loss_p_holm)]


def _classes(comparison: Comparison) -> Table:
    rows = [
        [
            Cell(name),
            Cell(found.name),
            _points(found.recall.difference, found.recall.interval),
            _p_value(found.recall.p_value),
        ]
        for name, difference in zip(comparison.names[1:], comparison.differences, strict=True)
        for found in difference.classes[:_CLASSES_SHOWN]
    ]
    return Table(
        f"Classes whose recall differs most from that of {comparison.names[0]}, in points",
        ("run", "class", "recall", "p"),
        rows,
        is_number=(False, False, True, True),
    )


def _points(difference: float, interval: Interval) -> Cell:
    """A difference of two shares in percentage points."""
    low, high = interval
    between = f"{100 * low:+.1f} to {100 * high:+.1f}"
    return Cell(f"{100 * difference:+.2f}", difference, between)


def _p_value(p: float | None) -> Cell:
    if p is None:
        return Cell("-")
    return Cell("< 0.001" if p < 0.001 else f"{p:.3f}", p)
