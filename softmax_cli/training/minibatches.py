"""Minibatches of features, prepared from stored pixels one step at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.training.sampling import Sampler


@dataclass(frozen=True)
class Minibatch:
    """What one step of training sees.

    Attributes:
        features: (N, D) float32; valid until the next minibatch is prepared.
        labels: (N,) int64.
        indices: (N,) int64, which training images these are.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]


class Minibatches:
    """The minibatch of any step; images stay small integers until they are needed.

    Args:
        images: (n, D) integers. With ``flips``, (2 n, D): all images, then all of them mirrored,
            so that a flipped image costs no more than any other.
        labels: (n,) int64.
        preprocessing: applied to each minibatch.
        sampler: indices below n for each step.
        flips: for each step zeros and ones, 1 where an image is to be mirrored.

    Attributes:
        batch_size: N.
    """

    def __init__(
        self,
        images: NDArray[np.unsignedinteger],
        labels: NDArray[np.int64],
        preprocessing: Preprocessing,
        sampler: Sampler,
        flips: Sampler | None = None,
    ) -> None:
        self._images = images
        self._labels = labels
        self._preprocessing = preprocessing
        self._sampler = sampler
        self._flips = flips
        self.batch_size = len(sampler(0))
        shape = (self.batch_size, images.shape[1])
        self._pixels = np.empty(shape, images.dtype)
        self._features = np.empty(shape, np.float32)

    def at(self, step: int) -> Minibatch:
        """The minibatch of a step."""
        indices = self._sampler(step)
        rows = indices
        if self._flips is not None:
            rows = indices + len(self._labels) * self._flips(step)
        # mode="clip" skips the bounds check and with it a temporary copy of the whole result.
        np.take(self._images, rows, axis=0, out=self._pixels, mode="clip")
        self._preprocessing.apply(self._pixels, self._features)
        return Minibatch(self._features, self._labels[indices], indices)
