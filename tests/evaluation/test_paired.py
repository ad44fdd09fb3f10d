import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from softmax_cli.evaluation import paired
from softmax_cli.evaluation.intervals import normal_quantile
from softmax_cli.evaluation.paired import (
    PairedDifference,
    holm,
    mcnemar_p_value,
    mean_differences,
    paired_t_p_value,
    tango_interval,
)

TABLES = [(25, 10), (10, 25), (0, 7), (1, 0), (300, 250), (2000, 1800), (0, 40), (5, 6), (1500, 3)]


def test_the_examples_hold() -> None:
    assert doctest.testmod(paired) == (0, 4)


@pytest.mark.parametrize(("gained", "lost"), TABLES)
def test_mcnemar_agrees_with_the_binomial_test_of_scipy(gained: int, lost: int) -> None:
    expected = stats.binomtest(gained, gained + lost).pvalue
    assert mcnemar_p_value(gained, lost) == pytest.approx(expected, rel=1e-12)
    assert mcnemar_p_value(lost, gained) == mcnemar_p_value(gained, lost)


def test_mcnemar_of_models_that_agree_is_1() -> None:
    assert mcnemar_p_value(0, 0) == mcnemar_p_value(8, 8) == 1


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 2000))
def test_tango_refuses_0_exactly_when_the_score_test_of_mcnemar_does(
    gained: int, lost: int, same: int
) -> None:
    images = gained + lost + same
    low, high = tango_interval(gained, lost, images)
    assert -1 <= low <= high <= 1
    if images:
        assert low <= (gained - lost) / images <= high
    if gained + lost:
        score = abs(gained - lost) / math.sqrt(gained + lost)
        assert (low <= 0 <= high) == (score <= normal_quantile())
    other = tango_interval(lost, gained, images)
    assert other == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize(("gained", "lost", "images"), [(25, 10, 200), (1, 7, 50), (0, 1, 44)])
def test_the_ends_of_tango_have_the_score_that_the_likelihood_gives(
    gained: int, lost: int, images: int
) -> None:
    for end in tango_interval(gained, lost, images):

        def minus_log_likelihood(q: float, end: float = end) -> float:
            p = q + end
            same = 1 - p - q
            parts = ((gained, p), (lost, q), (images - gained - lost, same))
            return -sum(count * math.log(share) for count, share in parts if count)

        span = max(0, -end) + 1e-15, (1 - end) / 2 - 1e-15
        q = optimize.minimize_scalar(
            minus_log_likelihood, bounds=span, method="bounded", options={"xatol": 1e-12}
        ).x
        error = math.sqrt((2 * q + end - end * end) / images)
        score = ((gained - lost) / images - end) / error
        assert abs(score) == pytest.approx(normal_quantile(), rel=1e-4)


def test_tango_agrees_with_published_figures() -> None:
    # The R package contingencytables on the data of Cavo et al. (2012), to four decimals.
    assert tango_interval(6, 16, 161) == pytest.approx((-0.1240, -0.0054), abs=5e-5)


def test_a_difference_of_hits_has_estimate_interval_and_p_value() -> None:
    first, second = np.zeros(200, bool), np.zeros(200, bool)
    second[:25] = first[25:35] = first[100:] = second[100:] = True
    found = PairedDifference.of_hits(first, second)
    assert found.difference == 0.075
    assert found.interval == tango_interval(25, 10, 200)
    assert found.p_value == mcnemar_p_value(25, 10)
    nothing = PairedDifference.of_hits(first[:0], second[:0])
    assert (nothing.difference, nothing.interval, nothing.p_value) == (0.0, (-1.0, 1.0), 1.0)


def test_holm_multiplies_the_least_most_and_keeps_the_order() -> None:
    # As statsmodels 0.15 gives them: multipletests(p, method="holm")[1].
    p_values = [0.012, 0.5, 0.001, 0.04, 0.04]
    assert holm(p_values) == pytest.approx([0.048, 0.5, 0.005, 0.12, 0.12], rel=1e-12)
    assert holm([0.8, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_mean_differences_tell_a_shift_from_noise() -> None:
    noise = np.random.default_rng(3).normal(size=(2000, 2))
    noise -= noise.mean(axis=0)
    shifted, equal = mean_differences(noise + np.array([0.2, 0.0]), resamples=999)
    assert shifted.difference == pytest.approx(0.2)
    assert shifted.p_value == 2 / 1000
    reach = normal_quantile() * noise[:, 0].std() / math.sqrt(2000)
    assert shifted.interval == pytest.approx((0.2 - reach, 0.2 + reach), abs=reach / 5)
    assert equal.p_value > 0.5
    assert equal.interval[0] < 0 < equal.interval[1]


def test_models_with_equal_losses_do_not_differ() -> None:
    (same,) = mean_differences(np.zeros((10, 1)), resamples=99)
    assert (same.difference, same.interval, same.p_value) == (0.0, (0.0, 0.0), 1.0)


def test_the_paired_t_test_agrees_with_scipy() -> None:
    differences = np.array([0.012, -0.003, 0.008, 0.01, 0.004])
    expected = stats.ttest_1samp(differences, 0).pvalue
    assert paired_t_p_value(differences) == pytest.approx(expected, rel=1e-9)
    assert paired_t_p_value(differences, overlap=0.25) > 1.5 * expected


def test_differences_without_spread_are_told_from_0_or_not_at_all() -> None:
    assert paired_t_p_value(np.zeros(5)) == 1
    assert paired_t_p_value(np.full(4, 0.5)) == 0
