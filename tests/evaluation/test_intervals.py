import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from softmax_cli.evaluation import intervals
from softmax_cli.evaluation.intervals import (
    bootstrap,
    normal_quantile,
    percentile_interval,
    share_interval,
    student_interval,
    student_quantile,
    student_within,
    upward_biased_interval,
    wilson_interval,
)

TABLES = [(396, 1000), (3747, 10_000), (1, 7), (0, 10), (10, 10), (0, 1), (4999, 5000)]


def test_the_examples_hold() -> None:
    assert doctest.testmod(intervals) == (0, 2)


@pytest.mark.parametrize(("hits", "images"), TABLES)
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_wilson_agrees_with_scipy(hits: int, images: int, level: float) -> None:
    expected = stats.binomtest(hits, images).proportion_ci(level, method="wilson")
    found = wilson_interval(hits, images, level)
    assert found == pytest.approx((expected.low, expected.high), rel=1e-12, abs=1e-12)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_wilson_holds_the_share_and_stays_between_0_and_1(a: int, b: int) -> None:
    hits, images = min(a, b), max(a, b)
    low, high = wilson_interval(hits, images)
    assert 0 <= low < high <= 1
    assert images == 0 or low <= hits / images <= high
    mirrored = wilson_interval(images - hits, images)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_no_image_says_nothing() -> None:
    assert wilson_interval(0, 0) == share_interval(0.0, 0) == (0.0, 1.0)


def test_a_stored_accuracy_gives_the_interval_of_its_hits() -> None:
    for hits in range(1000):
        assert share_interval(hits / 999 if hits < 999 else 1.0, 999) == wilson_interval(hits, 999)


def test_the_normal_quantile_agrees_with_scipy() -> None:
    for level in (0.5, 0.9, 0.95, 0.999):
        assert normal_quantile(level) == pytest.approx(stats.norm.ppf((1 + level) / 2), rel=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 99, 998])
def test_student_agrees_with_scipy(degrees: int) -> None:
    for t in (0.0, 0.3, 1.0, 2.5, 8.0):
        expected = 1 - 2 * stats.t.sf(t, degrees)
        assert student_within(t, degrees) == pytest.approx(expected, abs=1e-12)
    expected = stats.t.ppf(0.975, degrees)
    assert student_quantile(degrees) == pytest.approx(expected, rel=1e-10)


def test_the_interval_of_a_mean_agrees_with_scipy() -> None:
    values = [0.41, 0.39, 0.42, 0.40, 0.43]
    found = student_interval(float(np.mean(values)), float(np.std(values, ddof=1)), 5)
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert found == pytest.approx(expected, rel=1e-10)


def test_a_bootstrap_draws_as_many_images_as_there_are_and_repeats() -> None:
    values = np.random.default_rng(0).normal(size=(300, 2))

    def figures(drawn: np.ndarray) -> np.ndarray:
        assert drawn.sum() == 300
        assert drawn.min() >= 0
        return np.asarray(drawn @ values / 300)

    found = bootstrap(figures, 300, resamples=2000)
    assert found.shape == (2000, 2)
    np.testing.assert_array_equal(found, bootstrap(figures, 300, resamples=2000))
    assert (found != bootstrap(figures, 300, resamples=2000, seed=1)).any()
    # Efron and Tibshirani, equation 5.12: the standard error of a resampled mean.
    errors = values.std(axis=0) / math.sqrt(300)
    np.testing.assert_allclose(found.mean(axis=0), values.mean(axis=0), atol=errors.max() / 10)
    np.testing.assert_allclose(found.std(axis=0), errors, rtol=0.06)


def test_the_percentiles_leave_one_in_forty_on_each_side() -> None:
    low, high = percentile_interval(np.arange(1001.0))
    assert (low, high) == pytest.approx((25, 975))


def test_what_chance_can_only_make_greater_is_mirrored_at_the_estimate() -> None:
    resampled = np.linspace(0.04, 0.10, 1001)
    assert upward_biased_interval(0.05, resampled) == pytest.approx((0.0015, 0.0585))
    assert upward_biased_interval(0.02, resampled) == (0.0, 0.02)
