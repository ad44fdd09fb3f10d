import numpy as np
import pytest
from scipy.special import log_softmax as scipy_log_softmax

from softmax_cli.model import log_softmax, softmax

SEEDS = range(10)


@pytest.mark.parametrize(
    ("scores", "temperature", "expected"),
    [
        ([-3, 2, -1, 0], 1.0, [0.0057, 0.8390, 0.0418, 0.1135]),
        ([1, -2, 0], 1.0, [0.7054, 0.0351, 0.2595]),
        ([0.5, -1, 0], 1.0, [0.5466, 0.1220, 0.3315]),
        ([1, 2, 3], 1.0, [0.0900, 0.2447, 0.6652]),
        ([1, 2, 3], 2.0, [0.1863, 0.3072, 0.5065]),
        ([1, 2, 3], 0.5, [0.0159, 0.1173, 0.8668]),
    ],
)
def test_worked_numbers(scores: list[float], temperature: float, expected: list[float]) -> None:
    assert softmax(scores, temperature) == pytest.approx(expected, abs=5.1e-5)


@pytest.mark.parametrize("scores", [[123, 456, 789], [1e300, -1e300, 0], [-1e4, -1e4 - 1, -2e4]])
def test_huge_scores_stay_finite(scores: list[float]) -> None:
    probabilities = softmax(scores)
    assert np.isfinite(probabilities).all()
    assert probabilities.sum() == pytest.approx(1)
    assert np.isfinite(log_softmax(scores)).all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_is_a_distribution_and_the_exponential_of_its_logarithm(
    seed: int, dtype: type[np.floating]
) -> None:
    scores = np.random.default_rng(seed).normal(scale=20, size=(7, 5)).astype(dtype)
    probabilities = softmax(scores, 3.0)
    assert probabilities.dtype == dtype
    assert (probabilities >= 0).all()
    tolerance = 10 * float(np.finfo(dtype).eps)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(7), rel=tolerance)
    assert np.exp(log_softmax(scores, 3.0)) == pytest.approx(probabilities, rel=100 * tolerance)


def test_agrees_with_scipy() -> None:
    scores = np.random.default_rng(0).normal(scale=50, size=(100, 10))
    np.testing.assert_allclose(log_softmax(scores), scipy_log_softmax(scores, axis=1), rtol=1e-12)


def test_any_axis_and_a_temperature_for_each_model() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 3, 6))
    temperature = np.array([0.5, 1.0, 8.0])
    stacked = softmax(scores, temperature[:, None], axis=0)
    for k, value in enumerate(temperature):
        np.testing.assert_allclose(stacked[:, k], softmax(scores[:, k], value, axis=0))


def test_a_shift_changes_nothing_and_one_class_is_certain() -> None:
    scores = np.array([[1.0, 2.0, 4.0]])
    np.testing.assert_allclose(softmax(scores + 1e3), softmax(scores), rtol=1e-10)
    assert softmax([[7.0]]).tolist() == [[1.0]]
    assert log_softmax([[7.0]]).tolist() == [[0.0]]


def test_temperature_flattens_and_sharpens_but_keeps_the_order() -> None:
    scores = np.array([1.0, 2.0, 3.0])
    hot, cold = softmax(scores, 100.0), softmax(scores, 0.01)
    assert hot == pytest.approx(np.full(3, 1 / 3), abs=0.01)
    assert cold == pytest.approx([0, 0, 1], abs=1e-12)
    assert (np.argsort(hot) == np.argsort(cold)).all()
