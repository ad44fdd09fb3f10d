"""Small full-batch problems, and their solution by Newton's method in float64."""

from dataclasses import dataclass

import numpy as np

from softmax_cli.features.standardization import Standardization
from softmax_cli.model import softmax
from softmax_cli.model.softmax_loss import softmax_kernel
from softmax_cli.training.examples import Examples
from softmax_cli.training.lbfgs import Lbfgs
from softmax_cli.training.objective import Objective


@dataclass
class Problem:
    """Examples with labels, and K values of lambda, temperature and perhaps weights."""

    rows: np.ndarray
    labels: np.ndarray
    regularization: np.ndarray
    classes: int = 4
    temperature: float = 1.0
    example_weights: np.ndarray | None = None

    def objective(self, dtype: type[np.floating] = np.float32) -> Objective:
        """The objectives of the K models."""
        size = self.rows.shape[1]
        plain = Standardization(np.zeros(size, np.float32), np.ones(size, np.float32))
        return Objective(
            Examples(self.rows, plain, dtype),
            self.labels,
            softmax_kernel,
            self.classes,
            temperature=np.full(len(self.regularization), self.temperature),
            regularization=self.regularization,
            example_weights=self.example_weights,
        )

    def value(self, weights: np.ndarray, model: int) -> float:
        """The objective of weights (C, P + 1), written out."""
        shares, logits = self._shares(model), self._matrix @ weights.T / self.temperature
        peaks = logits.max(axis=1)
        totals = peaks + np.log(np.exp(logits - peaks[:, None]).sum(axis=1))
        losses = totals - logits[np.arange(len(logits)), self.labels]
        penalty = 0.5 * self.regularization[model] * np.sum(weights**2)
        return float(shares @ losses + penalty)

    def gradient(self, weights: np.ndarray, model: int) -> np.ndarray:
        """Its gradient (C, P + 1)."""
        error = softmax(self._matrix @ weights.T, self.temperature)
        error[np.arange(len(error)), self.labels] -= 1
        error *= self._shares(model)[:, None] / self.temperature
        return np.asarray(error.T @ self._matrix + self.regularization[model] * weights)

    def newton(self, model: int, steps: int = 60) -> np.ndarray:
        """The weights (C, P + 1) at which the gradient is zero; lambda must be positive."""
        X, C = self._matrix, self.classes
        W = np.zeros((C, X.shape[1]))
        for _ in range(steps):
            p = softmax(X @ W.T, self.temperature)
            share = self._shares(model) / self.temperature**2
            blocks = np.einsum("n,nc,cd->ncd", share, p, np.eye(C))
            blocks -= np.einsum("n,nc,nd->ncd", share, p, p)
            H = np.einsum("ncd,np,nq->cpdq", blocks, X, X).reshape(W.size, W.size)
            H += self.regularization[model] * np.eye(W.size)
            g = self.gradient(W, model)
            move = np.linalg.solve(H, g.reshape(-1)).reshape(W.shape)
            step, value = 1.0, self.value(W, model)
            while self.value(W - step * move, model) > value and step > 1e-6:
                step /= 2
            W = W - step * move
        assert np.abs(self.gradient(W, model)).max() < 1e-9
        return W

    @property
    def _matrix(self) -> np.ndarray:
        return np.hstack([self.rows.astype(np.float64), np.ones((len(self.rows), 1))])

    def _shares(self, model: int) -> np.ndarray:
        if self.example_weights is None:
            return np.full(len(self.rows), 1 / len(self.rows))
        weights = self.example_weights[min(model, len(self.example_weights) - 1)]
        return np.asarray(weights / weights.sum())


def problem(seed: int = 0, examples: int = 200, features: int = 6, **changes: object) -> Problem:
    """Clouds of points around a centre for each class, some directions far longer than others."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=examples)
    scales = np.logspace(0, -1.5, features)
    rows = (rng.normal(size=(4, features))[labels] + rng.normal(size=(examples, features))) * scales
    values = {
        "rows": rows.astype(np.float32),
        "labels": labels,
        "regularization": np.array([1.0, 0.1, 0.01]),
    }
    return Problem(**{**values, **changes})  # type: ignore[arg-type]


def solved(problem: Problem, tolerance: float = 1e-6, most: int = 500) -> Lbfgs:
    """The solver at its end."""
    solver = Lbfgs(problem.objective(), tolerance=tolerance)
    solver.begin()
    while solver.members.any() and solver.iteration < most:
        solver.step()
    return solver


def weights_of(problem: Problem, solver: Lbfgs) -> np.ndarray:
    """(K, C, P + 1)."""
    return np.moveaxis(problem.objective().by_class(solver.weights), 1, 0)
