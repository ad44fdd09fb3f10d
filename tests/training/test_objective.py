import numpy as np
import pytest

from softmax_cli.training.objective import orthonormal_basis
from tests.training.problems import Problem, problem

RNG = np.random.default_rng(1)
WEIGHTED = RNG.integers(0, 3, size=(3, 700)).astype(np.float64)


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 100])
def test_the_basis_is_orthonormal_and_adds_up_to_zero(classes: int) -> None:
    basis = orthonormal_basis(classes)
    assert basis.shape == (classes, classes - 1)
    np.testing.assert_allclose(basis.T @ basis, np.eye(classes - 1), atol=1e-14)
    np.testing.assert_allclose(basis.sum(axis=0), 0, atol=1e-14)


@pytest.mark.parametrize(
    "case",
    [
        problem(examples=700),
        problem(examples=700, temperature=2.5),
        problem(examples=700, example_weights=WEIGHTED),
        problem(examples=700, example_weights=WEIGHTED[:1]),
    ],
    ids=["plain", "temperature", "weights of each model", "weights for all models"],
)
def test_losses_slopes_and_gradients_are_those_written_out(case: Problem) -> None:
    objective = case.objective(np.float64)
    weights, direction = RNG.normal(size=(2, 3, 3, 7))
    scores = objective.scores(weights)
    step = np.array([0.0, 0.5, 2.0])
    losses, slopes = objective.along(scores, objective.scores(direction), step)
    there = weights + step[:, None] * direction
    gradient = objective.by_class(objective.gradient(objective.scores(there), there))
    moved, moves = objective.by_class(there), objective.by_class(direction)
    for model, decay in enumerate(case.regularization):
        W = moved[:, model]
        penalty = 0.5 * decay * np.sum(W**2)
        assert losses[model] + penalty == pytest.approx(case.value(W, model), rel=1e-12)
        np.testing.assert_allclose(gradient[:, model], case.gradient(W, model), atol=1e-12)
        data_gradient = case.gradient(W, model) - decay * W
        assert slopes[model] == pytest.approx(np.sum(data_gradient * moves[:, model]), rel=1e-10)


def test_selected_models_have_the_same_objectives() -> None:
    case = problem(examples=700, example_weights=WEIGHTED)
    objective, members = case.objective(np.float64), np.array([True, False, True])
    weights = RNG.normal(size=(3, 3, 7))
    whole = objective.gradient(objective.scores(weights), weights)
    chosen = objective.select(members)
    part = chosen.gradient(chosen.scores(weights[:, members]), weights[:, members])
    np.testing.assert_allclose(part, whole[:, members], atol=1e-14)


def test_what_all_classes_have_in_common_is_lost() -> None:
    objective = problem().objective(np.float64)
    weights = RNG.normal(size=(4, 3, 7))
    kept = objective.by_class(objective.from_classes(weights))
    np.testing.assert_allclose(kept, weights - weights.mean(axis=0), atol=1e-14)
