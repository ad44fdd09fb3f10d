import numpy as np
import pytest

from softmax_cli.training.line_search import search

SCALES = np.array([1e-6, 1e-3, 0.3, 1.0, 7.0, 1e3])


def parabola(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least at ``SCALES``."""
    return (step / SCALES - 1) ** 2, 2 * (step / SCALES - 1) / SCALES


def softplus(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steep on one side, nearly flat on the other; least at about ``4 SCALES``."""
    x = step / SCALES
    value = np.logaddexp(0, 3 * (x - 4)) - 0.3 * x
    return value, (3 / (1 + np.exp(-3 * (x - 4))) - 0.3) / SCALES


@pytest.mark.parametrize("function", [parabola, softplus])
def test_strong_wolfe_conditions_hold_at_every_scale(function) -> None:  # type: ignore[no-untyped-def]
    value, slope = function(np.zeros(6))
    with np.errstate(over="ignore"):
        steps = search(function, value, slope)
    assert (steps.length > 0).all()
    assert (steps.value <= value + 1e-4 * steps.length * slope).all()
    assert (np.abs(steps.slope) <= 0.5 * np.abs(slope)).all()
    found = function(steps.length)
    np.testing.assert_array_equal(found, [steps.value, steps.slope])


def test_a_step_that_is_much_too_long_is_cut_down_in_a_few_tries() -> None:
    looks = []

    def along(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steep down, then up nearly straight: a loss whose scores a step of 1 makes huge."""
        looks.append(step)
        x = 5000 * (step - 0.005)
        return np.logaddexp(0, x) - 0.9 * x, 5000 * (1 / (1 + np.exp(-x)) - 0.9)

    value, slope = along(np.zeros(1))
    steps = search(along, value, slope)
    assert 0 < steps.length[0] < 0.01
    assert len(looks) < 12


def test_one_look_suffices_where_a_step_of_one_is_good() -> None:
    looks = []

    def along(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        looks.append(step)
        return (step - 1.2) ** 2, 2 * (step - 1.2)

    steps = search(along, np.array([1.44]), np.array([-2.4]))
    assert len(looks) == 1
    assert steps.length.tolist() == [1.0]


def test_no_step_is_made_uphill_or_into_nothing() -> None:
    def along(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.where(step > 0, np.nan, 1.0), np.where(step > 0, np.nan, [1.0, -1.0, 0.0])

    steps = search(along, np.ones(3), np.array([1.0, -1.0, 0.0]))
    assert steps.length.tolist() == [0, 0, 0]
    assert steps.value.tolist() == [1, 1, 1]


def test_a_slope_decides_where_values_are_rounded() -> None:
    def along(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        noise = np.where(step == 1, 3e-8, 0.0)
        return 1 + noise + 1e-12 * (step - 1) ** 2, 2e-12 * (step - 1.1)

    value, slope = along(np.zeros(1))
    assert search(along, value, slope).length.tolist() == [1.0]
