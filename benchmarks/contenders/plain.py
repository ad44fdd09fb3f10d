"""The loop that a course or an article ends with: plain numpy in float64."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.task import LinearModel, Recipe, Task

Floats = NDArray[np.float64]


class PlainLoop:
    """Train models one after another, each on its own minibatches.

    Args:
        task: what is to be trained.
        members: which of its models; None for all of them.
    """

    name = "plain numpy loop"

    def __init__(self, task: Task, members: Sequence[int] | None = None) -> None:
        self._task = task
        self._members = range(task.recipe.models) if members is None else members
        self.share = len(self._members) / task.recipe.models
        self._weights: list[Floats] = []

    def setup(self) -> None:
        self._X, self._y = self._task.features_and_ones, self._task.labels

    def run(self) -> None:
        recipe, classes = self._task.recipe, self._task.classes
        self._weights = [
            train_plainly(self._X, self._y, classes, recipe, member) for member in self._members
        ]

    def learned(self) -> Sequence[LinearModel]:
        return [self._task.model(W[:-1], W[-1]) for W in self._weights]


def train_plainly(
    X: Floats, y: NDArray[np.int64], classes: int, recipe: Recipe, member: int
) -> Floats:
    """Weights (D, C) after SGD on X (n, D), whose last column is ones, and y (n,)."""
    rng = np.random.default_rng((recipe.seed, member))
    learning_rate, reg = recipe.learning_rates[member], recipe.regularizations[member]
    W = recipe.weight_scale * rng.standard_normal((X.shape[1], classes))
    losses = []
    for _ in range(recipe.iterations):
        indices = rng.choice(len(X), recipe.batch_size)
        loss, dW = plain_loss(W, X[indices], y[indices], reg)
        losses.append(loss)
        W -= learning_rate * dW
    return W


def plain_loss(W: Floats, X: Floats, y: NDArray[np.int64], reg: float) -> tuple[float, Floats]:
    """Softmax loss of W (D, C) on X (N, D), and its gradient, with one product each."""
    rows = np.arange(len(y))
    scores = X @ W
    scores -= scores.max(axis=1, keepdims=True)
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = -np.log(probabilities[rows, y]).mean() + 0.5 * reg * np.sum(W * W)
    probabilities[rows, y] -= 1
    return float(loss), X.T @ probabilities / len(y) + reg * W
