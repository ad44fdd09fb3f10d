"""From uint8 pixels to the float32 features a model sees: centring and scaling."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.mirroring import mirrored

Scale = Literal["none", "unit", "pixel"]

_EXACT_ROWS = 256
"""Rows whose squared pixels float32 sums without rounding, in any order: 256 * 255**2 < 2**24."""


@dataclass(frozen=True)
class Preprocessing:
    """Features ``x' = (x - mean) / scale`` of pixels x in 0..255.

    Attributes:
        mean: (D,) float32, zeros where nothing is subtracted.
        scale: (D,) float32, positive, ones where nothing is divided.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        images: NDArray[np.uint8],
        *,
        center: bool,
        scale: Scale,
        flip_symmetric: bool = False,
    ) -> Self:
        """Preprocessing learned from training images (n, D).

        Args:
            images: (n, D) uint8, n > 0.
            center: subtract the mean of each pixel over the images.
            scale: ``none``; ``unit`` divides by 255; ``pixel`` divides by the standard deviation of
                each pixel over the images (a pixel that never varies is left as it is).
            flip_symmetric: learn from the images and their mirror images alike.
        """
        features = images.shape[1]
        mean, deviation = np.zeros(features), np.ones(features)
        if scale == "pixel":
            mean, mean_square = _mean(images), _mean(images, squared=True)
            if flip_symmetric:
                mean, mean_square = _symmetric(mean), _symmetric(mean_square)
            deviation = np.sqrt(np.maximum(mean_square - mean**2, 0))
            deviation[deviation == 0] = 1.0
        elif center:
            mean = _mean(images)
            mean = _symmetric(mean) if flip_symmetric else mean
        if scale == "unit":
            deviation = np.full(features, 255.0)
        return cls(
            mean=(mean if center else np.zeros(features)).astype(np.float32),
            scale=deviation.astype(np.float32),
        )

    def apply(self, images: NDArray[np.unsignedinteger], out: NDArray[np.float32]) -> None:
        """Write the features of images (n, D) of integers into ``out`` (n, D) float32.

        The conversion comes first: a numpy operation that mixes uint8 and float32 casts through a
        small buffer and takes several times as long.
        """
        np.copyto(out, images)
        np.subtract(out, self.mean, out=out)
        np.multiply(out, np.float32(1) / self.scale, out=out)


def _mean(images: NDArray[np.uint8], *, squared: bool = False) -> NDArray[np.float64]:
    """Exact mean (D,) of each pixel, or of its square."""
    total = np.zeros(images.shape[1])
    for rows in _float_blocks(images):
        if squared:
            np.square(rows, out=rows)
        total += rows.sum(axis=0)
    return total / len(images)


def _symmetric(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of values (D,) and their mirror image."""
    return 0.5 * (values + mirrored(values))


def _float_blocks(images: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """Blocks of at most 256 images as float32, in a buffer that is reused."""
    buffer = np.empty((min(_EXACT_ROWS, len(images)), images.shape[1]), np.float32)
    for start in range(0, len(images), _EXACT_ROWS):
        block = images[start : start + _EXACT_ROWS]
        np.copyto(buffer[: len(block)], block)
        yield buffer[: len(block)]
