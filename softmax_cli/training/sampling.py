"""Which images make up the minibatch of a step: a pure function of the seed and the step.

Nothing is carried from step to step, so a training can be resumed at any step from the seed and
the number of that step alone. The indices are drawn in blocks, block b from the b-th child of the
stream's seed sequence; what a step draws does not depend on the number of models.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Sampling = Literal["replacement", "epoch"]
Sampler = Callable[[int], NDArray[np.int64]]
"""``sampler(step)`` gives the indices (N,) of the minibatch of a step, counted from 0."""

_BLOCK_STEPS = 256


def with_replacement(examples: int, batch_size: int, seed: np.random.SeedSequence) -> Sampler:
    """Each index drawn uniformly from all ``examples``, independently of all others."""

    @lru_cache(maxsize=2)
    def block(number: int) -> NDArray[np.int64]:
        generator = np.random.default_rng(child(seed, number))
        return generator.integers(examples, size=(_BLOCK_STEPS, batch_size))

    def sample(step: int) -> NDArray[np.int64]:
        indices: NDArray[np.int64] = block(step // _BLOCK_STEPS)[step % _BLOCK_STEPS]
        return indices

    return sample


def by_epoch(examples: int, batch_size: int, seed: np.random.SeedSequence) -> Sampler:
    """A fresh permutation of all ``examples`` each epoch, cut into minibatches.

    Every minibatch is full: one that reaches the end of an epoch goes on into the next.
    """

    @lru_cache(maxsize=2)
    def permutation(epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng(child(seed, epoch)).permutation(examples)

    def sample(step: int) -> NDArray[np.int64]:
        start = step * batch_size
        parts = []
        while start < (step + 1) * batch_size:
            epoch, offset = divmod(start, examples)
            count = min(examples - offset, (step + 1) * batch_size - start)
            parts.append(permutation(epoch)[offset : offset + count])
            start += count
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return sample


SAMPLERS: dict[Sampling, Callable[[int, int, np.random.SeedSequence], Sampler]] = {
    "replacement": with_replacement,
    "epoch": by_epoch,
}


def coin_flips(batch_size: int, seed: np.random.SeedSequence) -> Sampler:
    """Zeros and ones (N,) with equal probability, one for each image of a minibatch."""
    return with_replacement(2, batch_size, seed)


def child(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """What ``seed.spawn(number + 1)[number]`` gives on a fresh ``seed``, without spawning."""
    return np.random.SeedSequence(entropy=seed.entropy, spawn_key=(*seed.spawn_key, number))
