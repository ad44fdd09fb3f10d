"""The best weights of each model so far."""

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.model.stack import LinearStack
from softmax_cli.training.best import BestWeights

MODELS, CLASSES, FEATURES = 3, 4, 5
ALL = np.ones(MODELS, bool)


def new_stack(seed: int) -> LinearStack:
    rng = np.random.default_rng(seed)
    stack = LinearStack.from_weights(
        rng.normal(size=(FEATURES, CLASSES, MODELS)).astype(np.float32),
        rng.normal(size=(CLASSES, MODELS)).astype(np.float32),
    )
    stack.shrinkage[:] = rng.uniform(0.5, 1, MODELS)
    return stack


def accuracies(*values: float) -> NDArray[np.float64]:
    return np.array(values)


def assert_weights_of(best: BestWeights, stack: LinearStack, member: int) -> None:
    for got, expected in zip(best.member(member), stack.member(member), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_before_any_validation_nothing_is_best() -> None:
    best = BestWeights.before_training(new_stack(0))
    assert (best.accuracy == -np.inf).all()
    assert best.iteration.tolist() == best.waited.tolist() == [0, 0, 0]


@pytest.mark.parametrize("min_delta", [0.0, 0.5, 2.0])
def test_whatever_the_first_validation_gives_is_the_best_so_far(min_delta: float) -> None:
    best, stack = BestWeights.before_training(new_stack(0)), new_stack(1)
    best.update(stack, accuracies(0.0, 0.5, 1.0), 10, ALL, min_delta)
    assert best.accuracy.tolist() == [0.0, 0.5, 1.0]
    assert best.iteration.tolist() == [10, 10, 10]
    for member in range(MODELS):
        assert_weights_of(best, stack, member)


def test_only_those_that_got_better_are_taken_over() -> None:
    first, second = new_stack(1), new_stack(2)
    best = BestWeights.before_training(first)
    best.update(first, accuracies(0.3, 0.5, 0.4), 10, ALL, 0.0)
    best.update(second, accuracies(0.4, 0.2, 0.4), 20, ALL, 0.0)
    assert best.accuracy.tolist() == [0.4, 0.5, 0.4]
    assert best.iteration.tolist() == [20, 10, 10]
    assert best.waited.tolist() == [0, 1, 1]
    for member, stack in enumerate((second, first, first)):
        assert_weights_of(best, stack, member)


def test_weights_are_copies() -> None:
    stack = new_stack(1)
    best = BestWeights.before_training(new_stack(0))
    best.update(stack, accuracies(0.1, 0.1, 0.1), 10, ALL, 0.0)
    expected, _ = stack.member(0)
    stack.weights[:] = 0
    np.testing.assert_allclose(best.member(0)[0], expected, rtol=1e-6)
    taken, _ = best.member(0)
    taken[:] = 0
    np.testing.assert_allclose(best.member(0)[0], expected, rtol=1e-6)


def test_better_means_by_more_than_the_least_difference() -> None:
    best = BestWeights.before_training(new_stack(0))
    best.update(new_stack(1), accuracies(0.5, 0.5, 0.5), 10, ALL, 0.25)
    best.update(new_stack(2), accuracies(0.625, 0.75, 0.8125), 20, ALL, 0.25)
    assert best.iteration.tolist() == [10, 10, 20]
    # Small gains add up: what counts is the distance to the best.
    best.update(new_stack(3), accuracies(0.8125, 0.8125, 1.0), 30, ALL, 0.25)
    assert best.iteration.tolist() == [30, 30, 20]
    assert best.waited.tolist() == [0, 0, 1]


@pytest.mark.parametrize("accuracy", [1.0, np.nan])
def test_a_model_that_has_ended_neither_improves_nor_waits(accuracy: float) -> None:
    first = new_stack(1)
    best = BestWeights.before_training(first)
    best.update(first, accuracies(0.5, 0.5, 0.5), 10, ALL, 0.0)
    running = np.array([True, False, True])
    best.update(new_stack(2), accuracies(0.4, accuracy, 0.6), 20, running, 0.0)
    assert best.accuracy.tolist() == [0.5, 0.5, 0.6]
    assert best.waited.tolist() == [1, 0, 0]
    assert_weights_of(best, first, 1)


def test_a_running_model_without_a_finite_accuracy_waits() -> None:
    best = BestWeights.before_training(new_stack(1))
    best.update(new_stack(2), accuracies(np.nan, 0.2, 0.2), 10, ALL, 0.0)
    assert best.accuracy.tolist() == [-np.inf, 0.2, 0.2]
    assert best.waited.tolist() == [1, 0, 0]


def test_its_arrays_are_the_state_itself() -> None:
    best = BestWeights.before_training(new_stack(0))
    arrays = best.arrays()
    assert arrays.keys() == {"accuracy", "iteration", "waited", "weights", "bias"}
    arrays["waited"][1] = 7
    assert best.waited.tolist() == [0, 7, 0]
