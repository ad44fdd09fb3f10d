"""A feature map for tests: the mean of each channel, said to take long."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Images
from softmax_cli.features.unlearned import Unlearned


class ChannelMeans(Unlearned):
    """Three features; a count of the images that were asked for is kept for all instances."""

    kind: ClassVar[str] = "channel_means"
    is_costly: ClassVar[bool] = True
    version: ClassVar[int] = 1
    size = 3
    mirror = None
    computed: ClassVar[list[int]] = []

    def transform(self, images: Images) -> NDArray[np.float32]:
        self.computed.append(len(images))
        means: NDArray[np.float32] = images.reshape(-1, 3, 1024).mean(axis=2, dtype=np.float32)
        return means

    def to_pixels(self, weights: Floats) -> None:
        return None
