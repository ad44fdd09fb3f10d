"""Trials as points: accuracy over one setting, or as colour over two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from softmax_cli.evaluation.intervals import Interval
from softmax_cli.plots.error_bars import ERROR_BARS, errors
from softmax_cli.plots.style import (
    BLUE,
    GREY,
    VERMILION,
    grid_lines,
    legend_above,
    new_figure,
    readable_number,
    readable_percent,
    styled,
)
from softmax_cli.plots.trial_grid import Axis

COLOUR_MAP = "cividis"
_RING: dict[str, Any] = {
    "marker": "o",
    "markersize": 12,
    "markerfacecolor": "none",
    "markeredgecolor": "black",
    "markeredgewidth": 1.2,
    "linestyle": "none",
}
_STAR: dict[str, Any] = {
    "marker": "*",
    "markersize": 15,
    "color": VERMILION,
    "markeredgecolor": "black",
    "linestyle": "none",
}


@dataclass(frozen=True, eq=False)
class Trials:
    """What is drawn of n trials.

    Attributes:
        values: ``(n,)`` accuracies, NaN where a trial diverged.
        best: index of the trial to mark, if any.
        within_noise: ``(n,)`` which of them cannot be told from the best.
        intervals: of the accuracies, NaN for none; None if not known.
    """

    values: NDArray[np.float64]
    best: int | None
    within_noise: NDArray[np.bool_]
    intervals: Sequence[Interval] | None = None

    @property
    def shows_noise(self) -> bool:
        """Whether another trial than the best is within noise of it."""
        return self.best is not None and int(self.within_noise.sum()) > 1


@styled
def line_figure(
    axis: Axis,
    trials: Trials,
    title: str,
    *,
    connected: bool = True,
) -> Figure:
    """Draw accuracy over one setting; words side by side, numbers to scale.

    Args:
        axis: the setting.
        trials: those that diverged are crosses on the x axis.
        title: above everything; none if empty.
        connected: draw a line through the trials; not for trials that differ in other settings too.
    """
    figure = new_figure(6.4, 4.2, title)
    axes = figure.subplots()
    values, best = trials.values, trials.best
    x = _coordinates(axis)
    order = np.argsort(x, kind="stable")
    stroke = "-" if connected and axis.values is not None else "none"
    axes.plot(x[order], values[order], marker="o", color=BLUE, linestyle=stroke)
    if trials.intervals is not None and not np.isnan(trials.intervals).all():
        axes.errorbar(x, values, errors(values, trials.intervals), **ERROR_BARS)
    _ring(axes, x, values, trials)
    diverged = np.isnan(values)
    if diverged.all():
        axes.set_ylim(0, 1)
    if diverged.any():
        height = np.full(diverged.sum(), 0.03)  # as a share of the panel's
        axes.plot(
            x[diverged],
            height,
            "x",
            color=GREY,
            transform=axes.get_xaxis_transform(),
            label="diverged",
        )
    if best is not None:
        axes.plot([x[best]], [values[best]], **_STAR, label=best_label(values[best]))
    _scale(axes, "x", axis)
    axes.set_ylabel("validation accuracy")
    axes.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    grid_lines(axes)
    legend_above(axes)
    return figure


@styled
def cloud_figure(
    horizontal: Axis,
    vertical: Axis,
    trials: Trials,
    title: str,
) -> Figure:
    """Draw each trial as a point over two settings, its accuracy as colour.

    Args:
        horizontal: the setting across.
        vertical: the setting upwards.
        trials: those that diverged are crosses.
        title: above everything; none if empty.
    """
    figure = new_figure(6.8, 4.8, title)
    axes = figure.subplots()
    x, y = _coordinates(horizontal), _coordinates(vertical)
    values, best = trials.values, trials.best
    diverged = np.isnan(values)
    axes.scatter(
        x[~diverged],
        y[~diverged],
        c=values[~diverged],
        cmap=COLOUR_MAP,
        norm=accuracy_range(values),
        s=55,
        edgecolors="white",
        linewidths=0.6,
    )
    _ring(axes, x, y, trials)
    if diverged.any():
        axes.plot(x[diverged], y[diverged], "x", color=GREY, label="diverged")
    if best is not None:
        axes.plot([x[best]], [y[best]], **_STAR, label=best_label(values[best]))
    _scale(axes, "x", horizontal)
    _scale(axes, "y", vertical)
    add_colour_bar(figure, [axes], values)
    legend_above(axes)
    return figure


def _ring(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], trials: Trials) -> None:
    """Put rings around the trials within noise of the best."""
    if not trials.shows_noise:
        return
    ringed = trials.within_noise
    axes.plot(x[ringed], y[ringed], **_RING, label="within noise of it")


def accuracy_range(values: NDArray[np.float64]) -> Normalize:
    """Return what the ends of the colour map stand for: the least and greatest finite accuracy."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.005, high + 0.005
    return Normalize(low, high)


def add_colour_bar(figure: Figure, panels: Sequence[Axes], values: NDArray[np.float64]) -> None:
    """Explain beside the panels which colour is which accuracy."""
    colours = ScalarMappable(accuracy_range(values), COLOUR_MAP)
    bar = figure.colorbar(colours, ax=panels, pad=0.02)
    bar.set_label("validation accuracy")
    bar.ax.yaxis.set_major_locator(MaxNLocator(5))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    bar.outline.set_visible(False)


def best_label(accuracy: float) -> str:
    """Return what a legend says of the best trial."""
    return f"best {100 * accuracy:.1f} %"


def _coordinates(axis: Axis) -> NDArray[np.float64]:
    places = np.arange(len(axis.labels), dtype=np.float64) if axis.values is None else axis.values
    return places[axis.positions]


def _scale(axes: Axes, direction: str, axis: Axis) -> None:
    """Name an axis and choose its scale and ticks after the setting's values."""
    side = axes.xaxis if direction == "x" else axes.yaxis
    side.set_label_text(axis.name)
    # Only line_figure draws words, and along the horizontal axis.
    if axis.values is None:
        side.set_ticks(range(len(axis.labels)), axis.labels)
        axes.set_xlim(-0.5, len(axis.labels) - 0.5)
        return
    if axis.logarithmic:
        (axes.set_xscale if direction == "x" else axes.set_yscale)("log")
        few_decades = axis.values[-1] / axis.values[0] < 1e3
        side.set_major_locator(LogLocator(subs=(1, 2, 5) if few_decades else (1,)))
        side.set_minor_formatter(NullFormatter())
    else:
        side.set_major_locator(MaxNLocator(6))
    side.set_major_formatter(FuncFormatter(readable_number))
