"""``softmax evaluate``: loss and accuracy of a trained model."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.cli.options import DataDir, Format, OutputFormat, Quiet, Verbose
from softmax_cli.cli.output import Output, facts_table, percent

if TYPE_CHECKING:
    from rich.console import RenderableType

    from softmax_cli.evaluation.metrics import Evaluation


class Split(StrEnum):
    """Images to evaluate on."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    run: Annotated[Path, typer.Argument(help="Run directory, or a model file.")],
    split: Annotated[Split, typer.Option(help="Images to evaluate on.")] = Split.TEST,
    data_dir: DataDir = None,
    form: Format = OutputFormat.TABLE,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure loss and accuracy of a trained model, overall and for each class."""
    from softmax_cli.training.saved import evaluate_saved_model, images_for, load_saved_model

    output = Output(form, quiet=quiet, verbose=verbose)
    model = load_saved_model(run)
    output.detail(f"The model's weights are those after iteration {model.results['iteration']}.")
    evaluation = evaluate_saved_model(model, images_for(model, split.value, data_dir))
    document = {"run_dir": run, "split": split.value, **evaluation.to_json()}
    output.result(document, lambda: _table(evaluation, split))


def _table(evaluation: "Evaluation", split: Split) -> "RenderableType":
    from rich.console import Group

    facts = facts_table(
        {
            "images": f"{evaluation.examples:,} ({split.value})",
            "accuracy": percent(evaluation.accuracy),
            "top-5 accuracy": percent(evaluation.top5_accuracy),
            "loss": f"{evaluation.loss:.4f}",
        }
    )
    return Group(facts, "", _class_table(evaluation))


def _class_table(evaluation: "Evaluation") -> "RenderableType":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("class", no_wrap=True)
    for heading in ("images", "recall", "precision", "F1", "most often taken for"):
        table.add_column(heading, justify="left" if "taken" in heading else "right")
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
