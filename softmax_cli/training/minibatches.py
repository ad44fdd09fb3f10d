"""Minibatches of features, prepared from stored pixels a few rows at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.training.sampling import Sampler

_CHUNK_ROWS = 25


@dataclass(frozen=True)
class Minibatch:
    """What one step of training sees.

    Attributes:
        step: counted from 0.
        features: (N, D) float32; overwritten by the minibatch after the next.
        labels: (N,) int64.
        indices: (N,) int64, which training images these are.
        rows: (N,) int64, where their pixels are; differs from ``indices`` for mirrored images.
    """

    step: int
    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]
    rows: NDArray[np.int64]


class Minibatches:
    """The minibatch of any step; images stay small integers until they are needed.

    A minibatch is begun, and then prepared in chunks, which any thread may do in any order. There
    are two buffers, so the next one can be prepared while one is in use.

    Args:
        images: (n, D) integers. With ``flips``, (2 n, D): all images, then all of them mirrored,
            so that a flipped image costs no more than any other.
        labels: (n,) int64.
        preprocessing: applied to each minibatch.
        sampler: indices below n for each step.
        flips: for each step zeros and ones, 1 where an image is to be mirrored.

    Attributes:
        batch_size: N.
        chunks: number of chunks that a minibatch is prepared in.
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
        self.chunks = -(-self.batch_size // _CHUNK_ROWS)
        shape = (self.batch_size, images.shape[1])
        self._pixels = np.empty(shape, images.dtype)
        self._features = (np.empty(shape, np.float32), np.empty(shape, np.float32))

    def begin(self, step: int) -> Minibatch:
        """The minibatch of a step, its features not yet prepared."""
        indices = self._sampler(step)
        rows = indices
        if self._flips is not None:
            rows = indices + len(self._labels) * self._flips(step)
        features = self._features[step % 2]
        return Minibatch(step, features, self._labels[indices], indices, rows)

    def prepare(self, batch: Minibatch, chunk: int) -> None:
        """Fill in one chunk of the features."""
        part = slice(chunk * _CHUNK_ROWS, (chunk + 1) * _CHUNK_ROWS)
        # mode="clip" skips the bounds check and with it a temporary copy of the whole result.
        pixels = self._pixels[part]
        np.take(self._images, batch.rows[part], axis=0, out=pixels, mode="clip")
        self._preprocessing.apply(pixels, batch.features[part])

    def at(self, step: int) -> Minibatch:
        """The minibatch of a step, prepared."""
        batch = self.begin(step)
        for chunk in range(self.chunks):
            self.prepare(batch, chunk)
        return batch
