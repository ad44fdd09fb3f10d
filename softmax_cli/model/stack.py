"""K linear classifiers side by side, so that their scores come out of one matrix product.

Both losses depend on the differences between the scores of an example alone, so the gradients of
its scores add up to zero. A classifier of C classes is therefore kept as C - 1 *contrasts*, the
weights of a class less those of the last one, and the mean over the classes. Only the contrasts are
multiplied with images, which saves a tenth of both products for ten classes. The mean receives no
gradient; it only decays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats


@dataclass
class LinearStack:
    """Weights of K linear classifiers over D features and C classes.

    Column ``c * K + k`` is contrast c of model k, and the last K columns are the means: classes are
    outermost, so the scores transposed are class-major without moving a number. Features are rows
    because both products of a training step, ``X W`` and ``X^T E``, ran fastest on that order.

    The true weights are ``shrinkage * weights``. Weight decay multiplies W by ``1 - lr * reg`` at
    each step; carrying that product in one number a model saves a pass over all weights.

    Attributes:
        weights: (D, C K), to be multiplied by ``shrinkage``.
        bias: (C, K), to be multiplied by ``shrinkage``.
        shrinkage: (K,) float64.
    """

    weights: Floats
    bias: Floats
    shrinkage: NDArray[np.float64]

    @classmethod
    def initialize(
        cls,
        features: int,
        classes: int,
        seeds: "Sequence[np.random.SeedSequence]",  # quoted: importing numpy.random takes time
        weight_scales: Sequence[float],
        dtype: np.dtype[np.floating] | type[np.floating] = np.float32,
    ) -> Self:
        """One model for each seed: normal weights with the standard deviation of its scale.

        The bias is drawn like a further row of W (the bias trick). A model's weights
        depend on its own seed and scale alone, not on its neighbours.
        """
        parts = [
            scale * np.random.default_rng(seed).standard_normal((features + 1, classes))
            for seed, scale in zip(seeds, weight_scales, strict=True)
        ]
        stacked = np.stack(parts, axis=-1).astype(dtype)
        return cls.from_weights(stacked[:-1], stacked[-1])

    @classmethod
    def from_weights(cls, weights: Floats, bias: Floats) -> Self:
        """Stack of the models whose weights are (D, C, K) and biases (C, K)."""
        features, classes, models = weights.shape
        flat = _to_contrasts(weights, axis=1).reshape(features, classes * models)
        return cls(flat, _to_contrasts(bias, axis=0), np.ones(models))

    @property
    def features(self) -> int:
        """D."""
        return len(self.weights)

    @property
    def classes(self) -> int:
        """C."""
        return len(self.bias)

    @property
    def models(self) -> int:
        """K."""
        return len(self.shrinkage)

    @property
    def contrasts(self) -> Floats:
        """(D, (C - 1) K), a view of the weights that images are multiplied with."""
        return self.weights[:, : -self.models]

    def logits(self, product: Floats, temperature: NDArray[np.float64], out: Floats) -> None:
        """Scores over temperature, class-major, less those of the last class.

        Args:
            product: (1 + N, (C - 1) K), examples times ``contrasts``. The first row is added to all
                others: that of ``-m`` where the mean m was not subtracted from the examples.
            temperature: (K,).
            out: (C, K, N), written; zeros for the last class.
        """
        contrasts = out[:-1]
        offset = self.bias[:-1] + product[0].reshape(self.bias[:-1].shape)
        np.add(product[1:].T.reshape(contrasts.shape), offset[:, :, None], out=contrasts)
        multiplier = (self.shrinkage / temperature).astype(out.dtype)
        np.multiply(contrasts, multiplier[:, None], out=contrasts)
        out[-1] = 0

    def finite(self) -> NDArray[np.bool_]:
        """Mask (K,) of the models whose true weights can be computed without overflow."""
        # A weight of a class is less than the sum of a feature's C numbers away from a contrast.
        limit = float(np.finfo(self.weights.dtype).max) / (self.classes + 1)
        # Nearly always this holds, and one look at all models together is the fastest.
        largest = np.max([self.weights.max(), -self.weights.min(), np.abs(self.bias).max()])
        if largest * np.abs(self.shrinkage).max() < limit:
            return np.ones(self.models, bool)
        by_column = np.abs(self.weights).max(axis=0).reshape(self.bias.shape)  # (C, K)
        by_model = np.maximum(by_column, np.abs(self.bias)).max(axis=0)
        return np.asarray(by_model * np.abs(self.shrinkage) < limit)  # false for NaN

    def fold_in(self, members: NDArray[np.bool_]) -> None:
        """Multiply the shrinkage of some models into their weights."""
        columns = self.columns(members)
        repeated = np.tile(self.shrinkage, self.classes)[columns]
        self.weights[:, columns] *= repeated.astype(self.weights.dtype)
        self.bias[:, members] *= self.shrinkage[members].astype(self.bias.dtype)
        self.shrinkage[members] = 1.0

    def clear(self, members: NDArray[np.bool_]) -> None:
        """Set the weights of some models to zero."""
        self.weights[:, self.columns(members)] = 0
        self.bias[:, members] = 0
        self.shrinkage[members] = 1.0

    def select(self, members: NDArray[np.bool_]) -> Self:
        """A new stack of copies of the models in mask (K,)."""
        columns = self.columns(members)
        return type(self)(
            np.ascontiguousarray(self.weights[:, columns]),
            np.ascontiguousarray(self.bias[:, members]),
            self.shrinkage[members],
        )

    def columns(self, members: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mask (C K,) of the weight columns that belong to the models in mask (K,)."""
        return np.tile(members, self.classes)

    def member(self, index: int) -> tuple[Floats, Floats]:
        """Copies of one model's true weights (D, C) and bias (C,)."""
        shrinkage = self.weights.dtype.type(self.shrinkage[index])
        weights, bias = self.weights[:, index :: self.models], self.bias[:, index]
        return by_class(weights * shrinkage), by_class(bias * shrinkage)


def by_class(contrasts: Floats) -> Floats:
    """Weights (..., C) of the classes, from contrasts with the last class and the mean (..., C)."""
    weights = contrasts.copy()
    weights[..., -1] -= contrasts[..., :-1].sum(axis=-1) / contrasts.shape[-1]
    weights[..., :-1] += weights[..., -1:]
    return weights


def _to_contrasts(weights: Floats, axis: int) -> Floats:
    """The inverse of :func:`by_class`, for classes along any axis; C-contiguous."""
    by_class = np.moveaxis(weights, axis, 0)
    parts = [by_class[:-1] - by_class[-1], by_class.mean(axis=0, keepdims=True)]
    return np.ascontiguousarray(np.moveaxis(np.concatenate(parts), 0, axis))
