from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from softmax_cli.features.normalization import normalized
from softmax_cli.features.pixels import Pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_a_row_that_is_known() -> None:
    rows = normalized(np.array([[3, 4]], np.uint8), "l2")
    assert rows.tolist() == [[np.float32(0.6), np.float32(0.8)]]


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_rows_have_norm_one_in_float32(dtype: type) -> None:
    rows: NDArray[Any] = np.random.default_rng(0).integers(256, size=(600, 30)).astype(dtype)
    result = normalized(rows, "l2")
    assert result.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(result, axis=1), 1, rtol=1e-6)
    assert (normalized(rows[300:301], "l2") == result[300:301]).all(), "each row for itself"
    assert normalized(rows, "none") is rows


def test_zeros_and_large_numbers() -> None:
    rows = np.array([[0, 0], [3e38, 3e38], [1e-30, 0]], np.float32)
    np.testing.assert_allclose(normalized(rows, "l2"), [[0, 0], [0.5**0.5] * 2, [1, 0]], rtol=1e-6)


def test_mirroring_does_not_change_the_norm() -> None:
    rows = np.random.default_rng(0).integers(256, size=(5, 3072), dtype=np.uint8)
    mirror = Pixels().mirror
    np.testing.assert_allclose(
        normalized(rows[:, mirror], "l2"), normalized(rows, "l2")[:, mirror], rtol=1e-6
    )
