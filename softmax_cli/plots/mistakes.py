"""``mistakes.png``: the errors a model is surest of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from softmax_cli.plots.image_grid import images_from_rows, picture_grid
from softmax_cli.plots.style import new_figure, short_name, styled


@styled
def mistakes_figure(
    rows: NDArray[np.uint8],
    labels: NDArray[np.integer[Any]],
    probabilities: NDArray[np.floating[Any]],
    class_names: Sequence[str],
    *,
    title: str = "Most confident mistakes: predicted, and true in brackets",
) -> Figure:
    """Draw images with what the model takes them for, and what they are.

    Args:
        rows: ``(m, 3072)`` uint8, channel-major pixels of the images, in the order to draw them.
        labels: ``(m,)`` true classes.
        probabilities: ``(m, C)``.
        class_names: C names.
        title: above the images.
    """
    if len(rows) == 0:
        return _nothing(title)
    captions = [
        _caption(p, int(label), class_names) for p, label in zip(probabilities, labels, strict=True)
    ]
    return picture_grid(images_from_rows(rows), captions, title=title, caption_lines=2)


def _caption(
    probabilities: NDArray[np.floating[Any]], label: int, class_names: Sequence[str]
) -> str:
    predicted = int(np.argmax(probabilities))
    guess, truth = short_name(class_names[predicted], 12), short_name(class_names[label], 10)
    sure, left = whole_percent(probabilities[predicted]), whole_percent(probabilities[label])
    return f"{guess} {sure}\n({truth} {left})"


def whole_percent(probability: float) -> str:
    """Write whole percents, and never 0 or 100 for what is neither."""
    if 0 < probability < 0.01:
        return "<1 %"
    if 0.99 < probability < 1:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def _nothing(title: str) -> Figure:
    figure = new_figure(6, 1.6, title)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, "no mistakes", transform=axes.transAxes, ha="center", va="center")
    return figure
