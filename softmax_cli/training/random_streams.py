"""The independent random streams of a training."""

from dataclasses import dataclass

import numpy as np

from softmax_cli.config.schema import TrainConfig


@dataclass(frozen=True)
class RandomStreams:
    """The independent streams that a seed is spread into.

    A stream is identified by its position, so a new one must come last.
    """

    weights: np.random.SeedSequence
    sampling: np.random.SeedSequence
    augmentation: np.random.SeedSequence
    features: np.random.SeedSequence

    @classmethod
    def of(cls, config: TrainConfig) -> "RandomStreams":
        """The streams of a training."""
        weights, *others = np.random.SeedSequence(config.seed).spawn(4)
        if config.model.weight_seed is not None:
            weights, *_ = np.random.SeedSequence(config.model.weight_seed).spawn(4)
        return cls(weights, *others)
