"""The pixels themselves, 0 to 255."""

from typing import Any, ClassVar, Self

import numpy as np

from softmax_cli.arrays import Arrays, Floats, Images, Indices
from softmax_cli.data.images import IMAGE_SHAPE, PIXELS
from softmax_cli.features.feature_map import expect_arrays


class Pixels:
    """The feature map that leaves an image as it is; nothing is learned."""

    kind: ClassVar[str] = "pixels"
    is_costly: ClassVar[bool] = False

    @property
    def size(self) -> int:
        """3072."""
        return PIXELS

    @property
    def mirror(self) -> Indices:
        """Each line of pixels turned around."""
        lines = np.arange(PIXELS).reshape(IMAGE_SHAPE)  # (3, 32, 32)
        return np.ascontiguousarray(lines[:, :, ::-1]).reshape(-1)

    def fit(self, images: Images, seed: "np.random.SeedSequence") -> Self:  # noqa: ARG002
        """Nothing is learned."""
        return self

    def transform(self, images: Images) -> Images:
        """The images themselves."""
        return images

    def arrays(self) -> Arrays:
        """None."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Arrays, **settings: Any) -> Self:
        """The map."""
        expect_arrays(arrays, {})
        return cls(**settings)

    def to_pixels(self, weights: Floats) -> Floats:
        """The weights themselves."""
        return weights
