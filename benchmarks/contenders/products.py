"""The floor: what a training cannot do without."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from benchmarks.task import LinearModel, Task


class ProductsAlone:
    """``X W`` and ``X^T E`` in float32, into arrays made beforehand, and nothing around them.

    Args:
        batch_size: N.
        features: D.
        columns: classes times models.
        iterations: how often, as in a training of so many steps.
    """

    name = "products alone"
    share = 1.0

    def __init__(self, batch_size: int, features: int, columns: int, iterations: int) -> None:
        self._shape = (batch_size, features, columns)
        self._iterations = iterations

    @classmethod
    def of(cls, task: Task) -> Self:
        """Those that all models of a task need side by side."""
        recipe, features = task.recipe, task.data.train.images.shape[1]
        return cls(recipe.batch_size, features, task.classes * recipe.models, recipe.iterations)

    def setup(self) -> None:
        rng, (batch_size, features, columns) = np.random.default_rng(0), self._shape
        self._X = rng.standard_normal((batch_size, features), np.float32)
        self._W = rng.standard_normal((features, columns), np.float32)
        self._E = rng.standard_normal((batch_size, columns), np.float32)
        self._scores = np.empty_like(self._E)
        self._gradient = np.empty_like(self._W)

    def run(self) -> None:
        for _ in range(self._iterations):
            np.matmul(self._X, self._W, out=self._scores)
            np.matmul(self._X.T, self._E, out=self._gradient)

    def learned(self) -> Sequence[LinearModel]:
        return ()
