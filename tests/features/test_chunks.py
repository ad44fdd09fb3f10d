import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli import threads
from softmax_cli.features.chunks import transform_in_chunks

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 3072), dtype=np.uint8)


def first_pixels(images: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
    out[...] = images[:, :2]


@pytest.mark.parametrize("cores", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 4, 10])
def test_all_rows_are_written_however_they_are_cut(
    monkeypatch: pytest.MonkeyPatch, cores: int, count: int
) -> None:
    monkeypatch.setattr(threads, "thread_limit", lambda: cores)
    features = transform_in_chunks(IMAGES[:count], first_pixels, size=2, chunk=4)
    assert features.dtype == np.float32
    assert features.shape == (count, 2)
    assert (features == IMAGES[:count, :2]).all()


def test_an_error_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(images: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
        raise MemoryError

    monkeypatch.setattr(threads, "thread_limit", lambda: 2)
    before = threading.active_count()
    with pytest.raises(MemoryError):
        transform_in_chunks(IMAGES, fail, size=2, chunk=4)
    assert threading.active_count() == before
