"""The regularised loss of K linear classifiers on all examples, as full-batch methods need it.

Model k has weights W_k (C, P + 1), of which the last column is the bias, and the objective::

    f_k(W) = sum_n v_kn loss(W x_n / T_k, y_n) / sum_n v_kn + lambda_k/2 ||W||^2

The gradients of a loss by the C scores of an example add up to zero, so the best weights of a
feature do so, too, and it is enough to look for them there: ``W = B U`` with an orthonormal basis B
(C, C - 1) of the numbers that add up to zero. U has a row less than W, which saves a tenth of both
products for ten classes. As ``||W|| = ||U||`` nothing else changes: going down along the gradient
by U is going down along that by W. (The contrasts of ``model.stack`` have another norm. SGD takes
no notice of it, because its regularisation only shrinks.)

Weights U of a stack are (C - 1, K, P + 1) and scores of a block (C - 1, K, n): classes first, as
the kernels want them.
"""

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Labels
from softmax_cli.model.loss import Kernel, Workspace
from softmax_cli.threads import in_threads
from softmax_cli.training.examples import Examples

PerModel = NDArray[np.float64]
Scores = list[Floats]
"""For each block of examples, (C - 1, K, n)."""


class Objective:
    """The objectives of K models on the same N examples.

    Args:
        examples: standardised, in blocks.
        labels: (N,) int64.
        kernel: a smooth loss.
        classes: C.
        temperature: (K,) T.
        regularization: (K,) lambda.
        example_weights: v, (K, N) or (1, N), at least 0 and in each row with a positive sum; None
            for ones.
    """

    def __init__(
        self,
        examples: Examples,
        labels: Labels,
        kernel: Kernel,
        classes: int,
        *,
        temperature: PerModel,
        regularization: PerModel,
        example_weights: Floats | None = None,
    ) -> None:
        self.examples = examples
        self.classes = classes
        self.temperature = temperature
        self.regularization = regularization
        self._labels = labels
        self._kernel = kernel
        self._basis = orthonormal_basis(classes).astype(examples.dtype)
        weights = np.ones((1, examples.count)) if example_weights is None else example_weights
        # (K or 1, N); each row adds up to 1.
        self._shares = weights / weights.sum(axis=1, keepdims=True, dtype=np.float64)

    @property
    def models(self) -> int:
        """K."""
        return len(self.temperature)

    def select(self, members: NDArray[np.bool_]) -> Self:
        """The objectives of the models in mask (K,)."""
        shares = self._shares if len(self._shares) == 1 else self._shares[members]
        return type(self)(
            self.examples,
            self._labels,
            self._kernel,
            self.classes,
            temperature=self.temperature[members],
            regularization=self.regularization[members],
            example_weights=shares,
        )

    def scores(self, weights: Floats) -> Scores:
        """``U X^T`` of each block (C - 1, K, n), for weights U (C - 1, K, P + 1)."""
        flat = weights.reshape(-1, self.examples.size)
        return [
            block.reshape(*weights.shape[:2], block.shape[-1])
            for block in self.examples.scores(flat)
        ]

    def gradient(self, scores: Scores, weights: Floats) -> Floats:
        """Gradients by U (C - 1, K, P + 1), at weights U that have these scores."""
        columns = (self.classes - 1) * self.models

        def error_of(number: int) -> Floats:
            error, _ = self._error(number, scores[number])
            return error.reshape(columns, error.shape[-1])

        gradient = self.examples.gradient(error_of, columns).reshape(weights.shape)
        return gradient + self.regularization.astype(weights.dtype)[:, None] * weights

    def along(self, scores: Scores, direction: Scores, step: PerModel) -> tuple[PerModel, PerModel]:
        """Mean losses (K,), without the penalty, and their slopes at scores + step * direction.

        Args:
            scores: of the weights.
            direction: scores of the direction in which the weights move.
            step: (K,).
        """
        factor = step.astype(self.examples.dtype)[:, None]

        def measure(number: int) -> tuple[PerModel, PerModel]:
            there = direction[number] * factor  # (C - 1, K, n)
            there += scores[number]
            error, losses = self._error(number, there)
            slopes = np.einsum("ckn,ckn->kn", error, direction[number])
            shares = self._shares[:, self.examples.blocks[number]]
            return (losses * shares).sum(axis=1), slopes.sum(axis=1, dtype=np.float64)

        parts = np.array(in_threads(measure, range(len(scores))))  # (blocks, 2, K)
        losses, slopes = parts.sum(axis=0)
        return losses, slopes

    def accuracy(self, scores: Scores) -> PerModel:
        """Share (K,) of the examples, by weight, of which no class scores above the true one."""

        def measure(number: int) -> PerModel:
            rows = self.examples.blocks[number]
            by_class = self.by_class(scores[number])  # (C, K, n)
            true = by_class[self._labels[rows], :, np.arange(by_class.shape[-1])].T  # (K, n)
            correct = true >= by_class.max(axis=0)
            return np.asarray((correct * self._shares[:, rows]).sum(axis=1))

        return np.asarray(np.sum(in_threads(measure, range(len(scores))), axis=0))

    def by_class(self, values: Floats) -> Floats:
        """Weights W, or gradients by them, (C, K, P + 1), from U (C - 1, K, P + 1)."""
        return _combined(self._basis, values)

    def from_classes(self, values: Floats) -> Floats:
        """The inverse of :meth:`by_class`; what W has in common for all classes is lost."""
        return _combined(self._basis.T, values)

    def _error(self, number: int, scores: Floats) -> tuple[Floats, Floats]:
        """Gradients by the scores (C - 1, K, n) of a block, and the losses (K, n)."""
        rows = self.examples.blocks[number]
        logits = self.by_class(scores)  # (C, K, n)
        logits /= self.temperature.astype(logits.dtype)[:, None]
        work = Workspace.allocate(self.models, logits.shape[-1], logits.dtype)
        factor = self._shares[:, rows] / self.temperature[:, None]  # (K, n)
        # From here on the logits hold their own gradient.
        self._kernel(logits, self._labels[rows], factor.astype(logits.dtype), work)
        return self.from_classes(logits), work.losses


def orthonormal_basis(classes: int) -> NDArray[np.float64]:
    """A basis (C, C - 1) of the C numbers that add up to zero, with orthonormal columns.

    They are the images of the first C - 1 unit vectors under the reflection that takes the last one
    to ``-(1, ..., 1)/sqrt C``.
    """
    root = np.sqrt(classes)
    basis = np.full((classes, classes - 1), -1 / (classes + root))
    basis[-1] = -1 / root
    basis[np.arange(classes - 1), np.arange(classes - 1)] += 1
    return basis


def _combined(matrix: Floats, values: Floats) -> Floats:
    """The product of a matrix (I, J) and values (J, ...), as one product of matrices."""
    rest = values.shape[1:]
    return (matrix @ values.reshape(len(values), math.prod(rest))).reshape(len(matrix), *rest)
