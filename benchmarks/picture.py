"""``results.png``: times of the contenders, accuracy over time, and how a step grows with K."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.accuracy import Rung
from benchmarks.growth import Point
from benchmarks.timing import Comparison, Measurement, Spread
from softmax_cli.plots.isolation import isolated
from softmax_cli.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    grid_lines,
    new_figure,
    readable_number,
    readable_percent,
    styled,
)

with isolated():
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

_STYLES = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "v"), (ORANGE, "D"), (SKY, "P"))

_INPUTS = {"accuracy": "pixels"}
"""What the comparison is of whose name does not say it."""


@styled
def results_figure(
    comparisons: Sequence[Comparison],
    curves: Mapping[str, Mapping[str, Sequence[Rung]]],
    points: Sequence[Point],
) -> Figure | None:
    """Draw what a picture says better than a table; None if there is nothing to draw.

    Args:
        comparisons: each makes a panel of bars.
        curves: by the name of a comparison, accuracy over time of each contender; each makes a
            panel of lines.
        points: those over K make a panel.
    """
    panels: list[Callable[[Axes], None]] = [partial(_draw_bars, each) for each in comparisons]
    panels += [partial(_draw_curves, name, each) for name, each in curves.items()]
    if over_models := [point for point in points if point.axis == "models"]:
        panels.append(partial(_draw_growth, over_models))
    if not panels:
        return None
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(5.6 * columns, 3.4 * rows, column_gap=0.06)
    for number, draw in enumerate(panels, start=1):
        draw(figure.add_subplot(rows, columns, number))
    return figure


def _draw_bars(comparison: Comparison, axes: Axes) -> None:
    """Median times as bars, ends of the spread as a line across their ends."""
    measured = comparison.measurements[::-1]
    spreads = [Spread.of(measurement.seconds) for measurement in measured]
    for place, (measurement, spread) in enumerate(zip(measured, spreads, strict=True)):
        if measurement.complaint:
            _write_beside(axes, 0, place, f"invalid: {measurement.complaint}")
            continue
        axes.barh(place, spread.median, color=_bar_colour(measurement), height=0.65)
        axes.plot([spread.low, spread.high], [place, place], color="black", linewidth=1.2)
        _write_beside(axes, spread.high, place, f"{spread.median:.3g} s")
    axes.set_yticks(range(len(measured)), [measurement.name for measurement in measured])
    axes.set_xlim(0, 1.2 * max(spread.high for spread in spreads))
    axes.set_xlabel("seconds")
    axes.set_title(comparison.title, loc="left")


def _write_beside(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center")


def _bar_colour(measurement: Measurement) -> str:
    if not measurement.models:
        return SKY
    return BLUE if measurement.name.startswith("softmax") else GREY


def _draw_curves(comparison: str, curves: Mapping[str, Sequence[Rung]], axes: Axes) -> None:
    for (name, rungs), (colour, marker) in zip(curves.items(), _STYLES, strict=False):
        seconds = [rung.seconds for rung in rungs]
        accuracies = [rung.test_accuracy for rung in rungs]
        axes.plot(seconds, accuracies, color=colour, marker=marker, markersize=5, label=name)
    axes.set_xscale("log")
    _label_sparsely(axes.xaxis)
    axes.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    axes.set_xlabel("seconds of training")
    axes.set_title(f"Test accuracy over time: {_INPUTS.get(comparison, comparison)}", loc="left")
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.6 * (high - low), high)  # room for the names below the lines
    axes.legend(loc="lower right")
    grid_lines(axes)


def _draw_growth(points: Sequence[Point], axes: Axes) -> None:
    models = [point.step.models for point in points]
    for label, times, colour, marker in (
        ("a step", [1e3 * p.step.seconds.median for p in points], BLUE, "o"),
        ("its products", [1e3 * p.step.product_seconds.median for p in points], VERMILION, "s"),
        ("a step, per model", [1e3 * p.seconds_per_model for p in points], GREEN, "^"),
    ):
        axes.plot(models, times, color=colour, marker=marker, markersize=5, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(models, [str(number) for number in models])
    axes.set_yscale("log")
    _label_sparsely(axes.yaxis)
    axes.set_xlabel("models side by side")
    axes.set_ylabel("milliseconds")
    axes.set_title("A training step as the stack grows", loc="left")
    axes.legend(loc="best")
    grid_lines(axes)


def _label_sparsely(axis: Axis) -> None:
    """Ticks of a logarithmic axis at 1, 2 and 5, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(readable_number))
    axis.set_minor_formatter(NullFormatter())
