import numpy as np
import pytest

from softmax_cli.features.unlearned import Unlearned


class Constant(Unlearned):
    """A map with a setting."""

    def __init__(self, value: int = 0) -> None:
        self.value = value


def test_nothing_is_learned() -> None:
    constant = Constant(3)
    assert constant.fit(np.ones((2, 3072), np.uint8), np.random.SeedSequence(0)) is constant
    assert Constant.from_arrays(constant.arrays(), value=4).value == 4


def test_arrays_of_something_else_are_refused() -> None:
    with pytest.raises(ValueError, match="expected arrays"):
        Constant.from_arrays({"else": np.zeros(1, np.float32)})
