"""k-fold cross-validation inside a stack: every fold of every trial sees the same minibatches.

Fold f holds images ``f n // k`` to ``(f + 1) n // k``; CIFAR comes shuffled. A model of fold f
learns from all images but those: in its column of a minibatch they have weight zero, and the others
are weighted so that their mean is taken. Members are ordered trial by trial, fold by fold.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import PerModel, Rows
from softmax_cli.errors import ConfigurationError
from softmax_cli.features.standardization import Standardization
from softmax_cli.model.loss import Kernel
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.scorecard import Scorecard, multiplied_by, score_stack


def fold_of_images(images: int, folds: int) -> NDArray[np.int64]:
    """The fold (n,) of each image; sizes differ by one at most.

    Raises:
        ConfigurationError: there are fewer images than folds.
    """
    if images < folds:
        raise ConfigurationError(
            f"expected at least {folds} training images for {folds} folds, got {images}"
        )
    return np.arange(images) * folds // images


def fold_weights(
    image_folds: NDArray[np.int64], member_folds: NDArray[np.int64]
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    """Weights of the images of a minibatch, by their indices (N,).

    Args:
        image_folds: (n,) fold of each training image.
        member_folds: (K,) fold that each model is validated on.

    Returns:
        A function to (K, N) weights: 0 in a model's own fold, else equal, with sum N. A row is all
        zero if the minibatch lies in the model's own fold altogether.
    """

    def weights(indices: NDArray[np.int64]) -> NDArray[np.float64]:
        learns = image_folds[indices] != member_folds[:, None]
        counts = np.maximum(learns.sum(axis=1, keepdims=True), 1)
        return np.asarray(learns * (len(indices) / counts))

    return weights


def score_folds(
    stack: LinearStack,
    features: Rows,
    labels: NDArray[np.int64],
    standardization: Standardization,
    kernel: Kernel,
    temperature: PerModel,
    *,
    image_folds: NDArray[np.int64],
    member_folds: NDArray[np.int64],
) -> Scorecard:
    """Score each model on the images of its own fold.

    Args:
        stack: K models.
        features: (n, Q) of all training images.
        labels: (n,) int64.
        standardization: of the features.
        kernel: the loss.
        temperature: (K,).
        image_folds: (n,) fold of each image.
        member_folds: (K,) fold that each model is scored on.
    """
    loss, accuracy = np.empty(stack.models), np.empty(stack.models)
    for fold in np.unique(member_folds):
        members, rows = member_folds == fold, image_folds == fold
        models = stack.select(members)
        multiply = multiplied_by(models, features[rows], standardization)
        card = score_stack(models, multiply, labels[rows], kernel, temperature[members])
        loss[members], accuracy[members] = card.loss, card.accuracy
    return Scorecard(loss, accuracy)


def not_scored(models: int) -> Scorecard:
    """What stands where the models were not scored: NaN."""
    return Scorecard(np.full(models, np.nan), np.full(models, np.nan))
