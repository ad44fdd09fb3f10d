import numpy as np
import pytest

from softmax_cli.api.training_set import TrainingSet
from softmax_cli.training.lbfgs import Course
from tests.api.problems import clouds


def checked(weights: object = None, *, standardize: bool = False) -> TrainingSet:
    X, y = clouds()
    return TrainingSet.checked(X, y, weights, standardize=standardize, estimator="E")


def test_nothing_is_standardised_unless_it_is_asked_for() -> None:
    X, _ = clouds()
    plain, standardised = checked().standardization, checked(standardize=True).standardization
    assert not plain.mean.any()
    assert (plain.scale == 1).all()
    np.testing.assert_allclose(standardised.mean, X.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(standardised.scale, X.std(axis=0), rtol=1e-5)


def test_the_total_weight_is_the_number_of_examples_or_their_sum() -> None:
    assert checked().total_weight == 120
    assert checked(np.full(120, 0.5)).total_weight == 60


def test_models_in_a_stack_are_those_that_are_alone() -> None:
    training = checked()
    values = [0.001, 0.1, 1.0]
    together = training.solve(values, tolerance=1e-9, max_iterations=200)
    assert together.converged.all()
    for k, value in enumerate(values):
        alone = training.solve([value], tolerance=1e-9, max_iterations=200)
        np.testing.assert_allclose(together.weights[k], alone.weights[0], atol=1e-6)
        certificate = training.certify(alone.weights[0], value)
        assert certificate.gradient_norm[0] == pytest.approx(alone.gradient_norm[0], rel=0.1)


def test_a_model_that_was_left_early_is_told_from_one_that_arrived() -> None:
    solution = checked().solve([0.001, 10.0], tolerance=1e-3, max_iterations=2)
    assert solution.course.tolist() == [Course.RUNNING, Course.CONVERGED]
    with pytest.warns(UserWarning, match="after 2 iterations; raise max_iterations"):
        solution.warn_unless_converged(1e-3)
