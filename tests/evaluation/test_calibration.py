import json
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from softmax_cli.errors import DataError, DivergedError
from softmax_cli.evaluation import fit_temperature, reliability
from softmax_cli.model import softmax, softmax_loss


def sampled_case(
    seed: int, temperature: float = 1.0, n: int = 3000
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores, and labels drawn from their softmax at the given temperature."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 10)) * 2
    cumulative = softmax(scores, temperature).cumsum(axis=1)
    labels = (rng.random((n, 1)) > cumulative[:, :-1]).sum(axis=1)
    return scores, labels


@pytest.mark.parametrize("true_temperature", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_fit_agrees_with_scipy(true_temperature: float, factor: float) -> None:
    scores, labels = sampled_case(1, true_temperature)
    scores *= factor
    reference = minimize_scalar(
        lambda log_t: softmax_loss(scores, labels, math.exp(log_t)),
        bounds=(math.log(0.01 * factor), math.log(100 * factor)),
        method="bounded",
        options={"xatol": 1e-8},
    )

    assert fit_temperature(scores, labels) == pytest.approx(math.exp(reference.x), rel=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_no_nearby_temperature_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = sampled_case(seed, float(rng.uniform(0.2, 5)), n=30)
    scores = scores.astype(np.float32).astype(np.float64)
    best = fit_temperature(scores, labels)

    for factor in (0.5, 0.99, 0.9999, 1.0001, 1.01, 2.0):
        assert softmax_loss(scores, labels, best) < softmax_loss(scores, labels, best * factor)


def test_multiplied_scores_multiply_the_temperature() -> None:
    scores, labels = sampled_case(2)

    assert fit_temperature(scores * 1e9, labels) == pytest.approx(
        1e9 * fit_temperature(scores, labels), rel=1e-9
    )


def test_separable_scores_reach_the_lower_bound() -> None:
    scores = np.eye(10)[np.arange(50) % 10] * 4

    spread = math.sqrt(np.mean((scores - 4) ** 2))
    assert fit_temperature(scores, np.arange(50) % 10) == pytest.approx(1e-4 * spread)


def test_scores_opposed_to_the_labels_reach_the_upper_bound() -> None:
    scores = -np.eye(10)[np.arange(50) % 10]

    spread = math.sqrt(np.mean(scores**2))
    assert fit_temperature(scores, np.arange(50) % 10) == pytest.approx(1e4 * spread)


def test_one_wrong_label_among_sharp_scores_is_found() -> None:
    # log-odds of 999 right to 1 wrong over two classes: scores 1 apart want T = 1 / log(999).
    scores = np.tile([1.0, 0.0], (1000, 1))
    labels = np.zeros(1000, int)
    labels[7] = 1

    assert fit_temperature(scores, labels) == pytest.approx(1 / math.log(999), rel=1e-9)


@pytest.mark.parametrize("shape", [(4, 1), (4, 10), (1, 3)])
def test_constant_scores_leave_the_temperature_at_1(shape: tuple[int, int]) -> None:
    assert fit_temperature(np.full(shape, 0.1), np.zeros(shape[0], int)) == 1.0


def test_bins_are_counted_by_hand() -> None:
    confidence = np.array([0.55, 0.65, 0.66, 0.9, 1.0 - 1e-12])
    scores = np.log(np.stack([confidence, 1 - confidence], axis=1))
    result = reliability(scores, np.array([0, 0, 1, 0, 0]), bins=10)

    assert result.counts.tolist() == [0, 0, 0, 0, 0, 1, 2, 0, 1, 1]
    assert result.confidence[[5, 6, 8, 9]] == pytest.approx([0.55, 0.655, 0.9, 1.0])
    assert result.accuracy[[5, 6, 8, 9]].tolist() == [1, 0.5, 1, 1]
    assert np.isnan(result.accuracy[result.counts == 0]).all()
    assert result.expected_calibration_error == pytest.approx((0.45 + 2 * 0.155 + 0.1) / 5)


@pytest.mark.parametrize("seed", range(3))
def test_error_agrees_with_a_loop_over_bins(seed: int) -> None:
    scores, labels = sampled_case(seed, 2.5)
    p = softmax(scores)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    expected = 0.0
    for i in range(15):
        inside = (confidence > i / 15) & (confidence <= (i + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())

    assert reliability(scores, labels).expected_calibration_error == pytest.approx(expected)


def test_honest_probabilities_have_a_small_error_and_fitting_finds_them() -> None:
    scores, labels = sampled_case(5, 2.5, n=20_000)
    fitted = fit_temperature(scores, labels)
    before, after = reliability(scores, labels), reliability(scores, labels, fitted)

    assert fitted == pytest.approx(2.5, rel=0.05)
    assert before.expected_calibration_error > 0.1
    assert after.expected_calibration_error < 0.02
    assert after.loss < before.loss


def test_reliability_becomes_json_without_nan() -> None:
    scores, labels = sampled_case(0, n=4)
    document = json.loads(json.dumps(reliability(scores, labels, 2.0).to_json(), allow_nan=False))

    assert list(document) == ["temperature", "loss", "expected_calibration_error", "bins"]
    assert len(document["bins"]) == 15
    assert sum(entry["count"] for entry in document["bins"]) == 4
    assert all((entry["accuracy"] is None) == (entry["count"] == 0) for entry in document["bins"])


def test_bad_arrays_are_refused() -> None:
    with pytest.raises(DataError):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, int))
    with pytest.raises(DivergedError):
        reliability(np.array([[np.nan, 1]]), np.array([0]))
