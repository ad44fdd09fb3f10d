"""``reliability.png``: does a confidence of 70 % mean right 70 % of the time?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter

from softmax_cli.plots.error_bars import ERROR_BARS, share_errors
from softmax_cli.plots.style import (
    ORANGE,
    SKY,
    VERMILION,
    legend_above,
    new_figure,
    readable_number,
    readable_percent,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from softmax_cli.evaluation.calibration import Reliability


@styled
def reliability_figure(
    before: Reliability,
    after: Reliability | None = None,
    *,
    title: str = "",
    examples: str = "images",
) -> Figure:
    """Draw accuracy with intervals against confidence, and how many images have which confidence.

    Args:
        before: at the model's own temperature.
        after: at the fitted temperature; drawn in a second column if given.
        title: above everything; none if empty.
        examples: what the examples are, for a label.
    """
    columns = [before] if after is None else [before, after]
    names = ["" if after is None else "before: ", "calibrated: "]
    figure = new_figure(4.6 * len(columns), 5.6, title, column_gap=0.08)
    panels = figure.subplots(
        2, len(columns), sharex=True, sharey="row", squeeze=False, height_ratios=[3.2, 1.0]
    )
    for column, (result, name) in enumerate(zip(columns, names, strict=False)):
        _draw_accuracy(panels[0, column], result, name)
        _draw_counts(panels[1, column], result)
    panels[0, 0].set_ylabel("accuracy")
    panels[1, 0].set_ylabel(f"share of {examples}")
    figure.align_ylabels(panels)
    return figure


def _draw_accuracy(axes: Axes, result: Reliability, name: str) -> None:
    """Draw a bar to each bin's accuracy, and between it and the mean confidence the gap."""
    lefts, width = _bins(result)
    filled = result.counts > 0
    accuracy, confidence = result.accuracy[filled], result.confidence[filled]
    axes.bar(lefts[filled], accuracy, width, align="edge", color=SKY, edgecolor="white")
    axes.bar(
        lefts[filled],
        confidence - accuracy,
        width,
        bottom=accuracy,
        align="edge",
        facecolor="none",
        edgecolor=VERMILION,
        hatch="////",
        linewidth=0.8,
        label="gap",
    )
    axes.errorbar(
        lefts[filled] + width / 2,
        accuracy,
        share_errors(accuracy, result.counts[filled]),
        label="95 % interval",
        **ERROR_BARS,
    )
    axes.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1.2, label="honest")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    axes.set_title(
        f"{name}T = {readable_number(result.temperature)}\n"
        f"calibration error {100 * result.expected_calibration_error:.1f} %, "
        f"loss {result.loss:.4f}",
        pad=24,
    )
    legend_above(axes)


def _draw_counts(axes: Axes, result: Reliability) -> None:
    lefts, width = _bins(result)
    shares = result.counts / max(1, result.counts.sum())
    axes.bar(lefts, shares, width, align="edge", color=ORANGE, edgecolor="white")
    axes.xaxis.set_major_formatter(FuncFormatter(readable_percent))
    axes.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    axes.set_xlabel("confidence (greatest probability)")


def _bins(result: Reliability) -> tuple[NDArray[np.float64], float]:
    """Return the left edges and the width of the bins."""
    width = 1 / len(result.counts)
    return np.linspace(0, 1, len(result.counts), endpoint=False), width
