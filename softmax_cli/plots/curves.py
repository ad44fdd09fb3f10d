"""``curves.png``: how loss, accuracy and learning rate went over the iterations."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from softmax_cli.evaluation.intervals import Interval
from softmax_cli.plots.error_bars import ERROR_BARS, errors
from softmax_cli.plots.style import (
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    VERMILION,
    grid_lines,
    legend_above,
    new_figure,
    readable_number,
    readable_percent,
    styled,
)

CURVE_COLUMNS = (
    "iteration",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "temperature",
)

# Beyond this ratio between its ends a linear axis shows a cliff and a flat line.
_LOG_RATIO = 30.0
_MARKER_LIMIT = 40


@styled
def curves_figure(
    history: Mapping[str, ArrayLike],
    *,
    best_interval: Interval | None = None,
    title: str = "",
    full_batch: bool = False,
) -> Figure:
    """Draw loss, accuracy and learning rate, and temperature if it moves, over the iterations.

    The best validation accuracy (the first of equals) is marked in every panel. Values that are
    not finite leave gaps; a panel without finite values says so. The loss axis turns logarithmic
    where the losses span more than a factor of 30.

    Args:
        history: one sequence of equal length per name in `CURVE_COLUMNS`, one entry per validation;
            accuracies from 0 to 1. ``train_*`` are averages over the minibatches since the previous
            validation. Further names are ignored.
        best_interval: 95 % interval of the best validation accuracy, drawn as an error bar.
        title: above the panels; none if empty.
        full_batch: ``train_*`` are those of all training images, and the learning rate is the
            length of a step.
    """
    columns = {name: _finite(history[name]) for name in CURVE_COLUMNS}
    iteration = columns["iteration"]
    small = ["learning_rate"] + ["temperature"] * _moves(columns["temperature"])
    figure = new_figure(7.5, 5.6 + 1.3 * len(small), title)
    panels = figure.subplots(
        2 + len(small), 1, sharex=True, height_ratios=[3.0, 3.0] + [1.0] * len(small)
    )
    learned_on = "all training images" if full_batch else "training minibatches"
    _draw_pair(panels[0], columns, "loss", learned_on)
    _draw_pair(panels[1], columns, "accuracy", learned_on)
    names = {"learning_rate": "step_length"} if full_batch else {}
    for axes, name, colour in zip(panels[2:], small, (GREEN, PURPLE), strict=False):
        _draw_setting(axes, iteration, columns[name], names.get(name, name), colour)
    _mark_best(panels, iteration, columns["validation_accuracy"], best_interval)
    legend_above(panels[0])
    _label_iterations(panels[-1], iteration)
    figure.align_ylabels(panels)
    return figure


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(array), array, np.nan)


def _moves(values: NDArray[np.float64]) -> bool:
    known = values[np.isfinite(values)]
    return known.size > 0 and bool(np.ptp(known) > 0)


def _draw_pair(
    axes: Axes, columns: Mapping[str, NDArray[np.float64]], quantity: str, learned_on: str
) -> None:
    """Draw one quantity for training and validation into one panel."""
    iteration = columns["iteration"]
    marker = "o" if len(iteration) <= _MARKER_LIMIT else ""
    for part, colour, line in (("train", BLUE, "-"), ("validation", VERMILION, "--")):
        axes.plot(
            iteration,
            columns[f"{part}_{quantity}"],
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=3.5,
            label=learned_on if part == "train" else "validation",
        )
    axes.set_ylabel(quantity)
    grid_lines(axes)
    known = np.concatenate([columns[f"{part}_{quantity}"] for part in ("train", "validation")])
    known = known[np.isfinite(known)]
    if known.size == 0:
        _say_nothing_finite(axes)
    elif quantity == "accuracy":
        axes.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    elif known.min() > 0 and known.max() / known.min() > _LOG_RATIO:
        axes.set_yscale("log")
        axes.set_ylabel(f"{quantity} (log scale)")
        axes.yaxis.set_major_formatter(FuncFormatter(readable_number))


def _draw_setting(
    axes: Axes,
    iteration: NDArray[np.float64],
    values: NDArray[np.float64],
    name: str,
    colour: str,
) -> None:
    """Draw a scheduled setting into a small panel that starts at 0."""
    axes.plot(iteration, values, color=colour, marker="o" if len(iteration) == 1 else "")
    axes.set_ylabel(name.replace("_", "\n"))
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(readable_number))
    grid_lines(axes)
    top = np.nanmax(values, initial=0.0)
    axes.set_ylim(0, 1.15 * top if top > 0 else 1)


def _mark_best(
    panels: NDArray[np.object_],
    iteration: NDArray[np.float64],
    validation_accuracy: NDArray[np.float64],
    interval: Interval | None,
) -> None:
    """Draw a line through all panels, and a star, where validation accuracy is highest."""
    if not np.isfinite(validation_accuracy).any():
        return
    best = int(np.nanargmax(validation_accuracy))
    at, value = iteration[best], validation_accuracy[best]
    for axes in panels:
        axes.axvline(at, color=GREY, linewidth=1, linestyle=":", zorder=1)
    (star,) = panels[1].plot(
        [at],
        [value],
        marker="*",
        markersize=13,
        linestyle="none",
        color=VERMILION,
        markeredgecolor="black",
        markeredgewidth=0.8,
        label=f"best validation: {100 * value:.1f} % at iteration {at:,.0f}",
    )
    if interval is not None:
        panels[1].errorbar([at], [value], errors([value], [interval]), **ERROR_BARS)
    legend_above(panels[1], [star])


def _label_iterations(axes: Axes, iteration: NDArray[np.float64]) -> None:
    last = np.nanmax(iteration, initial=1.0)
    axes.set_xlabel("iteration")
    axes.set_xlim(0, 1.03 * last)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(EngFormatter(sep="") if last >= 1e6 else "{x:,.0f}")


def _say_nothing_finite(axes: Axes) -> None:
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        "no finite values",
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=GREY,
    )
