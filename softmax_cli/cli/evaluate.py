"""``softmax evaluate``: loss, accuracy and calibration of a trained model."""

import errno
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from softmax_cli.cli import options
from softmax_cli.cli.output import (
    Output,
    number_with_interval,
    percent,
    percent_with_interval,
)
from softmax_cli.cli.tables import Column, FactsTable, ResultTable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from softmax_cli.evaluation.assessment import Assessment, Calibration
    from softmax_cli.evaluation.intervals import Interval
    from softmax_cli.evaluation.metrics import Evaluation

_CLASS_COLUMNS = (
    Column("class", is_text=True),
    Column("images", is_optional=True),
    Column("recall"),
    Column("precision"),
    Column("F1", is_optional=True),
    Column("most often taken for", name="taken for", is_text=True, is_optional=True),
)
_CALIBRATION_COLUMNS = (
    Column("probabilities", is_text=True),
    Column("temperature"),
    Column("log loss"),
    Column("calibration error"),
)
_MOST_ROWS = 25
"""Above this many classes only those of lowest and of highest recall are shown."""
_LOWEST, _HIGHEST = 12, 5
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class Split(StrEnum):
    """Images to evaluate on."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    run: options.Run,
    split: Annotated[Split, typer.Option(help="Images to evaluate on.")] = Split.TEST,
    temperature: options.Temperature = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Fit a temperature to the validation images.")
    ] = False,
    data_dir: options.DataDir = None,
    form: options.Format = options.OutputFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Measure loss, accuracy and calibration of a trained model, overall and for each class.

    The result is kept in the run directory as evaluation.json, where `visualize` finds it, and a
    fitted temperature as calibration.json, for `predict --calibrated`; that of a model file is kept
    beside it. No temperature changes a prediction. A hinge model has probabilities only at a
    temperature that is given or fitted.
    """
    from softmax_cli.cli.feature_progress import FeatureProgress
    from softmax_cli.evaluation import assessment as assessing
    from softmax_cli.evaluation.predictor import load_saved_model

    if calibrate and temperature is not None:
        raise typer.BadParameter("--calibrate fits a temperature: leave out --temperature")
    output = Output(form, quiet=quiet, verbose=verbose)
    model = load_saved_model(run)
    output.detail(
        f"The model's weights are those after iteration {model.results.get('iteration')}."
    )
    with FeatureProgress(output) as progress:
        assessment = assessing.assess(
            model, split.value, data_dir, temperature=temperature, observer=progress
        )
        calibration = (
            assessing.calibrate(model, assessment, data_dir, progress) if calibrate else None
        )
    document = {
        **assessment.to_json(),
        "calibration": calibration.to_json() if calibration else None,
    }
    output.result({"run_dir": run, **document}, lambda: _table(assessment, calibration))
    if run.is_dir():
        _store(run / "evaluation.json", assessing.bound_to(model, document), output)
    if calibration:
        _keep(run, assessing.bound_to(model, calibration.to_json()), output)


def _keep(run: Path, calibration: dict[str, Any], output: Output) -> None:
    """Keep a calibration, and say how to predict with it."""
    from softmax_cli.evaluation.predictor import calibration_file
    from softmax_cli.paths import quoted

    path, model = calibration_file(run), quoted(run)
    if _store(path, calibration, output):
        output.message(
            f"The fitted temperature is kept in {path}. "
            f"Predict with it: softmax predict {model} IMAGE... --calibrated"
        )
    else:
        temperature = calibration["temperature"]
        output.message(
            f"Predict with it: softmax predict {model} IMAGE... --temperature {temperature!r}"
        )


def _store(path: Path, document: dict[str, Any], output: Output) -> bool:
    """Write a document, or say that this may not be done; tell whether it was."""
    from softmax_cli.runs.tables import write_json

    try:
        write_json(path, document)
    except OSError as error:
        if error.errno not in _NOT_ALLOWED:
            raise
        output.message(f"Not kept: {path} may not be written ({error.strerror}).")
        return False
    return True


def _table(assessment: "Assessment", calibration: "Calibration | None") -> "RenderableType":
    from rich.console import Group

    evaluation = assessment.evaluation
    facts = {
        assessment.images.noun: f"{evaluation.examples:,} ({assessment.split})",
        "accuracy": percent_with_interval(evaluation.accuracy, evaluation.accuracy_interval),
        "top-5 accuracy": percent_with_interval(
            evaluation.top5_accuracy, evaluation.top5_accuracy_interval
        ),
        "loss": number_with_interval(evaluation.loss, evaluation.loss_interval),
    }
    measured, intervals = assessment.reliability, assessment.reliability_intervals
    if measured is None or intervals is None:
        facts["calibration"] = "no probabilities without a temperature; --calibrate fits one"
    else:
        error = percent_with_interval(
            measured.expected_calibration_error, intervals.expected_calibration_error
        )
        facts["calibration error"] = f"{error} at temperature {assessment.temperature:g}"
    facts["in brackets"] = "95 % intervals"
    if len(evaluation.per_class) > _MOST_ROWS:
        facts["classes"] = (
            f"{len(evaluation.per_class)}: the {_LOWEST} of lowest and {_HIGHEST} of highest "
            "recall are below, all with --format json"
        )
    parts: list[RenderableType] = [
        FactsTable(facts),
        "",
        _class_table(evaluation, assessment.images.noun),
    ]
    if calibration is not None:
        parts += ["", _calibration_table(calibration, assessment.images.noun)]
    return Group(*parts)


def _calibration_table(calibration: "Calibration", noun: str) -> ResultTable:
    measured = [
        ("as trained", calibration.before),
        (f"fitted to {calibration.examples:,} validation {noun}", calibration.after),
    ]
    rows = [
        [
            name,
            f"{result.temperature:.4f}",
            f"{result.loss:.4f}",
            percent(result.expected_calibration_error),
        ]
        for name, result in measured
        if result is not None
    ]
    return ResultTable(_CALIBRATION_COLUMNS, rows)


def _class_table(evaluation: "Evaluation", noun: str) -> ResultTable:
    columns = [
        column._replace(heading=noun) if column.heading == "images" else column
        for column in _CLASS_COLUMNS
    ]
    classes = list(range(len(evaluation.per_class)))
    if len(classes) <= _MOST_ROWS:
        return ResultTable(columns, [_class_row(evaluation, index) for index in classes])
    classes.sort(key=lambda index: evaluation.per_class[index].recall)
    lowest, highest = classes[:_LOWEST], classes[-_HIGHEST:]
    left_out = f"({len(classes) - _LOWEST - _HIGHEST} others)"
    rows = [
        *(_class_row(evaluation, index) for index in lowest),
        [left_out, *[""] * (len(columns) - 1)],
        *(_class_row(evaluation, index) for index in highest),
    ]
    return ResultTable(columns, rows)


def _class_row(evaluation: "Evaluation", index: int) -> list[str]:
    metrics = evaluation.per_class[index]
    return [
        metrics.name,
        str(metrics.support),
        _short_percent(metrics.recall, metrics.recall_interval),
        _short_percent(metrics.precision, metrics.precision_interval),
        f"{metrics.f1:.3f}",
        _rival(evaluation, index),
    ]


def _short_percent(fraction: float, interval: "Interval") -> str:
    """A percentage with its interval, as short as a table of many columns wants it."""
    low, high = interval
    return f"{100 * fraction:.1f} % ({100 * low:.0f}-{100 * high:.0f})"


def _rival(evaluation: "Evaluation", index: int) -> str:
    """The class that images of a class are most often taken for, and how often."""
    from softmax_cli.evaluation.metrics import most_common_mistake

    found = most_common_mistake(evaluation.confusion_matrix, index)
    return f"{evaluation.per_class[found[0]].name} ({found[1]})" if found else "-"
