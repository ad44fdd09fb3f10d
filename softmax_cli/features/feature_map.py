"""What a feature map is: it turns an image into a row of P numbers, and is fitted once.

Everything behind it is the same for all feature maps: standardisation, folding, stacks, scoring and
the model file ask it for what they need.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from softmax_cli.arrays import Arrays, Floats, Images, Indices, Rows


class FeatureMap(Protocol):
    """One way to describe images by numbers.

    It is made from its settings, as keyword arguments: the keys that its section of a configuration
    has beside ``kind`` and ``storage``.

    Attributes:
        is_costly: whether features are kept on disk, because they take long to compute.
    """

    is_costly: ClassVar[bool]

    @property
    def version(self) -> int:
        """How often the map has changed, counted from 1.

        A change of the code that gives other features for the same images and settings, or learns
        something else, raises it, so that features that are kept on disk are made anew.
        """
        ...

    @property
    def kind(self) -> str:
        """What a configuration calls it."""
        ...

    @property
    def size(self) -> int:
        """P, the number of features of an image."""
        ...

    @property
    def mirror(self) -> Indices | None:
        """How mirroring an image permutes its features: (P,) int64, or None where it does not.

        Feature ``i`` of a mirrored image is feature ``mirror[i]`` of the image. It is its own
        inverse.
        """
        ...

    def fit(self, images: Images, seed: "np.random.SeedSequence") -> Self:
        """The map with whatever it learns from training images (n, 3072) and from chance."""
        ...

    def transform(self, images: Images) -> Rows:
        """Features (n, P) of images (n, 3072), uint8 or float32; perhaps a view."""
        ...

    def arrays(self) -> Arrays:
        """What was learned, by name, for the model file."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Arrays, **settings: Any) -> Self:
        """The fitted map of these settings that gave these :meth:`arrays`.

        Raises:
            ValueError: the arrays do not have the names, shapes or dtypes that the settings ask
                for.
        """
        ...

    def to_pixels(self, weights: Floats) -> Floats | None:
        """Weights (3072, C) that score pixels as ``weights`` (P, C) score features, for templates.

        None if the map is not linear.
        """
        ...


def expect_arrays(arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check that a map is made from the float32 arrays that it needs, and from no others.

    Raises:
        ValueError: it is not.
    """
    if arrays.keys() != shapes.keys():
        raise ValueError(f"expected arrays {sorted(shapes)}, got {sorted(arrays)}")
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float32:
            raise ValueError(
                f"expected {name} float32 of shape {shape}, got {array.dtype} of {array.shape}"
            )
