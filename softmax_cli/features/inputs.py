"""What a trainer sees of the features: as they are, flipped at random, or folded.

*Random flips* show each drawn image as it is or mirrored, with equal probability. *Folding* is what
they amount to. The flip-augmented loss is convex and does not change when all images are flipped,
so its optimum can be taken to have flip-symmetric weights, and such weights score an image and its
flip alike. On them the gradient averaged over both is that of one image of folded features over
half as many weights: SGD follows the same path on average, without the noise of the coins and at
half the arithmetic.
"""

from dataclasses import dataclass
from typing import Literal

from softmax_cli.arrays import Floats, Indices, Rows
from softmax_cli.features.folding import Folding, with_mirrored
from softmax_cli.features.standardization import Standardization

HorizontalFlip = bool | Literal["exact"]


@dataclass(frozen=True)
class Inputs:
    """Rows of numbers, and how they become standardised features.

    Attributes:
        train: (n, Q), Q = P features, or F folded ones; with random flips (2 n, P), the features of
            the images and then those of their mirror images.
        validation: (m, Q).
        standardization: over Q inputs.
    """

    train: Rows
    validation: Rows
    standardization: Standardization


def prepare_inputs(
    train: Rows,
    validation: Rows,
    standardization: Standardization,
    mirror: Indices | None,
    flip: HorizontalFlip,
) -> Inputs:
    """Inputs from features (n, P) and (m, P).

    Args:
        train: of the training images.
        validation: of the validation images.
        standardization: over P features; flip-symmetric if ``flip`` is ``exact``.
        mirror: (P,) int64, what mirroring an image does to its features; not looked at if ``flip``
            is false.
        flip: False, True for random flips, or ``exact`` for folding.

    Raises:
        ValueError: the feature map has no mirror permutation, but ``flip`` needs one.
    """
    if not flip:
        return Inputs(train, validation, standardization)
    mirror = _required(mirror)
    if flip == "exact":
        folding = Folding(mirror)
        return Inputs(
            folding.fold(train),
            folding.fold(validation),
            folding.standardization(standardization),
        )
    return Inputs(with_mirrored(train, mirror), validation, standardization)


def weights_by_feature(weights: Floats, mirror: Indices | None, flip: HorizontalFlip) -> Floats:
    """Weights (P, C) over features, from those (Q, C) over the inputs of a trainer.

    Raises:
        ValueError: the feature map has no mirror permutation, but ``flip`` needs one.
    """
    return Folding(_required(mirror)).unfold(weights) if flip == "exact" else weights


def _required(mirror: Indices | None) -> Indices:
    if mirror is None:
        raise ValueError("expected a feature map with a mirror permutation")
    return mirror
