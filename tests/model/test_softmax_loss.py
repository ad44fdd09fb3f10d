"""The softmax loss: worked numbers, its forms, and where numbers grow large."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from softmax_cli.model.loss import Workspace
from softmax_cli.model.softmax import softmax
from softmax_cli.model.softmax_loss import (
    SOFTMAX,
    softmax_kernel,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
)
from tests.model.forms import (
    Form,
    check_agreement,
    check_gradient,
    check_mean,
    check_one_class,
    problem,
)

FORMS: list[Form] = [softmax_loss_naive, softmax_loss_vectorized]


@pytest.mark.parametrize(
    ("scores", "label", "expected"),
    [
        ([-3, 2, -1, 0], 1, 0.1755),
        ([-3, 2, -1, 0], 0, 5.1755),
        ([10, -10, -10], 0, 0.0),
        ([10, 9, 9], 0, 0.5514),
        ([123, 456, 789], 2, 0.0),
        ([123, 456, 789], 0, 666.0),
    ],
)
def test_worked_losses(scores: list[float], label: int, expected: float) -> None:
    row = np.array([scores], dtype=float)
    assert softmax_loss(row, np.array([label])) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("temperature", "probability"), [(1.0, 0.6652), (2.0, 0.5065), (0.5, 0.8668)]
)
def test_a_temperature_divides_the_scores(temperature: float, probability: float) -> None:
    scores, label = np.array([[1.0, 2.0, 3.0]]), np.array([2])
    loss = softmax_loss(scores, label, temperature)
    assert loss == pytest.approx(-np.log(probability), abs=1e-4)
    assert loss == pytest.approx(softmax_loss(scores / temperature, label), rel=1e-14)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_is_the_numerical_one(form: Form, seed: int) -> None:
    check_gradient(form, seed, 0.3 * seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("temperature", [0.25, 5.0])
@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_at_a_temperature_is_the_numerical_one(
    form: Form, temperature: float, seed: int
) -> None:
    check_gradient(form, seed, 0.1, temperature=temperature)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_its_forms_agree(dtype: type[np.floating], tolerance: float, seed: int) -> None:
    check_agreement(softmax_loss_naive, softmax_loss_vectorized, dtype, tolerance, seed)


@pytest.mark.parametrize("form", FORMS)
def test_one_class_costs_nothing_but_its_regularization(form: Form) -> None:
    check_one_class(form)


@pytest.mark.parametrize("form", FORMS)
def test_one_example_and_the_mean_over_copies_of_it(form: Form) -> None:
    check_mean(form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_zero_weights_lose_log_c(form: Form, classes: int) -> None:
    _, X, y = problem(0, classes=classes)
    assert form(np.zeros((6, classes)), X, y, 1.0)[0] == pytest.approx(np.log(classes), rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_huge_scores_give_finite_loss_and_gradient(form: Form) -> None:
    W, X, y = problem(0)
    value, dW = form(1e6 * W, X, y, 0.0)
    assert np.isfinite(value)
    assert np.isfinite(dW).all()


def test_it_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(scale=3, size=(200, 10)), rng.integers(10, size=200)
    reference = log_loss(labels, softmax(scores), labels=range(10))
    assert softmax_loss(scores, labels) == pytest.approx(reference, rel=1e-12)


def test_the_kernel_turns_scores_into_probabilities_less_the_true_class() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(scale=3, size=(5, 2, 7)), rng.integers(5, size=7)  # (C, K, N)
    factor, work = np.array([[0.5], [2.0]]), Workspace.allocate(2, 7, scores.dtype)
    expected = softmax(scores.transpose(1, 2, 0)) - np.eye(5)[labels]  # (K, N, C)
    softmax_kernel(scores, labels, factor, work)
    np.testing.assert_allclose(scores.transpose(1, 2, 0), expected * factor[:, None], atol=1e-15)


def test_its_scores_are_log_probabilities_at_the_temperature() -> None:
    assert (SOFTMAX.name, SOFTMAX.gives_probabilities) == ("softmax", True)
    probabilities = np.array([[0.7, 0.2, 0.1]])
    for temperature in (1.0, 3.0):
        scores = temperature * np.log(probabilities) + 5
        assert SOFTMAX.mean(scores, np.array([1]), temperature) == pytest.approx(-np.log(0.2))
