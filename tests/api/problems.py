"""Small classification problems for the estimators."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def clouds(
    classes: int = 3, *, seed: int = 0, examples: int = 120, features: int = 4
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points (n, P) around a centre for each class, which overlap, and their labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=examples)
    labels[:classes] = np.arange(classes)
    centres = 1.5 * rng.normal(size=(classes, features))
    return centres[labels] + rng.normal(size=(examples, features)), labels


def objective(
    estimator: Any, X: NDArray[Any], y: NDArray[np.int64], weights: NDArray[Any] | None = None
) -> float:
    """The regularised loss of an estimator of C > 2 classes, written out."""
    scores = X @ estimator.coef_.T.astype(np.float64) + estimator.intercept_
    losses = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]
    square = np.square(estimator.coef_).sum() + np.square(estimator.intercept_).sum()
    penalty = 0.5 * estimator.regularization_ * square
    return float(np.average(losses, weights=weights) + penalty)
