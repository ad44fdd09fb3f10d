"""The figures of a run: what its files and its evaluation hold, drawn by ``plots``."""

from typing import TYPE_CHECKING

from softmax_cli.errors import ConfigurationError
from softmax_cli.runs.directory import RunDirectory
from softmax_cli.runs.model_file import SavedModel
from softmax_cli.runs.tables import read_json, read_numbers, read_results

if TYPE_CHECKING:
    from softmax_cli.arrays import Floats
    from softmax_cli.evaluation.assessment import Assessment
    from softmax_cli.evaluation.comparison import Comparison
    from softmax_cli.evaluation.intervals import Interval
    from softmax_cli.plots import Figure
    from softmax_cli.plots.templates import TemplateScale

_MISTAKES = 15


def draw_history(run: RunDirectory) -> "Figure | None":
    """Draw ``metrics.csv``; None where no validation was made.

    Raises:
        ModelError: it is not the table of a training.
        OSError: it cannot be read.
    """
    from softmax_cli.plots.curves import CURVE_COLUMNS, curves_figure

    columns = read_numbers(run.path / "metrics.csv", CURVE_COLUMNS)
    if not columns["iteration"]:
        return None
    return curves_figure(
        columns,
        best_interval=_best_interval(run),
        title=run.path.resolve().name,
        full_batch=_is_full_batch(run),
    )


def _is_full_batch(run: RunDirectory) -> bool:
    """Whether each step saw all training images; not so where no settings say it."""
    from softmax_cli.config.loading import load_train_config

    try:
        return load_train_config(str(run.settings_file)).optimizer.method == "lbfgs"
    except ConfigurationError:
        return False  # curves can be drawn of a run whose settings are missing or damaged


def _best_interval(run: RunDirectory) -> "Interval | None":
    """Of the best validation accuracy, from the summary; None where that does not say."""
    path = run.path / "summary.json"
    found = read_json(path).get("best_validation_accuracy_interval") if path.is_file() else None
    is_interval = isinstance(found, list) and [type(end) for end in found] == [float, float]
    return (found[0], found[1]) if found and is_interval else None


def draw_results(run: RunDirectory) -> "Figure":
    """Draw a sweep's ``results.csv``, best first; repeats by their mean.

    Raises:
        ModelError: it is missing, or not the table of a sweep.
    """
    from softmax_cli.config.sweep_loading import listed_values
    from softmax_cli.plots.heatmap import heatmap_figure
    from softmax_cli.tuning.repeats import pooled

    results = pooled(read_results(run.path / "results.csv"))
    return heatmap_figure(
        results.parameters,
        results.validation_accuracies,
        best=0,
        intervals=results.intervals,
        within_noise=results.within_noise,
        orders=listed_values(run.settings_file),
        title=run.path.resolve().name,
    )


def draw_weights(model: SavedModel, scale: "TemplateScale") -> "dict[str, Figure]":
    """Draw a model's weights, by the name of the picture; none if what it looks at has no picture.

    Those that pixels meet are drawn as templates, those of oriented gradients as strokes, both as
    ``weights``. For those of patches there are two pictures, ``dictionary`` and ``patches``.
    """
    from softmax_cli.evaluation.predictor import patch_views_of, pixel_weights, strokes_of
    from softmax_cli.plots.hog_strokes import strokes_figure
    from softmax_cli.plots.patch_grids import dictionary_figure, patches_figure
    from softmax_cli.plots.templates import template_images, templates_figure

    names = model.class_names
    weights, strokes, views = pixel_weights(model), strokes_of(model), patch_views_of(model)
    if weights is not None:
        images = template_images(weights, scale)
        return {"weights": templates_figure(images, names, scale=scale)}
    if strokes is not None:
        cells, angles, hues = strokes.cells, strokes.angles, strokes.hues
        return {"weights": strokes_figure(cells, angles, hues, names, scale=scale)}
    if views is not None:
        return {
            "dictionary": dictionary_figure(views.filters, total=views.total),
            "patches": patches_figure(views.patches, views.weights, names, scale=scale),
        }
    return {}


def draw_reliability(assessment: "Assessment", fitted: float | None) -> "Figure":
    """Draw confidence against accuracy, as trained and at a fitted temperature.

    Args:
        assessment: of some images.
        fitted: the temperature of a calibration; needed where the model has none of its own.
    """
    from softmax_cli.evaluation.calibration import reliability
    from softmax_cli.plots.reliability import reliability_figure

    labels = assessment.images.labels
    measured = [assessment.reliability] if assessment.reliability else []
    if fitted is not None:
        measured.append(reliability(assessment.scores, labels, fitted))
    noun = assessment.images.noun
    title = f"{len(labels):,} {assessment.split} {noun}"
    return reliability_figure(*measured, title=title, examples=noun)


def draw_comparison(comparison: "Comparison") -> "Figure":
    """Draw accuracies and their differences to the first model."""
    from softmax_cli.plots.comparison import comparison_figure

    evaluations = [assessment.evaluation for assessment in comparison.assessments]
    found = [difference.accuracy for difference in comparison.differences]
    first = comparison.assessments[0]
    return comparison_figure(
        comparison.names,
        [evaluation.accuracy for evaluation in evaluations],
        [evaluation.accuracy_interval for evaluation in evaluations],
        [difference.difference for difference in found],
        [difference.interval for difference in found],
        [difference.accuracy_p_holm for difference in comparison.differences],
        title=f"{first.evaluation.examples:,} {first.split} {first.images.noun}, 95 % intervals",
    )


def surest_mistakes(assessment: "Assessment", fitted: float | None) -> "tuple[list[int], Floats]":
    """The images that are wrong with the greatest probability, surest first.

    Args:
        assessment: of some images.
        fitted: a temperature for a model that has none of its own.

    Returns:
        Indices of m images, and the probabilities (m, C) of their classes.
    """
    from softmax_cli.evaluation.metrics import most_confident_errors
    from softmax_cli.model.softmax import softmax

    temperature = assessment.temperature or fitted or 1.0
    scores = assessment.scores.astype("float64")
    wrong = most_confident_errors(scores, assessment.images.labels, _MISTAKES, temperature)
    return wrong.tolist(), softmax(scores[wrong], temperature)
