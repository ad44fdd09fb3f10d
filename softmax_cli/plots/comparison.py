"""``comparison.png``: models on the same images, and their differences to the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from softmax_cli.evaluation.paired import SIGNIFICANCE
from softmax_cli.plots.error_bars import errors
from softmax_cli.plots.style import (
    BLUE,
    GREY,
    VERMILION,
    new_figure,
    readable_percent,
    short_name,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from softmax_cli.evaluation.intervals import Interval

_ROW = 0.42
"""Inches of height for each model."""


@styled
def comparison_figure(
    names: Sequence[str],
    accuracies: Sequence[float],
    intervals: Sequence[Interval],
    differences: Sequence[float],
    difference_intervals: Sequence[Interval],
    p_values: Sequence[float],
    *,
    title: str = "",
) -> Figure:
    """Draw accuracies with their intervals, and beside them the paired differences to the first.

    Args:
        names: of the models.
        accuracies: of the models.
        intervals: of these accuracies.
        differences: accuracies of all models but the first, minus that of the first.
        difference_intervals: of these differences.
        p_values: of these differences; below 5 % they are drawn in another colour.
        title: above everything; none if empty.
    """
    figure = new_figure(8.4, 1.3 + _ROW * len(names), title, column_gap=0.06)
    left, right = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(names))
    _draw_points(left, places, accuracies, intervals, [BLUE] * len(names))
    left.set_yticks(places, [short_name(name, 30) for name in names])
    left.set_ylim(len(names) - 0.5, -0.5)
    left.set_xlabel("accuracy")
    left.xaxis.set_major_formatter(FuncFormatter(readable_percent))
    colours = [VERMILION if p < SIGNIFICANCE else GREY for p in p_values]
    _draw_points(right, places[1:], differences, difference_intervals, colours)
    right.axvline(0, color="black", linewidth=1, linestyle="--", zorder=1)
    right.set_xlabel(f"difference to {short_name(names[0], 30)}, in points")
    right.xaxis.set_major_formatter(FuncFormatter(_points))
    right.tick_params(axis="y", length=0)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(visible=True, axis="x")
    _explain(right, p_values)
    return figure


def _draw_points(
    axes: Axes,
    places: Any,
    values: Sequence[float],
    intervals: Sequence[Interval],
    colours: Sequence[str],
) -> None:
    reach = errors(values, intervals)
    for place, value, ends, colour in zip(places, values, reach.T, colours, strict=True):
        axes.errorbar(
            [value], [place], xerr=ends[:, None], fmt="o", color=colour, capsize=3, markersize=5
        )


def _explain(axes: Axes, p_values: Sequence[float]) -> None:
    """Say above the panel what the colours mean, as far as they occur."""
    told = any(p < SIGNIFICANCE for p in p_values)
    untold = any(p >= SIGNIFICANCE for p in p_values)
    notes = ["orange: p < 0.05"] * told + ["grey: within noise"] * untold
    axes.set_title(", ".join(notes), fontsize=9, loc="right")


def _points(share: float, _position: int | None = None) -> str:
    return f"{100 * share + 0.0:+.4g}" if share else "0"
