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
    from softmax_cli.plots import Figure
    from softmax_cli.plots.weight_scale import TemplateScale
    from softmax_cli.runs.directory import RunDirectory
    from softmax_cli.runs.model_file import SavedModel
    from softmax_cli.runs.pictures import PictureFormat


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
    except Exception as error:  # noqa: BLE001 - a failed drawing must not fail the run
        output.warning(
            f"{name} was not drawn: {describe(error)}\n"
            f"Everything else is complete. To draw it later: softmax visualize {quoted(run)}"
        )


def draw_curves(run: "RunDirectory", album: Album | None = None) -> list[Path]:
    """Draw ``metrics.csv`` as ``curves``, where a validation was made at all."""
    from softmax_cli.report.drawings import draw_history

    figure = draw_history(run)
    return [] if figure is None else [(album or Album(run.path)).add("curves", figure)]


def draw_results(run: "RunDirectory", album: Album | None = None) -> list[Path]:
    """Draw a sweep's ``results.csv``, best first, as ``heatmap``; repeats by their mean.

    Raises:
        ModelError: it is not the table of a sweep.
    """
    from softmax_cli.report import drawings

    return [(album or Album(run.path)).add("heatmap", drawings.draw_results(run))]


def draw_weights(model: "SavedModel", album: Album, scale: "TemplateScale") -> list[Path]:
    """Draw a model's weights, if there is a picture for what it looks at."""
    from softmax_cli.report import drawings

    figures = drawings.draw_weights(model, scale)
    return [album.add(name, figure) for name, figure in figures.items()]


def draw_assessment(assessment: "Assessment", fitted: float | None, album: Album) -> list[Path]:
    """Draw what an evaluation found: ``confusion_matrix``, ``reliability`` and ``mistakes``.

    Args:
        assessment: of some images.
        fitted: the temperature of a calibration, if there is one.
        album: where the pictures go.

    Returns:
        Their paths; the confusion matrix alone where a model has no probabilities, as one of
        margins without a calibration. There are no mistakes to see where there are no pictures.
    """
    from softmax_cli.plots.confusion import confusion_figure
    from softmax_cli.report.drawings import draw_reliability

    images = assessment.images
    matrix = confusion_figure(
        assessment.evaluation.confusion_matrix, images.class_names, examples=images.noun
    )
    paths = [album.add("confusion_matrix", matrix)]
    if assessment.temperature is None and fitted is None:
        return paths
    paths.append(album.add("reliability", draw_reliability(assessment, fitted)))
    if images.is_pictures:
        paths.append(_draw_mistakes(assessment, fitted, album))
    return paths


def _draw_mistakes(assessment: "Assessment", fitted: float | None, album: Album) -> Path:
    """Draw the surest errors; with the fitted temperature where the model has none of its own."""
    from softmax_cli.plots.mistakes import mistakes_figure
    from softmax_cli.report.drawings import surest_mistakes

    images = assessment.images
    wrong, probabilities = surest_mistakes(assessment, fitted)
    figure = mistakes_figure(
        images.images[wrong], images.labels[wrong], probabilities, images.class_names
    )
    return album.add("mistakes", figure)


def draw_comparison(comparison: "Comparison", album: Album) -> Path:
    """Draw accuracies and their differences to the first model as ``comparison``."""
    from softmax_cli.report import drawings

    return album.add("comparison", drawings.draw_comparison(comparison))
