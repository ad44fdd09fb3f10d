"""``softmax compare``: several trained models on the same images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.cli import options
from softmax_cli.cli.evaluate import Split
from softmax_cli.cli.output import Output
from softmax_cli.cli.sweep_table import value_text
from softmax_cli.cli.tables import Column, FactsTable, ResultTable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from softmax_cli.evaluation.comparison import Comparison, ModelDifference
    from softmax_cli.evaluation.intervals import Interval
    from softmax_cli.runs.model_file import SavedModel

_CLASSES_SHOWN = 3
_RUN_COLUMNS = (
    Column("run", is_text=True),
    Column("accuracy"),
    Column("log loss", is_optional=True),
    Column("calibration error", is_optional=True),
)


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            parser=options.parse_path,
            metavar="RUN RUN...",
            help="Run directories of trainings or sweeps, or model files; the first is what the "
            "others are compared with.",
        ),
    ],
    split: Annotated[Split, typer.Option(help="Images to compare on.")] = Split.TEST,
    directory: Annotated[
        Path | None,
        options.directory("--output", "Where to put comparison.png. [default: the first RUN]"),
    ] = None,
    data_dir: options.DataDir = None,
    form: options.Format = options.OutputFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Compare trained models on the same images: what differs, and whether by more than chance.

    Of a sweep its best run is taken. Differences are those to the first RUN, on the same images: of
    accuracies with Tango's interval and McNemar's exact p value, of losses by a paired bootstrap.
    With more than two runs p values are corrected by Holm's method. comparison.png shows them.
    """
    from softmax_cli.cli.feature_progress import FeatureProgress
    from softmax_cli.evaluation.comparison import compare_models, distinct_names

    if len(runs) < 2:
        raise typer.BadParameter("expected at least two runs to compare, got one")
    output = Output(form, quiet=quiet, verbose=verbose)
    models = [_model(run) for run in runs]
    with FeatureProgress(output) as progress:
        comparison = compare_models(models, distinct_names(runs), split.value, data_dir, progress)
    output.result(comparison.to_json(), lambda: _tables(comparison))
    folder = directory or (runs[0] if runs[0].is_dir() else runs[0].parent)
    _draw(comparison, folder, output)


def _model(run: Path) -> "SavedModel":
    """The model of a training, of the best run of a sweep, or of a model file."""
    from softmax_cli.evaluation.predictor import load_saved_model
    from softmax_cli.runs.directory import open_run_directory

    is_sweep = run.is_dir() and open_run_directory(run).kind == "sweep"
    return load_saved_model(run / "best" if is_sweep else run)


def _draw(comparison: "Comparison", folder: Path, output: Output) -> None:
    from softmax_cli.cli.output import describe
    from softmax_cli.cli.run_pictures import Album, draw_comparison
    from softmax_cli.runs.atomic import make_directory

    try:
        make_directory(folder)
        path = draw_comparison(comparison, Album(folder))
    except OSError as error:
        output.warning(f"comparison.png was not drawn: {describe(error)}")
    else:
        output.message(f"Drawn as {path}")


def _tables(comparison: "Comparison") -> "RenderableType":
    from rich.console import Group

    first, many = comparison.assessments[0], len(comparison.differences) > 1
    parts: list[RenderableType] = [
        FactsTable(
            {
                first.images.noun: f"{first.evaluation.examples:,} ({first.split})",
                "in brackets": "95 % intervals",
            }
        ),
        "",
        _run_table(comparison),
        "",
    ]
    if comparison.settings:
        parts += [_settings_table(comparison), ""]
    parts += [_difference_table(comparison, corrected=many), "", _class_table(comparison)]
    return Group(*parts)


def _run_table(comparison: "Comparison") -> ResultTable:
    rows = []
    for name, assessment in zip(comparison.names, comparison.assessments, strict=True):
        evaluation, measured = assessment.evaluation, assessment.reliability
        intervals = assessment.reliability_intervals
        row = [name, _percent(evaluation.accuracy, evaluation.accuracy_interval, digits=2)]
        if measured is None or intervals is None:
            row += ["-", "-"]
        else:
            low, high = intervals.loss
            row += [
                f"{measured.loss:.4f} ({low:.3f}-{high:.3f})",
                _percent(
                    measured.expected_calibration_error,
                    intervals.expected_calibration_error,
                    digits=1,
                ),
            ]
        rows.append(row)
    return ResultTable(_RUN_COLUMNS, rows)


def _settings_table(comparison: "Comparison") -> ResultTable:
    columns = [Column("setting", is_text=True)]
    columns += [Column(name, is_text=True) for name in comparison.names]
    rows = [[key, *map(value_text, values)] for key, values in comparison.settings.items()]
    return ResultTable(columns, rows)


def _difference_table(comparison: "Comparison", *, corrected: bool) -> ResultTable:
    p_name = "p (Holm)" if corrected else "p"
    columns = (
        Column(f"minus {comparison.names[0]}", is_text=True),
        Column("accuracy"),
        Column(p_name, name=f"{p_name} of accuracy"),
        Column("loss", is_optional=True),
        Column(p_name, name=f"{p_name} of loss", is_optional=True),
    )
    rows = [
        [name, *_difference_row(found)]
        for name, found in zip(comparison.names[1:], comparison.differences, strict=True)
    ]
    return ResultTable(columns, rows)


def _difference_row(found: "ModelDifference") -> list[str]:
    accuracy, loss = found.accuracy, found.loss
    row = [_points(accuracy.difference, accuracy.interval), _p_value(found.accuracy_p_holm)]
    if loss is None:
        return [*row, "-", "-"]
    low, high = loss.interval
    shown = f"{loss.difference:+.4f} ({low:+.4f} to {high:+.4f})"
    return [*row, shown, _p_value(found.loss_p_holm)]


def _class_table(comparison: "Comparison") -> ResultTable:
    columns = (
        Column(f"minus {comparison.names[0]}", is_text=True),
        Column("class that differs", is_text=True),
        Column("recall"),
        Column("p"),
    )
    rows = [
        [
            name if place == 0 else "",
            found.name,
            _points(found.recall.difference, found.recall.interval),
            _p_value(found.recall.p_value),
        ]
        for name, difference in zip(comparison.names[1:], comparison.differences, strict=True)
        for place, found in enumerate(difference.classes[:_CLASSES_SHOWN])
    ]
    return ResultTable(columns, rows)


def _percent(fraction: float, interval: "Interval", *, digits: int) -> str:
    """A percentage with its interval, as short as a table of several wants it."""
    low, high = interval
    return f"{100 * fraction:.{digits}f} % ({100 * low:.1f}-{100 * high:.1f})"


def _points(difference: float, interval: "Interval") -> str:
    """A difference of two shares in percentage points, with its interval."""
    low, high = interval
    return f"{100 * difference:+.2f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _p_value(p: float | None) -> str:
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
