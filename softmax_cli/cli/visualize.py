"""``softmax visualize``: pictures of a training or a sweep."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.cli import options
from softmax_cli.cli.output import Output, stderr_console
from softmax_cli.errors import DataError, ModelError
from softmax_cli.paths import quoted

if TYPE_CHECKING:
    from softmax_cli.cli.run_pictures import Album
    from softmax_cli.runs.directory import RunDirectory
    from softmax_cli.runs.model_file import SavedModel


class Scale(StrEnum):
    """How weights become brightness."""

    GLOBAL = "global"
    CLASS = "class"


class PictureSuffix(StrEnum):
    """Kinds of picture files."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


def visualize(
    run: Annotated[
        Path,
        typer.Argument(parser=options.parse_path, help="Run directory of a training or a sweep."),
    ],
    directory: Annotated[
        Path | None, options.directory("--output", "Where to put them. [default: RUN]")
    ] = None,
    scale: Annotated[
        Scale, typer.Option(help="One scale of weights for all classes, or each its own.")
    ] = Scale.GLOBAL,
    suffix: Annotated[
        PictureSuffix, typer.Option("--picture-format", help="What files to make.")
    ] = PictureSuffix.PNG,
    dpi: Annotated[int, typer.Option(min=30, max=1200, help="Dots per inch.")] = 150,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show the templates on the terminal as well.")
    ] = False,
    data_dir: options.DataDir = None,
    form: options.Format = options.OutputFormat.TABLE,
    threads: options.Threads = None,  # noqa: ARG001 - its callback sets them
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Draw what was learned: the weights of the classes, and curves of the training.

    Weights of pixels are templates, those of oriented gradients strokes.

    Of a run that was evaluated also its confusion matrix, reliability and surest mistakes; of a
    sweep the heat map of its trials and the weights of the best. Older pictures are replaced.
    """
    from softmax_cli.cli.run_pictures import Album, draw_curves, draw_results, draw_weights
    from softmax_cli.runs.atomic import make_directory
    from softmax_cli.runs.directory import open_run_directory, resume_command

    output = Output(form, quiet=quiet, verbose=verbose)
    opened = open_run_directory(run)
    album = Album(directory or run, suffix.value, dpi)
    make_directory(album.directory)
    pictures: list[Path] = []
    trained: RunDirectory | None = opened
    if opened.kind == "sweep":
        pictures += draw_results(opened, album)
        trained = _best_of(opened, output)
    model = None if trained is None else _model_of(trained, output)
    if model is not None:
        weights = draw_weights(model, album, scale.value)
        pictures += weights
        if not weights:
            output.message("The weights are not drawn: the model's features are no pictures.")
    if trained is not None and (trained.path / "metrics.csv").is_file():
        pictures += draw_curves(trained, album)
    if trained is not None and model is not None:
        pictures += _draw_evaluation(trained, model, data_dir, album, output)
    if not pictures:
        raise ModelError(
            f"nothing to draw in {run}: neither a model nor a validation",
            hint=f"If the training was interrupted: {resume_command('train', run)}",
        )
    document = {"run_dir": run, "pictures": pictures}
    output.result(document, lambda: "\n".join(map(str, pictures)))
    if preview and model is not None:
        _show(model, scale, output)


def _best_of(sweep: "RunDirectory", output: Output) -> "RunDirectory | None":
    """The best trial's run, or None where all trials diverged."""
    from softmax_cli.runs.directory import open_run_directory

    best = sweep.path / "best"
    if not best.is_dir():
        output.warning(f"no best trial at {best}, so there are no templates to draw")
        return None
    return open_run_directory(best, kind="train")


def _model_of(run: "RunDirectory", output: Output) -> "SavedModel | None":
    """The model, or None where a training diverged or was interrupted and left only curves."""
    from softmax_cli.evaluation.predictor import load_saved_model

    if not run.model_file.exists() and (run.path / "metrics.csv").is_file():
        output.warning(f"no model at {run.model_file}, so there are only curves to draw")
        return None
    return load_saved_model(run.path)


def _draw_evaluation(
    run: "RunDirectory",
    model: "SavedModel",
    data_dir: Path | None,
    album: "Album",
    output: Output,
) -> list[Path]:
    """Pictures of the latest evaluation, if there was one and its images are still there."""
    from softmax_cli.cli.feature_progress import FeatureProgress
    from softmax_cli.cli.run_pictures import draw_assessment
    from softmax_cli.evaluation.assessment import assess_again
    from softmax_cli.evaluation.predictor import find_temperature, loss_of

    try:
        with FeatureProgress(output) as progress:
            assessment = assess_again(run.path / "evaluation.json", model, data_dir, progress)
    except DataError as error:
        output.warning(f"pictures of the evaluation are left out: {error.message}")
        if error.hint:
            output.message(error.hint)
        return []
    if assessment is None:
        output.message(f"For more pictures, first: softmax evaluate {quoted(run.path)}")
        return []
    fitted = find_temperature(run.path, model, output.warning)
    paths = draw_assessment(assessment, fitted, album)
    if len(paths) == 1:
        output.message(
            f"The model's scores are {loss_of(model).scores_are}, so there are no probabilities to "
            "draw; it gets some from: "
            f"softmax evaluate {quoted(run.path)} --calibrate"
        )
    return paths


def _show(model: "SavedModel", scale: Scale, output: Output) -> None:
    """Draw the templates on a terminal, in half blocks."""
    from rich.text import Text

    from softmax_cli.evaluation.predictor import pixel_weights
    from softmax_cli.plots.preview import preview_lines
    from softmax_cli.plots.templates import template_images

    console = stderr_console()
    if not console.is_terminal or console.color_system is None:
        output.warning("--preview needs a terminal that shows colours")
        return
    weights = pixel_weights(model)
    if weights is None:
        output.warning("--preview shows templates of pixels, and this model looks at others")
        return
    images = template_images(weights, scale.value)
    for line in preview_lines(images, model.class_names, console.width):
        console.print(Text.from_ansi(line), soft_wrap=True)
