"""``confusion_matrix.png``: which classes are taken for which."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from softmax_cli.evaluation.intervals import wilson_interval
from softmax_cli.plots.style import ink_on, new_figure, readable_percent, short_name, styled

_COLOURS = "Blues"
# Above this many classes numbers in the cells are too small to read.
_NUMBERED_CLASSES = 25


@styled
def confusion_figure(
    matrix: NDArray[np.int64], class_names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw a confusion matrix: cells show counts, colours the share of the true class.

    Args:
        matrix: ``(C, C)`` counts; rows are true classes, columns predicted classes.
        class_names: C names.
        title: above the matrix; examples and accuracy with its 95 % interval if empty.
    """
    size = len(class_names)
    support = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, support, out=np.zeros(matrix.shape), where=support > 0)
    top = shares.max(initial=0.0) or 1.0
    cell = 0.56 if size <= _NUMBERED_CLASSES else 0.22
    figure = new_figure(
        max(4.4, cell * size + 2.6), max(3.4, cell * size + 1.5), title or _summary(matrix)
    )
    axes = figure.subplots()
    image = axes.imshow(shares, cmap=_COLOURS, vmin=0, vmax=top, interpolation="nearest")
    if size <= _NUMBERED_CLASSES:
        _write_counts(axes, matrix, shares / top)
    _name_classes(axes, class_names)
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_label("share of the true class")
    bar.ax.yaxis.set_major_formatter(FuncFormatter(readable_percent))
    bar.outline.set_visible(False)
    return figure


def _summary(matrix: NDArray[np.int64]) -> str:
    examples, hits = int(matrix.sum()), int(np.trace(matrix))
    share = hits / examples if examples else 0.0
    low, high = wilson_interval(hits, examples)
    # The blanks inside break no line.
    between = f"({100 * low:.1f} to {100 * high:.1f} %)".replace(" ", "\N{NO-BREAK SPACE}")
    return f"{examples:,} images, accuracy {readable_percent(share)} {between}"


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
