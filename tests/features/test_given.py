import numpy as np
import pytest

from softmax_cli.features.given import Given


def test_rows_are_left_as_they_are() -> None:
    rows = np.ones((3, 7), np.float16)
    fitted = Given().fit(rows, np.random.SeedSequence(0))
    assert fitted.size == 7
    assert fitted.transform(rows) is rows
    assert fitted.mirror is None
    assert fitted.to_pixels(np.ones((7, 2))) is None
    assert Given.from_arrays(fitted.arrays(), size=7).size == 7
    with pytest.raises(ValueError, match="expected arrays"):
        Given.from_arrays({"else": np.zeros(1, np.float32)}, size=7)
