import math

import numpy as np
import pytest

from softmax_cli.training.certificate import certify
from tests.training.problems import problem

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_never_below_the_true_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    decay = 10 ** rng.uniform(-3, 1, size=3)
    case = problem(seed=seed, examples=60, features=4, regularization=decay)
    best = np.stack([case.newton(model) for model in range(3)], axis=1)  # (C, K, P + 1)
    for distance in (0.0, 1e-4, 1e-2, 1.0):
        weights = best + distance * rng.normal(size=best.shape)
        proven = certify(case.objective(np.float64), weights)
        for model in range(3):
            value = case.value(weights[:, model], model)
            above = value - case.value(best[:, model], model)
            assert proven.objective[model] == pytest.approx(value, rel=1e-12)
            assert above <= proven.bound[model] + 1e-15
            gradient = np.abs(case.gradient(weights[:, model], model)).max()
            assert proven.gradient_norm[model] == pytest.approx(gradient, rel=1e-9, abs=1e-12)


def test_the_bound_is_tight_where_regularisation_is_all_that_matters() -> None:
    case = problem(rows=np.zeros((200, 3), np.float32), regularization=np.array([1e3]))
    weights = RNG.normal(size=(4, 1, 4))
    best = case.newton(0)
    above = case.value(weights[:, 0], 0) - case.value(best, 0)
    assert above == pytest.approx(certify(case.objective(np.float64), weights).bound[0], rel=1e-2)


def test_without_regularisation_nothing_is_proven() -> None:
    case = problem(regularization=np.array([0.0, 1.0, 1.0]))
    proven = certify(case.objective(np.float64), np.zeros((4, 3, 7)))
    assert math.isinf(proven.bound[0])
    assert np.isfinite(proven.bound[1:]).all()
