"""Which images the minibatch of a step holds."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from softmax_cli.training.engine import Selection
from softmax_cli.training.sampling import Sampler


@dataclass(frozen=True, eq=False)
class Minibatch:
    """What one step of training sees.

    Attributes:
        selection: N rows of the training inputs.
        labels: (N,) int64.
        indices: (N,) int64, which training images these are, mirrored or not.
    """

    selection: Selection
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]


class Minibatches:
    """The minibatch of any step.

    Args:
        labels: (n,) int64, of the training images.
        sampler: indices below n for each step.
        flips: for each step zeros and ones, 1 where an image is to be mirrored; then the training
            inputs are all images, followed by all of them mirrored.

    Attributes:
        batch_size: N.
    """

    def __init__(
        self, labels: NDArray[np.int64], sampler: Sampler, flips: Sampler | None = None
    ) -> None:
        self._labels = labels
        self._sampler = sampler
        self._flips = flips
        self.batch_size = len(sampler(0))
        # The loop asks for each one twice: a step ahead, and in its turn.
        self.at = lru_cache(maxsize=2)(self._draw)

    def _draw(self, step: int) -> Minibatch:
        """The minibatch of a step."""
        indices = self._sampler(step)
        rows = indices
        if self._flips is not None:
            rows = indices + len(self._labels) * self._flips(step)
        return Minibatch(Selection("train", rows), self._labels[indices], indices)
