import numpy as np
import pytest

from softmax_cli.errors import DivergedError
from softmax_cli.plots.weight_scale import check_finite, relative

WEIGHTS = np.array([[[1.0, -2.0]], [[-8.0, 4.0]]])  # (2 classes, 1, 2)


def test_the_greatest_weight_of_all_or_of_each_class_becomes_one() -> None:
    assert relative(WEIGHTS, "global").tolist() == [[[0.125, -0.25]], [[-1.0, 0.5]]]
    assert relative(WEIGHTS, "class").tolist() == [[[0.5, -1.0]], [[-1.0, 0.5]]]


@pytest.mark.parametrize("shape", [(2, 3), (2, 0)])
def test_weights_of_nothing_stay_nothing(shape: tuple[int, int]) -> None:
    assert (relative(np.zeros(shape), "class") == np.zeros(shape)).all()
    assert (relative(np.zeros(shape), "global") == np.zeros(shape)).all()


def test_weights_that_are_not_finite_are_refused() -> None:
    check_finite(WEIGHTS, np.zeros((2, 0)))
    with pytest.raises(DivergedError, match="expected finite weights"):
        check_finite(WEIGHTS, np.array([np.nan]))
