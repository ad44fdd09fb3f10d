import numpy as np
import pytest

from softmax_cli.data.cifar10 import CLASS_NAMES
from softmax_cli.data.images import PIXELS, ImageSet, rows_from_pictures, split_train_validation
from softmax_cli.errors import ConfigurationError, DataError


def numbered(count: int) -> ImageSet:
    """Images whose first pixel is their index."""
    images = np.zeros((count, PIXELS), np.uint8)
    images[:, 0] = np.arange(count)
    return ImageSet(images, np.arange(count, dtype=np.int64) % 10, CLASS_NAMES, "digest")


def test_validation_is_the_end_and_training_the_start() -> None:
    train, validation = split_train_validation(numbered(20), train_size=12, validation_size=5)
    assert train.images[:, 0].tolist() == list(range(12))
    assert validation.images[:, 0].tolist() == list(range(15, 20))
    assert validation.labels.tolist() == [5, 6, 7, 8, 9]


def test_training_takes_all_the_rest_by_default() -> None:
    train, validation = split_train_validation(numbered(20), train_size=None, validation_size=5)
    assert (len(train), len(validation)) == (15, 5)


def test_no_validation_images() -> None:
    train, validation = split_train_validation(numbered(20), train_size=None, validation_size=0)
    assert (len(train), len(validation)) == (20, 0)


def test_split_copies_nothing() -> None:
    whole = numbered(20)
    for part in split_train_validation(whole, train_size=3, validation_size=5):
        assert np.shares_memory(part.images, whole.images)
        assert part.images.flags.c_contiguous


def test_digest_tells_sections_apart() -> None:
    whole = numbered(20)
    digests = {whole.digest, whole.take_first(5).digest, whole.take_last(5).digest}
    assert len(digests) == 3
    assert whole.take_first(20).digest == whole.digest
    assert whole.take_first(5).digest == whole.take_first(5).digest


@pytest.mark.parametrize(
    ("train_size", "validation_size", "numbers"),
    [
        (None, 20, "0 to 19"),
        (None, -1, "got -1"),
        (16, 5, "1 to 15"),
        (0, 5, "got 0"),
    ],
)
def test_impossible_split_names_the_numbers(
    train_size: int | None, validation_size: int, numbers: str
) -> None:
    with pytest.raises(ConfigurationError, match=numbers):
        split_train_validation(numbered(20), train_size=train_size, validation_size=validation_size)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, 21)])
def test_section_outside_is_refused(start: int, stop: int) -> None:
    with pytest.raises(DataError, match="within 0:20"):
        numbered(20).section(start, stop)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((2, PIXELS), np.float32), np.zeros(2, np.int64)),
        (np.zeros((2, 100), np.uint8), np.zeros(2, np.int64)),
        (np.zeros((2, PIXELS), np.uint8), np.zeros(3, np.int64)),
        (np.zeros((2, PIXELS), np.uint8), np.zeros(2, np.int32)),
        (np.zeros((2, PIXELS), np.uint8), np.array([0, 10])),
        (np.zeros((2, PIXELS), np.uint8), np.array([-1, 0])),
    ],
)
def test_contradictory_arrays_are_refused(images: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected"):
        ImageSet(images, labels, CLASS_NAMES, "digest")


def test_pictures_become_rows_channel_by_channel() -> None:
    pictures = np.random.default_rng(0).integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
    rows = rows_from_pictures(pictures)
    assert rows.shape == (3, PIXELS)
    assert rows[1, 1024 + 5 * 32 + 7] == pictures[1, 5, 7, 1]
