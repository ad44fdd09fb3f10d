"""``weights.png`` of histograms of oriented gradients: edges that speak for a class, or against."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import hsv_to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from softmax_cli.plots.image_grid import grid_shape
from softmax_cli.plots.style import BLUE, VERMILION, new_figure, short_name, styled
from softmax_cli.plots.weight_scale import SCALE_WORDS, TemplateScale, check_finite, relative

_PAPER = "#F4F4F4"
_SIDE_INCHES = 1.4
_GAP = 0.06  # between the parts of a class, in sides of a square
_HUES_HEIGHT = 0.34
_FAINTEST = 0.04  # weaker strokes cannot be seen


@styled
def strokes_figure(
    cells: NDArray[np.floating[Any]],
    angles: NDArray[np.floating[Any]],
    hues: NDArray[np.floating[Any]],
    class_names: Sequence[str],
    *,
    scale: TemplateScale,
) -> Figure:
    """Draw the weights of each class as strokes along the edges that they speak of.

    The positive ones are in a square of their own, above that of the negative ones, both as
    strong as the weight. Where opposite gradients have weights of their own, each has its half of
    the cell: the stroke is on the light side of the edge. Below them, a bar for each part of the
    circle of hues goes up or down from a line.

    Args:
        cells: ``(C, k, k, bins)``, weights of standardised features, the cells row by row.
        angles: ``(bins,)`` directions of the gradients in radians, from right to down; opposite
            ones are bins/2 apart, if there are any.
        hues: ``(C, hue bins)``, weights, perhaps of no bins at all.
        class_names: C names.
        scale: whether the greatest weight of all classes or of each class is the strongest stroke.

    Raises:
        DivergedError: a weight is not finite.
    """
    check_finite(cells, hues)
    strengths, bars = relative(cells, scale), relative(hues, scale)
    height = 2 + _GAP + (_GAP + _HUES_HEIGHT if bars.shape[1] else 0)  # in sides of a square
    rows, columns = grid_shape(len(class_names))
    title = f"Learned edges: for a class in blue, against it in red; {SCALE_WORDS[scale]}"
    if bars.shape[1]:
        title += "\nBars: hues that speak for it or against it"
    width = max((_SIDE_INCHES + 0.15) * columns, 4.5)
    figure = new_figure(width, rows * (_SIDE_INCHES * height + 0.28) + 0.1, title)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for number, name in enumerate(class_names):
        axes = panels[number]
        _draw_square(axes, np.maximum(strengths[number], 0), angles, BLUE, 0)
        _draw_square(axes, np.maximum(-strengths[number], 0), angles, VERMILION, 1 + _GAP)
        _draw_hues(axes, bars[number], 2 * (1 + _GAP))
        axes.set_title(short_name(name, 18), fontsize=9, pad=4)
        axes.set(xlim=(0, 1), ylim=(height, 0), aspect="equal")
    return figure


def _draw_square(
    axes: Axes,
    strengths: NDArray[np.float64],
    angles: NDArray[np.floating[Any]],
    color: str,
    top: float,
) -> None:
    """Draw strokes of strengths (k, k, bins) from 0 to 1 into a square that begins at ``top``."""
    axes.add_patch(Rectangle((0, top), 1, 1, facecolor=_PAPER, edgecolor="none"))
    cell = 1 / len(strengths)
    drawn = np.argwhere(strengths > _FAINTEST)
    drawn = drawn[np.argsort(strengths[tuple(drawn.T)])]  # the strongest on top
    row, column, bin_ = drawn.T
    gradients = np.stack([np.cos(angles), np.sin(angles)], axis=1)[bin_]
    along = gradients[:, ::-1] * [-1, 1]
    is_signed = len(angles) > 1 and angles[-1] - angles[0] > np.pi
    shift, reach = (0.22, 0.4) if is_signed else (0.0, 0.46)
    centres = np.stack([column + 0.5, row + 0.5], axis=1) + shift * gradients
    ends = np.stack([centres - reach * along, centres + reach * along], axis=1) * cell  # (S, 2, 2)
    ends[:, :, 1] += top
    colors = np.tile(to_rgba(color), (len(drawn), 1))
    colors[:, 3] = strengths[tuple(drawn.T)]
    axes.add_collection(
        LineCollection(
            list(ends),
            colors=list(map(tuple, colors)),
            linewidths=72 * _SIDE_INCHES * cell * (0.07 if is_signed else 0.09),
            capstyle="round",
        )
    )


def _draw_hues(axes: Axes, bars: NDArray[np.float64], top: float) -> None:
    """Draw bars from -1 to 1 into a strip that begins at ``top``, each in its colour."""
    if not len(bars):
        return
    line = top + _HUES_HEIGHT / 2
    hues = (np.arange(len(bars)) + 0.5) / len(bars)
    colors = [tuple(hsv_to_rgb((hue, 0.75, 0.85))) for hue in hues]
    axes.bar(hues, -bars * _HUES_HEIGHT / 2, 0.8 / len(bars), line, color=colors)
    axes.plot([0, 1], [line, line], color="#999999", linewidth=0.6)
