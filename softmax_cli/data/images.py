"""Labelled images in memory, and the cut into training and validation images.

In place of images there may be features that the user has made: rows of numbers, and no pictures.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Rows
from softmax_cli.errors import ConfigurationError, DataError

IMAGE_SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
ARRAYS: Final = "arrays"
"""What ``data.dataset`` calls features, or images, that the user has made."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with their labels; slices are views, never copies.

    Attributes:
        images: (n, 3072) uint8, C-contiguous; a row is one image, (3, 32, 32) channel-major. Where
            they are no pictures, (n, D) numbers; a row describes one example, and may lie in a file
            that is mapped into memory.
        labels: (n,) int64, each an index into ``class_names``.
        class_names: one name per class, in label order.
        digest: hex SHA-256 that identifies where these images come from; equal digests mean equal
            images and labels.
        is_pictures: whether a row holds pixels.

    Raises:
        DataError: if shapes, dtypes or labels contradict the above.
    """

    images: Rows
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    digest: str
    is_pictures: bool = True

    def __post_init__(self) -> None:
        if not self.is_pictures:
            if self.images.ndim != 2 or len(self.images) != len(self.labels):
                raise DataError(
                    f"expected features of shape ({len(self.labels)}, D), one row for each label, "
                    f"got {self.images.shape}"
                )
        elif self.images.dtype != np.uint8 or self.images.shape != (len(self.labels), PIXELS):
            raise DataError(
                f"expected uint8 images of shape ({len(self.labels)}, {PIXELS}), "
                f"got {self.images.dtype} of shape {self.images.shape}"
            )
        if self.labels.dtype != np.int64 or self.labels.ndim != 1:
            raise DataError(
                f"expected one int64 label per image, "
                f"got {self.labels.dtype} of shape {self.labels.shape}"
            )
        classes = len(self.class_names)
        if self.labels.size and not 0 <= self.labels.min() <= self.labels.max() < classes:
            raise DataError(
                f"expected labels from 0 to {classes - 1}, "
                f"got {self.labels.min()} to {self.labels.max()}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def noun(self) -> str:
        """What messages call the examples."""
        return noun_of(is_pictures=self.is_pictures)

    def section(self, start: int, stop: int) -> "ImageSet":
        """Images ``start`` to ``stop - 1`` as views on the same memory.

        Args:
            start: index of the first image, 0 <= start <= stop.
            stop: index behind the last image, at most ``len(self)``.

        Raises:
            DataError: if the section does not lie within these images.
        """
        if not 0 <= start <= stop <= len(self):
            raise DataError(f"expected a section within 0:{len(self)}, got {start}:{stop}")
        if (start, stop) == (0, len(self)):
            return self
        digest = hashlib.sha256(f"{self.digest}[{start}:{stop}]".encode()).hexdigest()
        return replace(
            self, images=self.images[start:stop], labels=self.labels[start:stop], digest=digest
        )

    def take_first(self, count: int) -> "ImageSet":
        """The first ``count`` images."""
        return self.section(0, count)

    def take_last(self, count: int) -> "ImageSet":
        """The last ``count`` images."""
        return self.section(len(self) - count, len(self))


def noun_of(*, is_pictures: bool) -> str:
    """What messages call examples: images, or examples where they are features of the user's."""
    return "images" if is_pictures else "examples"


def rows_from_pictures(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows (n, 3072), channel-major, from pictures (n, 32, 32, 3)."""
    return pictures.transpose(0, 3, 1, 2).reshape(len(pictures), PIXELS)


def split_train_validation(
    images: ImageSet, *, train_size: int | None, validation_size: int
) -> tuple[ImageSet, ImageSet]:
    """Cut a training split into images to learn from and images to choose settings by.

    Args:
        images: the whole training split.
        train_size: how many of the images before the validation images to train on, from the
            start; None takes all of them.
        validation_size: how many images at the end of the split to hold out; may be 0.

    Returns:
        Training images and validation images, both views.

    Raises:
        ConfigurationError: if there are not enough images for both.
    """
    available = len(images) - validation_size
    if validation_size < 0 or available < 1:
        raise ConfigurationError(
            f"expected data.validation_size from 0 to {len(images) - 1}, because the training "
            f"split has {len(images)} {images.noun}, got {validation_size}"
        )
    if train_size is not None and not 1 <= train_size <= available:
        raise ConfigurationError(
            f"expected data.train_size from 1 to {available} ({len(images)} training "
            f"{images.noun} less {validation_size} for validation), got {train_size}",
            hint="Lower data.train_size, or leave it null to train on all of them.",
        )
    train = images.take_first(available if train_size is None else train_size)
    return train, images.take_last(validation_size)
