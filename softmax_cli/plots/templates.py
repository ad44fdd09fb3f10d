"""``weights.png``: what each class looks like to a linear classifier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from softmax_cli.plots.image_grid import images_from_rows, picture_grid
from softmax_cli.plots.style import short_name, styled
from softmax_cli.plots.weight_scale import TemplateScale, check_finite

_SCALE_WORDS = {
    "global": "one brightness scale for all classes",
    "class": "each class on its own brightness scale",
}


def template_images(weights: NDArray[np.floating[Any]], scale: TemplateScale) -> NDArray[np.uint8]:
    """Turn weights into images: the pixel-space template of each class, without the bias.

    The least weight becomes 0 and the greatest 255; where all are equal they become 128.

    Args:
        weights: ``(3072, C)`` that raw pixels meet, one column per class, rows in channel-major
            pixel order.
        scale: ``global``: least and greatest of all classes; ``class``: of each by itself.

    Returns:
        ``(C, 32, 32, 3)`` uint8.

    Raises:
        DivergedError: a weight is not finite.
    """
    check_finite(weights)
    templates = weights.T.astype(np.float64)
    axis = None if scale == "global" else 1
    low = templates.min(axis=axis, keepdims=True)
    span = templates.max(axis=axis, keepdims=True) - low
    shares = np.full_like(templates, 0.5)
    np.divide(templates - low, span, out=shares, where=span > 0)
    return images_from_rows(np.rint(255 * shares).astype(np.uint8))


@styled
def templates_figure(
    images: NDArray[np.uint8], class_names: Sequence[str], *, scale: TemplateScale
) -> Figure:
    """Draw templates in a grid with their class names, ten as 2 x 5.

    Args:
        images: ``(C, 32, 32, 3)`` uint8, from `template_images`.
        class_names: C names.
        scale: what the images were made with; said in the title.
    """
    return picture_grid(
        images,
        [short_name(name, 18) for name in class_names],
        title=f"Learned templates: {_SCALE_WORDS[scale]}",
    )
