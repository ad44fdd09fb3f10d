"""``softmax evaluate``: loss, accuracy and calibration of a trained model."""

import errno
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from softmax_cli.cli.options import DataDir, Format, OutputFormat, Quiet, Run, Temperature, Verbose
from softmax_cli.cli.output import Output, facts_table, percent

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from softmax_cli.evaluation.calibration import Reliability
    from softmax_cli.evaluation.metrics import Evaluation
    from softmax_cli.training.assessment import Assessment, Calibration

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class Split(StrEnum):
    """Images to evaluate on."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    run: Run,
    split: Annotated[Split, typer.Option(help="Images to evaluate on.")] = Split.TEST,
    temperature: Temperature = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Fit a temperature to the validation images.")
    ] = False,
    data_dir: DataDir = None,
    form: Format = OutputFormat.TABLE,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure loss, accuracy and calibration of a trained model, overall and for each class.

    The result is kept in the run directory as evaluation.json, where `visualize` finds it, and a
    fitted temperature as calibration.json, for `predict --calibrated`; that of a model file is kept
    beside it. No temperature changes a prediction. A hinge model has probabilities only at a
    temperature that is given or fitted.
    """
    from softmax_cli.training import assessment as assessing
    from softmax_cli.training.saved import load_saved_model

    if calibrate and temperature is not None:
        raise typer.BadParameter("--calibrate fits a temperature: leave out --temperature")
    output = Output(form, quiet=quiet, verbose=verbose)
    model = load_saved_model(run)
    output.detail(
        f"The model's weights are those after iteration {model.results.get('iteration')}."
    )
    assessment = assessing.assess(model, split.value, data_dir, temperature=temperature)
    calibration = assessing.calibrate(model, assessment, data_dir) if calibrate else None
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
    from softmax_cli.paths import quoted
    from softmax_cli.training.saved import calibration_file

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
        "images": f"{evaluation.examples:,} ({assessment.split})",
        "accuracy": percent(evaluation.accuracy),
        "top-5 accuracy": percent(evaluation.top5_accuracy),
        "loss": f"{evaluation.loss:.4f}",
    }
    if assessment.reliability is None:
        facts["calibration"] = "a hinge model has no probabilities; --calibrate gives it some"
    else:
        facts["calibration error"] = (
            f"{percent(assessment.reliability.expected_calibration_error)} "
            f"at temperature {assessment.temperature:g}"
        )
    parts: list[RenderableType] = [facts_table(facts), "", _class_table(evaluation)]
    return Group(*parts, *([] if calibration is None else [_calibration_table(calibration)]))


def _calibration_table(calibration: "Calibration") -> "Table":
    table = _plain_table("probabilities", "temperature", "log loss", "calibration error")
    rows: list[tuple[str, Reliability | None]] = [
        ("as trained", calibration.before),
        (f"fitted to {calibration.examples:,} validation images", calibration.after),
    ]
    for name, measured in rows:
        if measured is not None:
            table.add_row(
                name,
                f"{measured.temperature:.4f}",
                f"{measured.loss:.4f}",
                percent(measured.expected_calibration_error),
            )
    return table


def _class_table(evaluation: "Evaluation") -> "Table":
    table = _plain_table("class", "images", "recall", "precision", "F1")
    table.add_column("most often taken for")
    names = [metrics.name for metrics in evaluation.per_class]
    for index, metrics in enumerate(evaluation.per_class):
        mistakes = evaluation.confusion_matrix[index].copy()
        mistakes[index] = 0
        rival = int(mistakes.argmax())
        table.add_row(
            metrics.name,
            str(metrics.support),
            percent(metrics.recall),
            percent(metrics.precision),
            f"{metrics.f1:.3f}",
            f"{names[rival]} ({mistakes[rival]})" if mistakes[rival] else "-",
        )
    return table


def _plain_table(first: str, *numbers: str) -> "Table":
    """A table without borders: one column of names, then numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table
