"""The pixels themselves, 0 to 255."""

from typing import ClassVar

import numpy as np

from softmax_cli.arrays import Floats, Images, Indices
from softmax_cli.data.images import IMAGE_SHAPE, PIXELS
from softmax_cli.features.unlearned import Unlearned


class Pixels(Unlearned):
    """The feature map that leaves an image as it is; nothing is learned."""

    kind: ClassVar[str] = "pixels"
    is_costly: ClassVar[bool] = False
    version: ClassVar[int] = 1

    @property
    def size(self) -> int:
        """3072."""
        return PIXELS

    @property
    def mirror(self) -> Indices:
        """Each line of pixels turned around."""
        lines = np.arange(PIXELS).reshape(IMAGE_SHAPE)  # (3, 32, 32)
        return np.ascontiguousarray(lines[:, :, ::-1]).reshape(-1)

    def transform(self, images: Images) -> Images:
        """The images themselves."""
        return images

    def to_pixels(self, weights: Floats) -> Floats:
        """The weights themselves."""
        return weights
