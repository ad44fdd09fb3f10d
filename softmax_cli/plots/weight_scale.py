"""Weights as shares of the greatest one, of all classes or of each class by itself."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DivergedError

TemplateScale: TypeAlias = Literal["global", "class"]

SCALE_WORDS: dict[TemplateScale, str] = {
    "global": "one scale for all",
    "class": "each on its own scale",
}


def check_finite(*weights: NDArray[np.floating[Any]]) -> None:
    """See that weights can be drawn.

    Raises:
        DivergedError: one is not finite.
    """
    if not all(np.isfinite(array).all() for array in weights):
        raise DivergedError(
            "expected finite weights to draw, got infinities or NaN",
            hint="Training diverged; train again with a smaller learning rate.",
        )


def relative(weights: NDArray[np.floating[Any]], scale: TemplateScale) -> NDArray[np.float64]:
    """Weights (C, ...) from -1 to 1; 0 where all are 0."""
    flat = np.abs(weights.reshape(len(weights), -1))
    most = flat.max(axis=1, initial=0.0) if scale == "class" else flat.max(initial=0.0)
    most = np.where(most > 0, most, 1.0).reshape(-1, *[1] * (weights.ndim - 1))
    return weights / most
