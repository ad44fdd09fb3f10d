"""What the naive and the vectorised form of every loss have in common, and how it is checked."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Form = Callable[..., tuple[float, NDArray[np.floating]]]
Problem = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


def problem(seed: int, examples: int = 12, features: int = 6, classes: int = 4) -> Problem:
    """Weights (D, C), examples (N, D) and labels (N,)."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(features, classes))
    X = rng.normal(size=(examples, features))
    return W, X, rng.integers(classes, size=examples)


def numerical_gradient(
    f: Callable[[NDArray[np.float64]], float], W: NDArray[np.float64], h: float = 1e-5
) -> NDArray[np.float64]:
    """Five-point central differences: the error is of the order of h**4."""
    gradient = np.zeros_like(W)
    for index in np.ndindex(*W.shape):
        step = np.zeros_like(W)
        step[index] = h
        gradient[index] = (
            8 * (f(W + step) - f(W - step)) - (f(W + 2 * step) - f(W - 2 * step))
        ) / (12 * h)
    return gradient


def relative_error(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def check_gradient(form: Form, seed: int, reg: float, **settings: float) -> None:
    """The gradient is the numerical one."""
    W, X, y = problem(seed)
    _, dW = form(W, X, y, reg, **settings)
    numerical = numerical_gradient(lambda V: form(V, X, y, reg, **settings)[0], W)
    assert relative_error(dW, numerical) <= 1e-7


def check_agreement(
    naive: Form, vectorized: Form, dtype: type[np.floating], tolerance: float, seed: int
) -> None:
    """Both forms give the same loss and the same gradient, of the dtype of the weights."""
    W, X, y = problem(seed, examples=50, features=20, classes=10)
    slow_loss, slow_dW = naive(W.astype(dtype), X.astype(dtype), y, 0.5)
    fast_loss, fast_dW = vectorized(W.astype(dtype), X.astype(dtype), y, 0.5)
    assert fast_loss == pytest.approx(slow_loss, rel=tolerance)
    assert relative_error(fast_dW, slow_dW) <= tolerance
    assert fast_dW.dtype == slow_dW.dtype == dtype


def check_one_class(form: Form) -> None:
    """One class alone costs nothing but its regularisation."""
    W, X, y = problem(0, classes=1)
    value, dW = form(W, X, y, 2.0)
    assert value == pytest.approx(np.sum(W * W))
    np.testing.assert_allclose(dW, 2.0 * W)


def check_mean(form: Form) -> None:
    """The data loss is a mean: copies of an example change nothing."""
    W, X, y = problem(3, examples=1)
    one, many = form(W, X, y, 0.1), form(W, np.repeat(X, 9, axis=0), np.repeat(y, 9), 0.1)
    assert many[0] == pytest.approx(one[0])
    np.testing.assert_allclose(many[1], one[1], rtol=1e-12, atol=1e-15)
