"""Loss and accuracy of every model of a stack on images it does not train on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.model.kernels import Kernel, Workspace
from softmax_cli.model.stack import LinearStack

_CHUNK = 500


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
    images: NDArray[np.unsignedinteger],
    labels: NDArray[np.int64],
    preprocessing: Preprocessing,
    kernel: Kernel,
    temperature: NDArray[np.float64],
) -> Scorecard:
    """Score the models of a stack on images (n, D), a chunk at a time.

    Args:
        stack: K models.
        images: (n, D) integers, n > 0.
        labels: (n,) int64.
        preprocessing: from images to features.
        kernel: the loss.
        temperature: (K,).
    """
    models, dtype = stack.models, stack.weights.dtype
    loss, correct = np.zeros(models), np.zeros(models)
    features = np.empty((min(_CHUNK, len(images)), images.shape[1]), np.float32)
    for start in range(0, len(images), _CHUNK):
        chunk, truth = images[start : start + _CHUNK], labels[start : start + _CHUNK]
        count = len(chunk)
        X = features[:count]
        preprocessing.apply(chunk, X)
        logits = np.empty((stack.classes, models, count), dtype)
        stack.logits(X @ stack.weights, temperature, logits)
        correct += (logits.argmax(axis=0) == truth).sum(axis=1)
        work = Workspace.allocate(models, count, dtype)
        kernel(logits, truth, np.ones((models, 1), dtype), work)
        loss += work.losses.sum(axis=1, dtype=np.float64)
    return Scorecard(loss / len(images), correct / len(images))
