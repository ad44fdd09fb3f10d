"""Small colour images side by side, each with a caption."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from softmax_cli.plots.style import new_figure

SIDE = 32


def images_from_rows(rows: NDArray[Any]) -> NDArray[Any]:
    """Turn ``(n, 3072)`` rows in channel-major order into ``(n, 32, 32, 3)``, a view."""
    return rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)


def grid_shape(count: int) -> tuple[int, int]:
    """Return rows and columns for images: wider than high, few gaps; 10 as 2 x 5.

    Args:
        count: of images, 1 or more.
    """
    wanted = math.sqrt(2.5 * count)
    narrowest, widest = math.ceil(math.sqrt(1.5 * count)), math.ceil(math.sqrt(3.2 * count))
    columns = min(
        range(min(narrowest, count), min(widest, count) + 1),
        key=lambda columns: (-count % columns, abs(columns - wanted)),
    )
    return math.ceil(count / columns), columns


def picture_grid(
    images: NDArray[np.uint8], captions: Sequence[str], *, title: str, caption_lines: int = 1
) -> Figure:
    """Draw images in a grid, sharp-edged, with captions above them.

    Args:
        images: ``(n, H, W, 3)`` uint8.
        captions: n texts, each at most ``caption_lines`` lines.
        title: above everything.
        caption_lines: the height to keep free for a caption.
    """
    rows, columns = grid_shape(len(images))
    width = max(1.55 * columns, 4.5)
    figure = new_figure(width, rows * (1.4 + 0.18 * caption_lines) + 0.1, title)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, image, caption in zip(panels, images, captions, strict=False):
        axes.imshow(image, interpolation="nearest")
        axes.set_title(caption, fontsize=9, pad=4)
    return figure
