from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import hinge_loss as sklearn_hinge_loss
from sklearn.metrics import log_loss

from softmax_cli.model import LOSSES as REGISTERED
from softmax_cli.model import (
    hinge_loss,
    hinge_loss_naive,
    hinge_loss_vectorized,
    softmax,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
)

Arrays = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]
Loss = Callable[..., tuple[float, NDArray[np.floating]]]
LOSSES: list[Loss] = [
    softmax_loss_naive,
    softmax_loss_vectorized,
    hinge_loss_naive,
    hinge_loss_vectorized,
]
PAIRS: list[tuple[Loss, Loss]] = [
    (softmax_loss_naive, softmax_loss_vectorized),
    (hinge_loss_naive, hinge_loss_vectorized),
]


def problem(seed: int, examples: int = 12, features: int = 6, classes: int = 4) -> Arrays:
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


@pytest.mark.parametrize(
    ("label", "expected"),
    [(1, 0.1755), (0, 5.1755)],
)
def test_worked_softmax_losses(label: int, expected: float) -> None:
    scores = np.array([[-3.0, 2.0, -1.0, 0.0]])
    assert softmax_loss(scores, np.array([label])) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("scores", "expected"), [([10, -10, -10], 0.00), ([10, 9, 9], 0.55)])
def test_a_hinge_loss_is_content_where_a_softmax_loss_is_not(
    scores: list[float], expected: float
) -> None:
    row, label = np.array([scores], dtype=float), np.array([0])
    assert hinge_loss(row, label) == 0
    assert softmax_loss(row, label) == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_is_the_numerical_one(loss: Loss, seed: int) -> None:
    W, X, y = problem(seed)
    reg = 0.3 * seed
    _, dW = loss(W, X, y, reg)
    assert relative_error(dW, numerical_gradient(lambda V: loss(V, X, y, reg)[0], W)) <= 1e-7


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("temperature", [0.25, 1.0, 5.0])
def test_softmax_gradient_at_a_temperature_is_the_numerical_one(
    seed: int, temperature: float
) -> None:
    W, X, y = problem(seed)
    _, dW = softmax_loss_vectorized(W, X, y, 0.1, temperature=temperature)
    numerical = numerical_gradient(
        lambda V: softmax_loss_vectorized(V, X, y, 0.1, temperature=temperature)[0], W
    )
    assert relative_error(dW, numerical) <= 1e-7


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("naive", "vectorized"), PAIRS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_naive_and_vectorized_agree(
    naive: Loss, vectorized: Loss, dtype: type[np.floating], tolerance: float, seed: int
) -> None:
    W, X, y = problem(seed, examples=50, features=20, classes=10)
    slow_loss, slow_dW = naive(W.astype(dtype), X.astype(dtype), y, 0.5)
    fast_loss, fast_dW = vectorized(W.astype(dtype), X.astype(dtype), y, 0.5)
    assert fast_loss == pytest.approx(slow_loss, rel=tolerance)
    assert relative_error(fast_dW, slow_dW) <= tolerance


@pytest.mark.parametrize("loss", [softmax_loss_naive, softmax_loss_vectorized])
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_zero_weights_lose_log_c(loss: Loss, classes: int) -> None:
    _, X, y = problem(0, classes=classes)
    assert loss(np.zeros((6, classes)), X, y, 1.0)[0] == pytest.approx(np.log(classes), rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_class_costs_nothing_but_its_regularization(loss: Loss) -> None:
    W, X, y = problem(0, classes=1)
    value, dW = loss(W, X, y, 2.0)
    assert value == pytest.approx(np.sum(W * W))
    np.testing.assert_allclose(dW, 2.0 * W)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_sample_and_the_mean_over_copies_of_it(loss: Loss) -> None:
    W, X, y = problem(3, examples=1)
    one, many = loss(W, X, y, 0.1), loss(W, np.repeat(X, 9, axis=0), np.repeat(y, 9), 0.1)
    assert many[0] == pytest.approx(one[0])
    np.testing.assert_allclose(many[1], one[1], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("loss", [softmax_loss_naive, softmax_loss_vectorized])
def test_huge_scores_give_finite_loss_and_gradient(loss: Loss) -> None:
    W, X, y = problem(0)
    value, dW = loss(1e6 * W, X, y, 0.0)
    assert np.isfinite(value)
    assert np.isfinite(dW).all()


def test_losses_of_scores_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(scale=3, size=(200, 10)), rng.integers(10, size=200)
    reference = log_loss(labels, softmax(scores), labels=range(10))
    assert softmax_loss(scores, labels) == pytest.approx(reference, rel=1e-12)
    two = scores[:, :2]
    signs = (labels % 2) * 2 - 1
    reference = sklearn_hinge_loss(signs, two[:, 1] - two[:, 0])
    assert hinge_loss(two, labels % 2) == pytest.approx(reference, rel=1e-12)


def test_every_loss_is_found_under_its_own_name() -> None:
    assert {name: loss.name for name, loss in REGISTERED.items()} == {
        "softmax": "softmax",
        "hinge": "hinge",
    }


def test_a_mean_loss_is_that_of_its_name() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 3)).astype(np.float32)
    labels = rng.integers(3, size=20)
    exact = scores.astype(np.float64)
    assert REGISTERED["softmax"].mean(scores, labels, 2.0) == softmax_loss(exact, labels, 2.0)
    assert REGISTERED["hinge"].mean(scores, labels) == hinge_loss(exact, labels)


@pytest.mark.parametrize("name", REGISTERED)
def test_a_mean_loss_of_float32_scores_is_computed_in_float64_and_stays_finite(name: str) -> None:
    scores = np.array([[1e30, -1e30], [123.0, 789.0], [0.1, 0.7]], dtype=np.float32)

    for labels in (np.array([0, 1, 0]), np.array([1, 0, 0])):
        loss = REGISTERED[name].mean(scores, labels)
        assert np.isfinite(loss)
        assert loss == REGISTERED[name].mean(scores.astype(np.float64), labels)
