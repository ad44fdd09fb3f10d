"""A feature map for tests: the mean of each channel, said to take long."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays, Floats, Images
from softmax_cli.features.feature_map import expect_arrays


class ChannelMeans:
    """Three features; a count of the images that were asked for is kept for all instances."""

    kind: ClassVar[str] = "channel_means"
    is_costly: ClassVar[bool] = True
    size = 3
    mirror = None
    computed: ClassVar[list[int]] = []

    def fit(self, images: Images, seed: np.random.SeedSequence) -> Self:
        return self

    def transform(self, images: Images) -> NDArray[np.float32]:
        self.computed.append(len(images))
        means: NDArray[np.float32] = images.reshape(-1, 3, 1024).mean(axis=2, dtype=np.float32)
        return means

    def arrays(self) -> Arrays:
        return {}

    @classmethod
    def from_arrays(cls, arrays: Arrays, **settings: Any) -> Self:
        expect_arrays(arrays, {})
        return cls(**settings)

    def to_pixels(self, weights: Floats) -> None:
        return None
