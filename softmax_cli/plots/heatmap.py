"""``heatmap.png``: validation accuracy over the settings a sweep varied."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from softmax_cli.evaluation.intervals import Interval
from softmax_cli.plots.points import (
    COLOUR_MAP,
    Trials,
    accuracy_range,
    add_colour_bar,
    best_label,
    cloud_figure,
    line_figure,
)
from softmax_cli.plots.style import GREY, VERMILION, ink_on, new_figure, styled
from softmax_cli.plots.trial_grid import Axis, check_trials, fill_grid, is_scattered, read_axis

_BEST: dict[str, Any] = {
    "fill": False,
    "edgecolor": VERMILION,
    "linewidth": 3,
    "zorder": 4,
    "clip_on": False,
}
_BORDER: dict[str, Any] = {
    "color": "black",
    "linewidth": 2.2,
    "linestyle": (0, (2, 1)),
    "solid_capstyle": "butt",
    "path_effects": [withStroke(linewidth=4.2, foreground="white")],
    "zorder": 3,
    "clip_on": False,
    "scalex": False,
    "scaley": False,
}
_DIVERGED: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": GREY,
    "hatch": "xxx",
    "linewidth": 0,
}
# More columns or rows than this leave no room for a number in a cell.
_NUMBERED_CELLS = 16
# Inches that panels side by side may fill before they start a new line.
_PANELS_WIDTH = 10.0


@styled
def heatmap_figure(
    parameters: Mapping[str, Sequence[object]],
    accuracies: ArrayLike,
    *,
    best: int | None = None,
    orders: Mapping[str, Sequence[object]] | None = None,
    intervals: Sequence[Interval] | None = None,
    within_noise: Sequence[bool] | None = None,
    title: str = "",
) -> Figure:
    """Draw validation accuracy over one, two or three settings.

    One setting gives a line, two a heat map, three a heat map per value of the one with the fewest
    values; further settings are not shown, and a cell has the best of its trials. Where most cells
    would be empty, as after a random search, the trials are drawn as points over the first two
    settings that are numbers. Settings that do not vary are left out. The best trial is marked,
    what is within noise of it is outlined or ringed, diverged trials are hatched or crossed, cells
    without a trial stay empty. A line has error bars.

    Args:
        parameters: dotted key of each varied setting -> its value in each of n trials.
        accuracies: ``(n,)`` validation accuracies from 0 to 1; NaN where a trial diverged.
        best: index of the best trial; the first of the most accurate if None. It is left out where
            all diverged.
        orders: dotted key of a setting -> its values in the order of the axis, as in the settings
            of the sweep; numbers are sorted all the same. Values that it lacks come last.
        intervals: 95 % interval of each accuracy; NaN for none.
        within_noise: whether each trial cannot be told from the best.
        title: above everything; none if empty.

    Raises:
        DataError: there are no trials or no parameters, or columns differ in length.
    """
    values = np.asarray(accuracies, dtype=np.float64)
    check_trials(parameters, values)
    if not np.isfinite(values).any():
        best = None
    elif best is None:
        best = int(np.nanargmax(values))
    trials = Trials(
        values,
        best,
        np.asarray(within_noise or [False] * len(values), np.bool_) & np.isfinite(values),
        intervals,
    )
    orders = orders or {}
    read = [read_axis(name, column, orders.get(name, ())) for name, column in parameters.items()]
    axes = [axis for axis in read if len(axis.labels) > 1][:3] or read[:2]
    numbers = [axis for axis in axes if axis.values is not None]
    if numbers and is_scattered(axes, len(values)):
        if len(numbers) > 1:
            return cloud_figure(numbers[0], numbers[1], trials, title)
        return line_figure(numbers[0], trials, title, connected=False)
    if len(axes) == 1:
        return line_figure(axes[0], trials, title)
    return _maps(axes, trials, title)


def _maps(axes: Sequence[Axis], trials: Trials, title: str) -> Figure:
    """Draw one heat map, or one per value of the shortest of three axes."""
    by_length = sorted(axes, key=lambda axis: len(axis.labels), reverse=True)[::-1]
    rows, columns = by_length[-2:]
    values, best = trials.values, trials.best
    cells = fill_grid(by_length, values, best)
    layers = cells.reshape(-1, len(rows.labels), len(columns.labels))
    numbered = max(layers.shape[1:]) <= _NUMBERED_CELLS
    cell_width, cell_height = (0.66, 0.44) if numbered else (0.24, 0.24)
    panel_width = cell_width * len(columns.labels) + 0.3
    across = max(1, min(len(layers), int(_PANELS_WIDTH / panel_width)))
    down = math.ceil(len(layers) / across)
    width = across * panel_width + 2.2
    height = down * max(cell_height * len(rows.labels) + 0.4, 1.6) + 0.5
    height += _label_height(columns)
    figure = new_figure(max(width, 5.2), height, _heading(title, trials))
    panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for panel in panels[len(layers) :]:
        panel.set_axis_off()
    for panel, layer in zip(panels, layers, strict=False):
        _draw_map(panel, layer, values, best)
        if trials.shows_noise:
            _outline(panel, (layer >= 0) & trials.within_noise[layer])
        _label_cells(panel, columns, rows)
        if numbered:
            _write_accuracies(panel, layer, values)
    if len(axes) == 3:
        for panel, label in zip(panels, by_length[0].labels, strict=False):
            panel.set_title(f"{by_length[0].name} = {label}", fontsize=9)
    figure.supxlabel(columns.name, fontsize=10)
    figure.supylabel(rows.name, fontsize=10)
    add_colour_bar(figure, list(panels), values)
    return figure


def _heading(title: str, trials: Trials) -> str:
    """Return the title, and below it what frames, outlines and hatches mean."""
    values, best = trials.values, trials.best
    notes = [] if best is None else [f"framed: {best_label(values[best])}"]
    if trials.shows_noise:
        notes.append("outlined: within noise of it")
    if np.isnan(values).any():
        notes.append("hatched: diverged")
    return f"{title}\n{', '.join(notes)}"


def _draw_map(
    axes: Axes, layer: NDArray[np.int64], values: NDArray[np.float64], best: int | None
) -> None:
    """Colour the cells of one panel, hatch the diverged ones and frame the best."""
    axes.imshow(
        np.where(layer >= 0, values[layer], np.nan),
        cmap=COLOUR_MAP,
        norm=accuracy_range(values),
        interpolation="nearest",
        aspect="auto",
        origin="lower",
    )
    for (row, column), trial in np.ndenumerate(layer):
        corner = (column - 0.5, row - 0.5)
        if trial >= 0 and np.isnan(values[trial]):
            axes.add_patch(Rectangle(corner, 1, 1, **_DIVERGED))
        elif trial >= 0 and trial == best:
            axes.add_patch(Rectangle(corner, 1, 1, **_BEST))


def _outline(axes: Axes, region: NDArray[np.bool_]) -> None:
    """Draw a line around the cells (rows, columns) of a region, wherever it borders on others."""
    padded = np.pad(region, 1)
    for row, column in np.argwhere(region):
        left, right, low, high = column - 0.5, column + 0.5, row - 0.5, row + 0.5
        sides = (
            (row, column + 1, [left, right], [low, low]),
            (row + 2, column + 1, [left, right], [high, high]),
            (row + 1, column, [left, left], [low, high]),
            (row + 1, column + 2, [right, right], [low, high]),
        )
        for *neighbour, x, y in sides:
            if not padded[tuple(neighbour)]:
                axes.plot(x, y, **_BORDER)


def _write_accuracies(axes: Axes, layer: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Write the accuracy in percent into each cell that has one."""
    colour_map, share = mpl.colormaps[COLOUR_MAP], accuracy_range(values)
    for (row, column), trial in np.ndenumerate(layer):
        if trial >= 0 and not np.isnan(values[trial]):
            axes.text(
                column,
                row,
                f"{100 * values[trial]:.1f}",
                ha="center",
                va="center",
                fontsize=9,
                color=ink_on(colour_map, float(share(float(values[trial])))),
            )


def _tilted(columns: Axis) -> bool:
    return max(map(len, columns.labels)) > 7


def _label_height(columns: Axis) -> float:
    """Return about how many inches the labels under the columns take."""
    return 0.055 * max(map(len, columns.labels)) if _tilted(columns) else 0.2


def _label_cells(axes: Axes, columns: Axis, rows: Axis) -> None:
    tilted = _tilted(columns)
    axes.set_xticks(
        range(len(columns.labels)),
        columns.labels,
        rotation=40 if tilted else 0,
        ha="right" if tilted else "center",
        rotation_mode="anchor" if tilted else "default",
    )
    axes.set_yticks(range(len(rows.labels)), rows.labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
