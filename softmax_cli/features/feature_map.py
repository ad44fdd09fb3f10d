"""What a feature map is: it turns an image into a row of P numbers, and is fitted once.

Everything behind it is the same for all feature maps: standardisation, folding, stacks, scoring and
the model file ask it for what they need.
"""

from typing import ClassVar, Protocol, Self

from softmax_cli.arrays import Arrays, Floats, Images, Indices, Rows


class FeatureMap(Protocol):
    """One way to describe images by numbers.

    Attributes:
        kind: what a configuration calls it.
    """

    kind: ClassVar[str]

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

    def fit(self, images: Images) -> Self:
        """The map with whatever it learns from training images (n, 3072)."""
        ...

    def transform(self, images: Images) -> Rows:
        """Features (n, P) of images (n, 3072), uint8 or float32; perhaps a view."""
        ...

    def arrays(self) -> Arrays:
        """What was learned, by name, for the model file."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The fitted map that gave these :meth:`arrays`."""
        ...

    def to_pixels(self, weights: Floats) -> Floats | None:
        """Weights (3072, C) that score pixels as ``weights`` (P, C) score features, for templates.

        None if the map is not linear.
        """
        ...
