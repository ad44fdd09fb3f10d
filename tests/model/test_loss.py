from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.model import LOSSES, hinge_loss_vectorized, softmax_loss_vectorized
from softmax_cli.model.loss import Workspace

VECTORIZED: dict[str, Callable[..., tuple[float, NDArray[np.floating]]]] = {
    "softmax": softmax_loss_vectorized,
    "hinge": hinge_loss_vectorized,
}


def class_major(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """(K, N, C) as the (C, K, N) that kernels take, in memory of its own."""
    return np.ascontiguousarray(scores.transpose(2, 0, 1))


def run(
    name: str, scores: NDArray[np.floating], labels: NDArray[np.int64], factor: float
) -> tuple[NDArray[np.floating], Workspace]:
    """Run a kernel on scores (K, N, C); returns its gradient in the same order."""
    models, examples, _ = scores.shape
    work = Workspace.allocate(models, examples, scores.dtype)
    block = class_major(scores)
    LOSSES[name].kernel(block, labels, np.full((models, 1), factor, scores.dtype), work)
    return block.transpose(1, 2, 0), work


@pytest.mark.parametrize("name", VECTORIZED)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize(("models", "examples", "classes"), [(1, 1, 1), (1, 7, 2), (5, 40, 10)])
def test_stacked_agrees_with_vectorized(
    name: str,
    dtype: type[np.floating],
    tolerance: float,
    models: int,
    examples: int,
    classes: int,
) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(examples, 6)).astype(dtype)
    W = rng.normal(size=(models, 6, classes)).astype(dtype)
    y = rng.integers(classes, size=examples)
    gradient, work = run(name, np.stack([X @ w for w in W]), y, 1 / examples)
    for k in range(models):
        loss, dW = VECTORIZED[name](W[k], X, y, 0.0)
        assert work.losses[k].mean() == pytest.approx(loss, rel=tolerance, abs=tolerance)
        scale = max(float(np.abs(dW).max()), 1.0)
        np.testing.assert_allclose(X.T @ gradient[k], dW, atol=tolerance * scale)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_of_each_example_have_the_mean_loss(name: str, dtype: type[np.floating]) -> None:
    rng = np.random.default_rng(2)
    scores, labels = rng.normal(size=(50, 4)).astype(dtype), rng.integers(4, size=50)
    before = scores.copy()
    losses = LOSSES[name].of_each(scores, labels, 0.5)
    assert losses.mean() == pytest.approx(LOSSES[name].mean(scores, labels, 0.5), rel=1e-12)
    assert losses[7] == pytest.approx(LOSSES[name].mean(scores[7:8], labels[7:8], 0.5), rel=1e-12)
    np.testing.assert_array_equal(scores, before)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", range(5))
def test_gradient_by_scores_is_the_numerical_one(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(1, 3, 4)), rng.integers(4, size=3)
    gradient, _ = run(name, scores, labels, 1 / 3)
    numerical, h = np.zeros((3, 4)), 1e-6
    for index in np.ndindex(3, 4):
        step = np.zeros((3, 4))
        step[index] = h
        up, down = (LOSSES[name].mean(scores[0] + sign * step, labels) for sign in (1, -1))
        numerical[index] = (up - down) / (2 * h)
    np.testing.assert_allclose(gradient[0], numerical, atol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", range(5))
def test_gradients_by_the_scores_of_an_example_add_up_to_zero(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(scale=3, size=(2, 30, 7)), rng.integers(7, size=30)
    gradient, _ = run(name, scores, labels, 1.0)
    assert np.abs(gradient).max() > 0.1
    np.testing.assert_allclose(gradient.sum(axis=2), 0, atol=1e-13)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_the_kernel_and_the_mean_loss_are_one_loss(name: str, temperature: float) -> None:
    if not LOSSES[name].gives_probabilities:
        temperature = 1.0
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(1, 9, 4)), rng.integers(4, size=9)
    _, work = run(name, scores / temperature, labels, 1.0)
    mean = LOSSES[name].mean(scores[0], labels, temperature)
    assert work.losses.mean() == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_a_factor_for_each_example_scales_its_gradient(name: str) -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(2, 6, 3)), rng.integers(3, size=6)
    weights = rng.integers(2, size=(2, 6)).astype(float)
    plain, _ = run(name, scores, labels, 1.0)
    block, work = class_major(scores), Workspace.allocate(2, 6, scores.dtype)
    LOSSES[name].kernel(block, labels, weights, work)
    np.testing.assert_allclose(block.transpose(1, 2, 0), plain * weights[:, :, None], atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_correct_says_where_no_class_scores_above_the_true_one(name: str) -> None:
    scores = np.array([[[3.0, 1.0, 2.0], [1.0, 1.0, 0.0], [0.0, 2.0, 1.0]]])
    _, work = run(name, scores, np.array([0, 1, 2]), 1.0)
    assert work.correct.tolist() == [[True, True, False]]


@pytest.mark.parametrize("name", LOSSES)
def test_a_member_that_is_not_finite_leaves_the_others_untouched(name: str) -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(3, 8, 4)), rng.integers(4, size=8)
    before, _ = run(name, scores, labels, 1.0)
    scores[1, 2, 3] = np.nan
    with np.errstate(invalid="ignore"):
        after, work = run(name, scores, labels, 1.0)
    assert np.isfinite(work.losses).all(axis=1).tolist() == [True, False, True]
    assert (after[[0, 2]] == before[[0, 2]]).all()


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize("name", LOSSES)
def test_no_infinite_score_passes_unnoticed(name: str, position: int, bad: float) -> None:
    scores = np.zeros((1, 1, 3))
    scores[0, 0, position] = bad
    with np.errstate(invalid="ignore"):
        _, work = run(name, scores, np.array([1]), 1.0)
    infinite_winner = name == "hinge" and bad == np.inf and position == 1
    assert infinite_winner or not np.isfinite(work.losses).all()
