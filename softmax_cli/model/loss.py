"""What a loss is: one record for each, found by name in ``losses``.

A training step asks for the *kernel*: loss and gradient of K models at once, class-major and in
place. Scores come as (C, K, N), classes first. Reducing over a leading axis of length 10 is a
handful of long vector operations; over a trailing one it is N K short ones, ten times slower.
Everything else asks for the *mean loss* of scores (N, C), in float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Labels


@dataclass(frozen=True)
class Workspace:
    """Arrays a kernel writes to: results, and scratch that is reused from step to step.

    Attributes:
        losses: (K, N) loss of each example under each model; a result.
        correct: (K, N) bool, whether no class scored above the true one; a result.
        peaks: (K, N) scratch.
        totals: (K, N) scratch.
        positions: (K, N) int64, where in the flat scores model k's example n of class 0 lies.
    """

    losses: Floats
    correct: NDArray[np.bool_]
    peaks: Floats
    totals: Floats
    positions: NDArray[np.int64]

    @classmethod
    def allocate(cls, models: int, examples: int, dtype: np.dtype[np.floating]) -> Self:
        """Workspace for scores of shape (C, ``models``, ``examples``) and ``dtype``."""
        shape = (models, examples)
        return cls(
            losses=np.empty(shape, dtype),
            correct=np.empty(shape, np.bool_),
            peaks=np.empty(shape, dtype),
            totals=np.empty(shape, dtype),
            positions=np.arange(models * examples, dtype=np.int64).reshape(shape),
        )


Kernel: TypeAlias = Callable[[Floats, Labels, Floats, Workspace], None]
"""``kernel(scores, labels, factor, work)`` turns scores into their gradient, in place.

Args:
    scores: (C, K, N) C-contiguous, already divided by the temperature; overwritten by ``factor``
        times the gradient of each example's loss by these scores. With ``factor = 1/(N T)`` that
        is the gradient of the mean loss by the scores before the division.
    labels: (N,) true classes, the same for all models.
    factor: (K, N), or (K, 1), what each example's gradient is multiplied by.
    work: ``losses`` and ``correct`` are set. No array of the size of the scores is allocated.
"""


@dataclass(frozen=True)
class Loss:
    """One loss that a linear classifier can be trained with.

    The contract that contrasts rest on (see ``stack``): a loss depends on the differences between
    the scores of an example alone, so the gradients by its C scores add up to zero.

    Attributes:
        name: what a configuration calls it.
        mean_loss: ``mean_loss(scores, labels, temperature)`` of scores (N, C) under labels (N,),
            averaged over the examples, without the regularisation term.
        kernel: the same loss with its gradient, for a step of training.
        gives_probabilities: whether ``softmax(scores / temperature)`` are the probabilities that
            the model was trained for. Where they are not, the loss ignores the temperature, and
            only a fitted temperature makes probabilities of the scores.
        scores_are: what the scores are, in a few words for messages.
    """

    name: str
    mean_loss: Callable[[Floats, Labels, float], float]
    kernel: Kernel
    gives_probabilities: bool
    scores_are: str

    def mean(self, scores: Floats, labels: Labels, temperature: float = 1.0) -> float:
        """Mean loss of scores (N, C) of any floating dtype, computed in float64."""
        return self.mean_loss(scores.astype(np.float64), labels, temperature)

    def of_each(
        self, scores: Floats, labels: Labels, temperature: float = 1.0
    ) -> NDArray[np.float64]:
        """Loss (N,) of each example, from scores (N, C) of any floating dtype, in float64."""
        scale = temperature if self.gives_probabilities else 1.0
        class_major = np.ascontiguousarray((scores.astype(np.float64) / scale).T[:, None])
        work = Workspace.allocate(1, len(labels), class_major.dtype)
        self.kernel(class_major, labels, np.ones((1, 1)), work)  # scores are (C, 1, N)
        return np.asarray(work.losses[0], np.float64)


def regularized(loss: float, dW: Floats, W: Floats, reg: float) -> tuple[float, Floats]:
    """A data loss and its gradient (D, C), with ``reg/2 * |W|^2`` added."""
    return float(loss + 0.5 * reg * np.sum(W * W)), dW + reg * W
