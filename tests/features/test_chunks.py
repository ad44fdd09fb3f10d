import os
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.features import chunks
from softmax_cli.features.chunks import transform_in_chunks, usable_cores

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 3072), dtype=np.uint8)


def first_pixels(images: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
    out[...] = images[:, :2]


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 4, 10])
def test_all_rows_are_written_however_they_are_cut(
    monkeypatch: pytest.MonkeyPatch, cores: int, count: int
) -> None:
    monkeypatch.setattr(chunks, "usable_cores", lambda: cores)
    features = transform_in_chunks(IMAGES[:count], first_pixels, size=2, chunk=4)
    assert features.dtype == np.float32
    assert features.shape == (count, 2)
    assert (features == IMAGES[:count, :2]).all()


def test_an_error_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(images: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
        raise MemoryError

    monkeypatch.setattr(chunks, "usable_cores", lambda: 2)
    before = threading.active_count()
    with pytest.raises(MemoryError):
        transform_in_chunks(IMAGES, fail, size=2, chunk=4)
    assert threading.active_count() == before


def test_cores_that_may_not_be_used_are_not_counted() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
