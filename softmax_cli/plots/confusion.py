"""``confusion_matrix.png``: which classes are taken for which."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from softmax_cli.evaluation.intervals import wilson_interval
from softmax_cli.evaluation.metrics import most_confused_pairs
from softmax_cli.plots.style import BLUE, ink_on, new_figure, readable_percent, short_name, styled

_COLOURS = "Blues"
_CELL = 0.56  # inches
_MOST_CLASSES = 25
"""Above this many classes a matrix has more cells than anybody can read."""
_PAIRS = 30


@styled
def confusion_figure(
    matrix: NDArray[np.int64],
    class_names: Sequence[str],
    *,
    title: str = "",
    examples: str = "images",
) -> Figure:
    """Draw a confusion matrix: cells show counts, colours the share of the true class.

    Of more than 25 classes the pairs that are most often confused are drawn in its place.

    Args:
        matrix: ``(C, C)`` counts; rows are true classes, columns predicted classes.
        class_names: C names.
        title: above the matrix; examples and accuracy with its 95 % interval if empty.
        examples: what the examples are, for the title.
    """
    title = title or _summary(matrix, examples)
    support = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, support, out=np.zeros(matrix.shape), where=support > 0)
    if len(class_names) > _MOST_CLASSES:
        return _pairs_figure(matrix, shares, class_names, title)
    return _matrix_figure(matrix, shares, class_names, title)


def _pairs_figure(
    matrix: NDArray[np.int64],
    shares: NDArray[np.float64],
    class_names: Sequence[str],
    title: str,
) -> Figure:
    """Bars for the pairs that are most often confused, the first one at the top."""
    true, predicted = most_confused_pairs(matrix, _PAIRS).T
    which = f"the {len(true)} most frequent confusions among {len(class_names)} classes"
    figure = new_figure(7.5, max(1.6, 0.24 * len(true) + 0.9), f"{title}\n{which}")
    axes = figure.subplots()
    places = np.arange(len(true))
    bars = axes.barh(places, shares[true, predicted], color=BLUE, height=0.7)
    counts = zip(matrix[true, predicted], matrix[true].sum(axis=1), strict=True)
    axes.bar_label(bars, [f"{count:,} of {whole:,}" for count, whole in counts], padding=4)
    names = [short_name(name, 24) for name in class_names]
    labels = [f"{names[t]} → {names[p]}" for t, p in zip(true, predicted, strict=True)]
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set_xlabel("share of the true class (left of the arrow) that is taken for the other one")
    axes.xaxis.set_major_formatter(FuncFormatter(readable_percent))
    axes.margins(x=0.16, y=0.01)
    axes.tick_params(axis="y", length=0)
    return figure


def _matrix_figure(
    matrix: NDArray[np.int64],
    shares: NDArray[np.float64],
    class_names: Sequence[str],
    title: str,
) -> Figure:
    size = len(class_names)
    top = shares.max(initial=0.0) or 1.0
    figure = new_figure(max(4.4, _CELL * size + 2.6), max(3.4, _CELL * size + 1.5), title)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap=_COLOURS, vmin=0, vmax=top, interpolation="nearest")
    _write_counts(axes, matrix, shares / top)
    _name_classes(axes, class_names)
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_label("share of the true class")
    bar.ax.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    bar.outline.set_visible(False)
    return figure


def _summary(matrix: NDArray[np.int64], examples: str) -> str:
    count, hits = int(matrix.sum()), int(np.trace(matrix))
    share = hits / count if count else 0.0
    low, high = wilson_interval(hits, count)
    # The blanks inside break no line.
    between = f"({100 * low:.1f} to {100 * high:.1f} %)".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{count:,} {examples}, accuracy {readable_percent(share)} {between}"


def _name_classes(axes: Axes, class_names: Sequence[str]) -> None:
    names = [short_name(name, 18) for name in class_names]
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Axes, matrix: NDArray[np.int64], darkness: NDArray[np.float64]) -> None:
    colour_map = mpl.colormaps[_COLOURS]
    digits = len(str(int(matrix.max(initial=0))))
    for (row, column), count in np.ndenumerate(matrix):
        axes.text(
            column,
            row,
            str(count),
            ha="center",
            va="center",
            fontsize=min(9.0, 36 / digits),
            fontweight="bold" if row == column else "normal",
            color=ink_on(colour_map, float(darkness[row, column])),
        )
