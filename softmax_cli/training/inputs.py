"""What a trainer sees of the images: as they are, flipped at random, or folded.

*Random flips* show each drawn image as it is or mirrored, with equal probability. *Folding* is what
they amount to. The flip-augmented loss is convex and does not change when all images are flipped,
so its optimum can be taken to have flip-symmetric weights, and such weights score an image and its
flip alike. On them the gradient averaged over both is that of one image of features
``(x + flip x)/sqrt 2`` over half as many weights: SGD follows the same path on average, without the
noise of the coins and at half the arithmetic. The square root keeps the basis orthonormal, so that
learning rate and regularisation mean what they mean without folding.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.mirroring import folded, left_half, mirrored, unfolded, with_mirrored
from softmax_cli.data.preprocessing import Preprocessing

HorizontalFlip = bool | Literal["exact"]
Pixels = NDArray[np.unsignedinteger]


@dataclass(frozen=True)
class Inputs:
    """Pixels, or sums of pixels, and how they become features.

    Attributes:
        train: (n, P); with random flips (2 n, P), the images and then their mirror images.
        validation: (m, P).
        preprocessing: over P inputs.
    """

    train: Pixels
    validation: Pixels
    preprocessing: Preprocessing


def prepare_inputs(
    train: NDArray[np.uint8],
    validation: NDArray[np.uint8],
    preprocessing: Preprocessing,
    flip: HorizontalFlip,
) -> Inputs:
    """Inputs from images (n, D) and (m, D).

    Args:
        train: training images.
        validation: validation images.
        preprocessing: over D pixels; flip-symmetric if ``flip`` is ``exact``.
        flip: False, True for random flips, or ``exact`` for folding.
    """
    if flip == "exact":
        return Inputs(folded(train), folded(validation), _folded_preprocessing(preprocessing))
    return Inputs(with_mirrored(train) if flip else train, validation, preprocessing)


def weights_by_pixel(weights: NDArray[np.floating], flip: HorizontalFlip) -> NDArray[np.floating]:
    """Weights (D, C) over pixels, from those (P, C) over the inputs of a trainer."""
    if flip != "exact":
        return weights
    return unfolded(weights) * weights.dtype.type(1 / math.sqrt(2))


def _folded_preprocessing(preprocessing: Preprocessing) -> Preprocessing:
    """``((x - m) + (x' - m)) / (sqrt 2 s)`` written as ``((x + x') - 2 m) / (sqrt 2 s)``."""
    for values in (preprocessing.mean, preprocessing.scale):
        if (values != mirrored(values)).any():
            raise ValueError("expected flip-symmetric preprocessing")
    return Preprocessing(
        mean=left_half(2 * preprocessing.mean).astype(np.float32),
        scale=left_half(math.sqrt(2) * preprocessing.scale).astype(np.float32),
    )
