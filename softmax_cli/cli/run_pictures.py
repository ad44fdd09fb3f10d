"""Drawing pictures into run directories."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from softmax_cli.cli.output import Output, describe
from softmax_cli.paths import quoted

if TYPE_CHECKING:
    from softmax_cli.evaluation.assessment import Assessment
    from softmax_cli.evaluation.comparison import Comparison
    from softmax_cli.evaluation.intervals import Interval
    from softmax_cli.plots import Figure
    from softmax_cli.plots.templates import TemplateScale
    from softmax_cli.runs.directory import RunDirectory
    from softmax_cli.runs.model_file import SavedModel
    from softmax_cli.runs.pictures import PictureFormat

_MISTAKES = 15


@dataclass(frozen=True)
class Album:
    """Where pictures are put, and as what kind of file.

    Attributes:
        directory: a directory that exists.
        suffix: ``png``, ``svg`` or ``pdf``.
        dpi: dots per inch.
    """

    directory: Path
    suffix: "PictureFormat" = "png"
    dpi: int = 150

    def add(self, name: str, figure: "Figure") -> Path:
        """Write a picture, in place of an older one of its name; return its path."""
        from softmax_cli.plots.style import render
        from softmax_cli.runs.pictures import write_picture

        content = render(figure, self.suffix, self.dpi)
        return write_picture(self.directory, name, self.suffix, content)


@contextmanager
def extra_picture(name: str, run: Path, output: Output) -> Iterator[None]:
    """Draw within this context what a run has beside its result: where that fails, only warn.

    Args:
        name: of the picture, for the warning.
        run: directory of the run.
        output: where to warn.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the result stands, whatever a drawing raises
        output.warning(
            f"{name} was not drawn: {describe(error)}\n"
            f"Everything else is complete. To draw it later: softmax visualize {quoted(run)}"
        )


def draw_curves(run: "RunDirectory", album: Album | None = None) -> list[Path]:
    """Draw ``metrics.csv`` as ``curves``, where a validation was made at all."""
    from softmax_cli.plots.curves import CURVE_COLUMNS, curves_figure
    from softmax_cli.runs.tables import read_numbers

    columns = read_numbers(run.path / "metrics.csv", CURVE_COLUMNS)
    if not columns["iteration"]:
        return []
    figure = curves_figure(
        columns, best_interval=_best_interval(run), title=run.path.resolve().name
    )
    return [(album or Album(run.path)).add("curves", figure)]


def _best_interval(run: "RunDirectory") -> "Interval | None":
    """Of the best validation accuracy, from the summary; None where that does not say."""
    from softmax_cli.runs.tables import read_json

    path = run.path / "summary.json"
    found = read_json(path).get("best_validation_accuracy_interval") if path.is_file() else None
    is_interval = isinstance(found, list) and [type(end) for end in found] == [float, float]
    return (found[0], found[1]) if found and is_interval else None


def draw_results(run: "RunDirectory", album: Album | None = None) -> list[Path]:
    """Draw a sweep's ``results.csv``, best first, as ``heatmap``; repeats by their mean.

    Raises:
        ModelError: it is not the table of a sweep.
    """
    from softmax_cli.config.sweep_loading import listed_values
    from softmax_cli.plots.heatmap import heatmap_figure
    from softmax_cli.runs.tables import read_results
    from softmax_cli.tuning.repeats import pooled

    results = pooled(read_results(run.path / "results.csv"))
    figure = heatmap_figure(
        results.parameters,
        results.validation_accuracies,
        best=0,
        intervals=results.intervals,
        within_noise=results.within_noise,
        orders=listed_values(run.settings_file),
        title=run.path.resolve().name,
    )
    return [(album or Album(run.path)).add("heatmap", figure)]


def draw_templates(model: "SavedModel", album: Album, scale: "TemplateScale") -> list[Path]:
    """Draw a model's weights in pixel space as ``weights``."""
    from softmax_cli.evaluation.predictor import pixel_weights
    from softmax_cli.plots.templates import template_images, templates_figure

    weights = pixel_weights(model)
    if weights is None:
        return []
    images = template_images(weights, scale)
    return [album.add("weights", templates_figure(images, model.class_names, scale=scale))]


def draw_assessment(assessment: "Assessment", fitted: float | None, album: Album) -> list[Path]:
    """Draw what an evaluation found: ``confusion_matrix``, ``reliability`` and ``mistakes``.

    Args:
        assessment: of some images.
        fitted: the temperature of a calibration, if there is one.
        album: where the pictures go.

    Returns:
        Their paths; the confusion matrix alone where a model has no probabilities, as one of
        margins without a calibration.
    """
    from softmax_cli.plots.confusion import confusion_figure

    names = assessment.images.class_names
    matrix = confusion_figure(assessment.evaluation.confusion_matrix, names)
    paths = [album.add("confusion_matrix", matrix)]
    if assessment.temperature is None and fitted is None:
        return paths
    return [
        *paths,
        _draw_reliability(assessment, fitted, album),
        _draw_mistakes(assessment, fitted, album),
    ]


def _draw_reliability(assessment: "Assessment", fitted: float | None, album: Album) -> Path:
    from softmax_cli.evaluation.calibration import reliability
    from softmax_cli.plots.reliability import reliability_figure

    labels = assessment.images.labels
    measured = [assessment.reliability] if assessment.reliability else []
    if fitted is not None:
        measured.append(reliability(assessment.scores, labels, fitted))
    title = f"{len(labels):,} {assessment.split} images"
    return album.add("reliability", reliability_figure(*measured, title=title))


def _draw_mistakes(assessment: "Assessment", fitted: float | None, album: Album) -> Path:
    """Draw the surest errors; with the fitted temperature where the model has none of its own."""
    from softmax_cli.evaluation.metrics import most_confident_errors
    from softmax_cli.model.softmax import softmax
    from softmax_cli.plots.mistakes import mistakes_figure

    temperature = assessment.temperature or fitted or 1.0
    images, scores = assessment.images, assessment.scores.astype("float64")
    wrong = most_confident_errors(scores, images.labels, _MISTAKES, temperature)
    figure = mistakes_figure(
        images.images[wrong],
        images.labels[wrong],
        softmax(scores[wrong], temperature),
        images.class_names,
    )
    return album.add("mistakes", figure)


def draw_comparison(comparison: "Comparison", album: Album) -> Path:
    """Draw accuracies and their differences to the first model as ``comparison``."""
    from softmax_cli.plots.comparison import comparison_figure

    evaluations = [assessment.evaluation for assessment in comparison.assessments]
    found = [difference.accuracy for difference in comparison.differences]
    first = comparison.assessments[0]
    figure = comparison_figure(
        comparison.names,
        [evaluation.accuracy for evaluation in evaluations],
        [evaluation.accuracy_interval for evaluation in evaluations],
        [difference.difference for difference in found],
        [difference.interval for difference in found],
        [difference.accuracy_p_holm for difference in comparison.differences],
        title=f"{first.evaluation.examples:,} {first.split} images, 95 % intervals",
    )
    return album.add("comparison", figure)
