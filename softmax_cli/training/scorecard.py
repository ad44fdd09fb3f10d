"""Loss and accuracy of every model of a stack on images it does not train on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Rows
from softmax_cli.features.standardization import Standardization
from softmax_cli.model.loss import Kernel, Workspace
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.engine import LARGEST_SELECTION

Multiply = Callable[[NDArray[np.int64]], Floats]
"""``multiply(rows)`` gives (1 + n, (C - 1) K), the ``product`` of :meth:`LinearStack.logits`."""


@dataclass(frozen=True)
class Scorecard:
    """What K models got on the same images.

    Attributes:
        loss: (K,) mean data loss, without the regularisation term.
        accuracy: (K,) fraction of images whose true class scores highest (the first one of a tie).
    """

    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def score_stack(
    stack: LinearStack,
    multiply: Multiply,
    labels: NDArray[np.int64],
    kernel: Kernel,
    temperature: NDArray[np.float64],
) -> Scorecard:
    """Score the models of a stack on n images, a chunk at a time.

    Args:
        stack: K models.
        multiply: products of the images.
        labels: (n,) int64, n > 0.
        kernel: the loss.
        temperature: (K,).
    """
    models, dtype = stack.models, stack.weights.dtype
    loss, correct = np.zeros(models), np.zeros(models)
    for start in range(0, len(labels), LARGEST_SELECTION):
        truth = labels[start : start + LARGEST_SELECTION]
        logits = np.empty((stack.classes, models, len(truth)), dtype)
        stack.logits(multiply(np.arange(start, start + len(truth))), temperature, logits)
        correct += (logits.argmax(axis=0) == truth).sum(axis=1)
        work = Workspace.allocate(models, len(truth), dtype)
        kernel(logits, truth, np.ones((models, 1), dtype), work)
        loss += work.losses.sum(axis=1, dtype=np.float64)
    return Scorecard(loss / len(labels), correct / len(labels))


def multiplied_by(stack: LinearStack, features: Rows, standardization: Standardization) -> Multiply:
    """Products of features (n, Q) with the weights of a stack, in this process alone."""

    def multiply(rows: NDArray[np.int64]) -> Floats:
        X = np.zeros((1 + len(rows), stack.features), np.float32)
        standardization.apply(features[rows], X[1:])
        return X @ stack.contrasts

    return multiply
