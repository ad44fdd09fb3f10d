"""What feature maps share that learn nothing."""

from typing import TYPE_CHECKING, Any, Self

from softmax_cli.arrays import Arrays, Rows
from softmax_cli.features.feature_map import expect_arrays

if TYPE_CHECKING:
    import numpy as np


class Unlearned:
    """A feature map that is fitted as it is, and adds no arrays to a model file."""

    def fit(self, images: Rows, seed: "np.random.SeedSequence") -> Self:  # noqa: ARG002
        """The map itself."""
        return self

    def arrays(self) -> Arrays:
        """None."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Arrays, **settings: Any) -> Self:
        """The map of these settings.

        Raises:
            ValueError: there are arrays.
        """
        expect_arrays(arrays, {})
        return cls(**settings)
