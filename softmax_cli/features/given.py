"""Features that the user has made, as they are."""

from typing import TYPE_CHECKING, ClassVar, Self

from softmax_cli.arrays import Floats, Rows
from softmax_cli.features.unlearned import Unlearned

if TYPE_CHECKING:
    import numpy as np


class Given(Unlearned):
    """The feature map of rows that are no images; nothing is learned.

    No configuration names it: it is used where the data is no pictures.

    Args:
        size: D, columns of a row; 0 until it is fitted.
    """

    kind: ClassVar[str] = "given"
    is_costly: ClassVar[bool] = False
    version: ClassVar[int] = 1
    mirror: ClassVar[None] = None

    def __init__(self, size: int = 0) -> None:
        self._size = size

    @property
    def size(self) -> int:
        """D."""
        return self._size

    def fit(self, images: Rows, seed: "np.random.SeedSequence") -> Self:  # noqa: ARG002
        """A map of rows with as many columns."""
        return type(self)(images.shape[1])

    def transform(self, images: Rows) -> Rows:
        """The rows themselves."""
        return images

    def to_pixels(self, weights: Floats) -> Floats | None:  # noqa: ARG002
        """None: there are no pixels."""
        return None
