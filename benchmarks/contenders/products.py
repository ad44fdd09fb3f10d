"""The floor: what a training cannot do without."""

from collections.abc import Sequence

import numpy as np

from benchmarks.task import LinearModel, Task


class ProductsAlone:
    """``X W`` and ``X^T E`` in float32, as many as a training needs, and nothing around them."""

    name = "products alone"
    share = 1.0

    def __init__(self, task: Task) -> None:
        self._task = task

    def setup(self) -> None:
        recipe, rng = self._task.recipe, np.random.default_rng(0)
        features = self._task.data.train.images.shape[1]
        columns = self._task.classes * recipe.models
        self._X = rng.standard_normal((recipe.batch_size, features), np.float32)
        self._W = rng.standard_normal((features, columns), np.float32)
        self._E = rng.standard_normal((recipe.batch_size, columns), np.float32)
        self._scores = np.empty_like(self._E)
        self._gradient = np.empty_like(self._W)

    def run(self) -> None:
        for _ in range(self._task.recipe.iterations):
            np.matmul(self._X, self._W, out=self._scores)
            np.matmul(self._X.T, self._E, out=self._gradient)

    def learned(self) -> Sequence[LinearModel]:
        return ()
