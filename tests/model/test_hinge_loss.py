"""The multiclass hinge loss: worked numbers, its forms, its margin and its corners."""

import numpy as np
import pytest
from sklearn.metrics import hinge_loss as sklearn_hinge_loss

from softmax_cli.model.hinge_loss import (
    HINGE,
    hinge_kernel,
    hinge_loss,
    hinge_loss_naive,
    hinge_loss_vectorized,
)
from softmax_cli.model.loss import Workspace
from softmax_cli.model.softmax_loss import softmax_loss
from tests.model.forms import Form, check_agreement, check_gradient, check_mean, check_one_class

FORMS: list[Form] = [hinge_loss_naive, hinge_loss_vectorized]


@pytest.mark.parametrize(
    ("scores", "label", "expected"),
    [
        ([10, -10, -10], 0, 0.0),
        ([10, 9, 9], 0, 0.0),
        ([3.2, 5.1, -1.7], 0, 2.9),
        ([1.3, 4.9, 2.0], 1, 0.0),
        ([2.2, 2.5, -3.1], 2, 12.9),
    ],
)
def test_worked_losses(scores: list[float], label: int, expected: float) -> None:
    row = np.array([scores], dtype=float)
    assert hinge_loss(row, np.array([label])) == pytest.approx(expected, abs=1e-12)


def test_it_is_content_where_the_softmax_loss_is_not() -> None:
    label, near, far = np.array([0]), np.array([[10.0, 9.0, 9.0]]), np.array([[10.0, -10.0, -10.0]])
    assert hinge_loss(near, label) == hinge_loss(far, label) == 0
    assert softmax_loss(near, label) > softmax_loss(far, label) > 0


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_is_the_numerical_one(form: Form, seed: int) -> None:
    check_gradient(form, seed, 0.3 * seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("delta", [0.25, 4.0])
@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_at_another_margin_is_the_numerical_one(
    form: Form, delta: float, seed: int
) -> None:
    check_gradient(form, seed, 0.1, delta=delta)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_its_forms_agree(dtype: type[np.floating], tolerance: float, seed: int) -> None:
    check_agreement(hinge_loss_naive, hinge_loss_vectorized, dtype, tolerance, seed)


@pytest.mark.parametrize("form", FORMS)
def test_one_class_costs_nothing_but_its_regularization(form: Form) -> None:
    check_one_class(form)


@pytest.mark.parametrize("form", FORMS)
def test_one_example_and_the_mean_over_copies_of_it(form: Form) -> None:
    check_mean(form)


@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("form", FORMS)
def test_zero_weights_lose_the_margin_for_each_wrong_class(form: Form, delta: float) -> None:
    X, y = np.ones((5, 3)), np.array([0, 1, 2, 3, 0])
    assert form(np.zeros((3, 4)), X, y, 1.0, delta=delta)[0] == pytest.approx(3 * delta)


@pytest.mark.parametrize("form", FORMS)
def test_where_a_margin_is_met_exactly_there_is_no_gradient(form: Form) -> None:
    W, X, y = np.array([[2.0, 1.0, 0.0]]), np.array([[1.0]]), np.array([0])
    loss, dW = form(W, X, y, 0.0)
    assert loss == 0
    assert not dW.any()


def test_of_two_classes_it_is_the_hinge_loss_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(scale=3, size=(200, 2)), rng.integers(2, size=200)
    reference = sklearn_hinge_loss(2 * labels - 1, scores[:, 1] - scores[:, 0])
    assert hinge_loss(scores, labels) == pytest.approx(reference, rel=1e-12)


@pytest.mark.parametrize("scale", [0.5, 7.0])
def test_scores_and_margin_may_be_scaled_together(scale: float) -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(50, 4)), rng.integers(4, size=50)
    scaled = hinge_loss(scale * scores, labels, delta=scale)
    assert scaled == pytest.approx(scale * hinge_loss(scores, labels), rel=1e-12)


def test_the_kernel_counts_violated_margins() -> None:
    # (C, K, N): one model, three examples of class 0 with none, one and two margins violated.
    scores = np.array([[[5.0, 5.0, 5.0]], [[0.0, 4.5, 9.0]], [[4.0, 4.0, 5.0]]])
    work = Workspace.allocate(1, 3, scores.dtype)
    hinge_kernel(scores, np.zeros(3, np.int64), np.array([[0.5, 0.5, 2.0]]), work)
    assert work.losses.tolist() == [[0.0, 0.5, 6.0]]
    assert scores[:, 0].T.tolist() == [[0, 0, 0], [-0.5, 0.5, 0], [-4, 2, 2]]
    assert work.correct.tolist() == [[True, True, False]]


def test_its_scores_are_margins_that_know_no_temperature() -> None:
    assert (HINGE.name, HINGE.gives_probabilities) == ("hinge", False)
    scores, labels = np.array([[1.0, 2.0, 0.0]]), np.array([0])
    assert HINGE.mean(scores, labels, 5.0) == HINGE.mean(scores, labels) == 2.0
