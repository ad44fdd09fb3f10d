import numpy as np
import pytest

from softmax_cli.training import preconditioner as room
from softmax_cli.training.preconditioner import Preconditioner, is_spectral
from tests.training.problems import problem

CURVATURE, DECAY = np.array([0.25, 0.1, 0.25]), np.array([1.0, 0.1, 0.01])


def test_solves_with_the_gram_matrix() -> None:
    case = problem()
    examples = case.objective().examples
    gradient = np.random.default_rng(0).normal(size=(3, 3, 7)).astype(np.float32)
    solved = Preconditioner.of(examples).solve(gradient, CURVATURE, DECAY)
    X = np.hstack([case.rows, np.ones((200, 1))])
    for model in range(3):
        hessian = CURVATURE[model] * X.T @ X / 200 + DECAY[model] * np.eye(7)
        expected = np.linalg.solve(hessian, gradient[:, model].T).T
        np.testing.assert_allclose(solved[:, model], expected, rtol=1e-3, atol=1e-4)


def test_too_large_a_gram_matrix_is_replaced_by_its_diagonal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "MAX_GRAM_BYTES", 16 * 7 * 7 - 1)
    case = problem()
    gradient = np.random.default_rng(0).normal(size=(3, 3, 7)).astype(np.float32)
    found = Preconditioner.of(case.objective().examples)
    assert found.directions is None
    squares = np.square(np.hstack([case.rows, np.ones((200, 1))])).mean(axis=0)
    expected = gradient / (CURVATURE[:, None] * squares + DECAY[:, None])
    np.testing.assert_allclose(found.solve(gradient, CURVATURE, DECAY), expected, rtol=1e-5)


def test_the_limit_is_a_gibibyte() -> None:
    assert is_spectral(8191)
    assert not is_spectral(8192)


@pytest.mark.parametrize("limit", [2**30, 0], ids=["spectral", "diagonal"])
def test_without_regularisation_a_constant_feature_is_no_division_by_zero(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_GRAM_BYTES", limit)
    case = problem()
    case.rows[:, 2] = 0
    found = Preconditioner.of(case.objective().examples)
    gradient = np.ones((3, 3, 7), np.float32)
    assert np.isfinite(found.solve(gradient, CURVATURE, np.zeros(3))).all()


def test_few_examples_are_decomposed_by_what_they_span() -> None:
    case = problem(examples=20, features=60)
    case.rows[7] = case.rows[3]  # one direction less
    X = np.hstack([case.rows, np.ones((20, 1))]).astype(np.float64)
    found = Preconditioner.of(case.objective().examples)
    assert found.directions is not None
    assert found.directions.shape == (61, 19)
    np.testing.assert_allclose(found.directions.T @ found.directions, np.eye(19), atol=1e-4)
    # A gradient is a sum of examples: of such ones the product is that with the whole Gram matrix.
    gradient = (np.random.default_rng(0).normal(size=(9, 20)) @ X).reshape(3, 3, 61)
    solved = found.solve(gradient.astype(np.float32), CURVATURE, DECAY)
    for model in range(3):
        hessian = CURVATURE[model] * X.T @ X / 20 + DECAY[model] * np.eye(61)
        expected = np.linalg.solve(hessian, gradient[:, model].T).T
        np.testing.assert_allclose(solved[:, model], expected, rtol=1e-3, atol=1e-3)
