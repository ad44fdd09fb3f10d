"""``dictionary.png`` and ``patches.png``: the filters of patches, and what they say of classes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from softmax_cli.plots.image_grid import grid_shape, picture_grid
from softmax_cli.plots.style import BLUE, VERMILION, new_figure, short_name, styled
from softmax_cli.plots.weight_scale import SCALE_WORDS, TemplateScale, check_finite, relative

_MOST_FILTERS = 1000  # more would be too small to see
_STRONGEST = 5  # patches shown for a class, and as many against it
_TILE = 48  # pixels along a patch or a map
_GAP = 6
_PAPER = 255


@styled
def dictionary_figure(filters: NDArray[np.floating[Any]], *, total: int) -> Figure:
    """Draw filters as small colour images, each on its own brightness scale.

    Args:
        filters: ``(n, s, s, 3)``, grey is 0; of more than a thousand the first are drawn.
        total: of filters, those that mirror these included.
    """
    shown = _as_colours(filters[:_MOST_FILTERS])
    rows, columns = grid_shape(len(shown))
    side = shown.shape[1]
    mosaic = np.full((rows * (side + 1) - 1, columns * (side + 1) - 1, 3), _PAPER, np.uint8)
    for number, image in enumerate(shown):
        top, left = (side + 1) * (number // columns), (side + 1) * (number % columns)
        mosaic[top : top + side, left : left + side] = image
    count = f"{len(shown)} of {len(filters)}" if len(shown) < len(filters) else f"{len(shown)}"
    figure = new_figure(
        7.5,
        7.5 * len(mosaic) / mosaic.shape[1] + 0.1,
        f"Dictionary: {count} filters; with their mirror images there are {total}",
    )
    axes = figure.subplots()
    axes.set_axis_off()
    axes.imshow(mosaic, interpolation="nearest")
    return figure


@styled
def patches_figure(
    filters: NDArray[np.floating[Any]],
    weights: NDArray[np.floating[Any]],
    class_names: Sequence[str],
    *,
    scale: TemplateScale,
) -> Figure:
    """Draw, for each class, the patches that speak most for it and against it, and where.

    The upper patches have the greatest sums of weights over the regions, the lower ones the least.
    Below each patch is a map of the image: a region is blue where the patch speaks for the class,
    red where it speaks against it.

    Args:
        filters: ``(n, s, s, 3)``, grey is 0.
        weights: ``(C, n, g, g)`` of standardised features.
        class_names: C names.
        scale: whether the greatest weight shown of all classes or of each class is the deepest
            colour.

    Raises:
        DivergedError: a weight is not finite.
    """
    check_finite(weights)
    ranking = np.argsort(-weights.sum(axis=(2, 3)), axis=1, kind="stable")  # (C, n)
    count = min(_STRONGEST, math.ceil(len(filters) / 2))
    strongest = np.stack([ranking[:, :count], ranking[:, ::-1][:, :count]], axis=1)
    shown = weights[np.arange(len(weights))[:, None, None], strongest]  # (C, 2, count, g, g)
    colours = _as_colours(filters)
    images = [
        _class_image(colours[patches], _as_map(maps))
        for patches, maps in zip(strongest, relative(shown, scale), strict=True)
    ]
    return picture_grid(
        np.stack(images),
        [short_name(name, 18) for name in class_names],
        title="Patches that speak most for a class, above, and against it, below\n"
        f"In blue where a patch speaks for it, in red against; {SCALE_WORDS[scale]}",
    )


def _class_image(patches: NDArray[np.uint8], maps: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Patches (2, count, s, s, 3), each above its map (2, count, g, g, 3), as one image."""
    pairs = np.stack([_enlarged(patches), _enlarged(maps)], axis=1)  # (2, 2, count, tile, tile, 3)
    margins = [(0, 0), (0, 0), (0, 0), (0, _GAP), (0, _GAP), (0, 0)]
    framed = np.pad(pairs, margins, constant_values=_PAPER)
    # A wider gap between those for the class and those against it.
    rows = [np.concatenate(list(line), axis=1) for half in framed for line in half]
    rows.insert(2, np.full((2 * _GAP, *rows[0].shape[1:]), _PAPER, np.uint8))
    return np.concatenate(rows)[:-_GAP, :-_GAP]


def _enlarged(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (..., s, s, 3) with each pixel repeated, (..., tile, tile, 3)."""
    places = np.arange(_TILE) * images.shape[-2] // _TILE
    return images[..., places[:, None], places, :]


def _as_colours(filters: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Filters (n, s, s, 3) with 0 as grey and the number farthest from 0 as black or white."""
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    shares = np.divide(filters, largest, out=np.zeros(filters.shape), where=largest > 0)
    colours: NDArray[np.uint8] = np.rint(127.5 * (1 + shares)).astype(np.uint8)
    return colours


def _as_map(shares: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Colours (..., 3) of numbers from -1, red, over 0, white, to 1, blue."""
    ink = np.where(shares[..., None] > 0, to_rgb(BLUE), to_rgb(VERMILION))
    tint = 1 + np.abs(shares)[..., None] * (ink - 1)
    colours: NDArray[np.uint8] = np.rint(255 * tint).astype(np.uint8)
    return colours
