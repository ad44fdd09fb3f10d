"""The losses as the training loop runs them: class-major, in place, for K models at once.

Scores come as (C, K, N), classes first. Reducing over a leading axis of length 10 is a handful of
long vector operations; over a trailing one it is N K short ones, ten times slower. Nothing here
allocates arrays of the size of the scores.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]


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


Kernel = Callable[[Floats, Labels, Floats, Workspace], None]
"""``kernel(scores, labels, factor, work)``; see :func:`softmax_kernel`."""


def softmax_kernel(scores: Floats, labels: Labels, factor: Floats, work: Workspace) -> None:
    """Turn logits into the gradient of the softmax loss, in place.

    Args:
        scores: (C, K, N) C-contiguous logits ``s/T``; overwritten by ``factor * (p - 1_y)``. With
            ``factor = 1/(N T)`` that is the gradient of the mean loss by the scores s.
        labels: (N,) true classes, the same for all models.
        factor: (K, N), or (K, 1), what each example's gradient is multiplied by.
        work: ``losses`` and ``correct`` are set.
    """
    true_class = labels * scores[0].size + work.positions
    flat = scores.reshape(-1)
    np.max(scores, axis=0, out=work.peaks)
    np.subtract(scores, work.peaks, out=scores)
    true_logits = flat.take(true_class)
    np.greater_equal(true_logits, 0, out=work.correct)
    np.exp(scores, out=scores)
    np.sum(scores, axis=0, out=work.totals)
    np.log(work.totals, out=work.losses)
    np.subtract(work.losses, true_logits, out=work.losses)
    np.divide(factor, work.totals, out=work.totals)
    np.multiply(scores, work.totals, out=scores)
    flat[true_class] -= factor


def hinge_kernel(scores: Floats, labels: Labels, factor: Floats, work: Workspace) -> None:
    """Turn scores into the gradient of the multiclass hinge loss with margin 1, in place.

    Arguments as in :func:`softmax_kernel`; ``scores`` are overwritten by ``factor`` times the
    number 1 where a margin is violated, and minus their count at the true class.
    """
    true_class = labels * scores[0].size + work.positions
    flat = scores.reshape(-1)
    np.max(scores, axis=0, out=work.peaks)
    true_scores = flat.take(true_class)
    np.greater_equal(true_scores, work.peaks, out=work.correct)
    np.subtract(true_scores, 1, out=work.totals)
    np.subtract(scores, work.totals, out=scores)
    flat[true_class] = 0
    np.maximum(scores, 0, out=scores)
    np.sum(scores, axis=0, out=work.losses)
    # A NaN margin must stay NaN: sign keeps it, a comparison would turn it into "not violated".
    np.sign(scores, out=scores)
    np.sum(scores, axis=0, out=work.totals)
    np.multiply(scores, factor, out=scores)
    flat[true_class] = -work.totals * factor


KERNELS: dict[str, Kernel] = {"softmax": softmax_kernel, "hinge": hinge_kernel}
"""The kernel of each loss a configuration can name."""
