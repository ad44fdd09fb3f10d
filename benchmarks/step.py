"""The guard: a training step beside its own two products, in a few seconds and on synthetic images.

It needs no other library than the package itself does.
"""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.timing import Spread
from softmax_cli.config.loading import load_train_config
from softmax_cli.data.images import ImageSet
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.training.benchmark import steps_needed, time_steps

MODELS = (1, 24)

_COPIES = 10
"""Of 5,000 images, to be as many as CIFAR-10 has: few images would be gathered from a cache."""


@dataclass(frozen=True)
class StepTimes:
    """A step of a stack.

    Attributes:
        models: K.
        batch_size: N.
        images: that minibatches are drawn from.
        seconds: of a step.
        product_seconds: of its two products alone.
        ratio: of the two, each taken from one block of measurements.
    """

    models: int
    batch_size: int
    images: int
    seconds: Spread
    product_seconds: Spread
    ratio: Spread


def time_step(images: ImageSet, models: int, batch_size: int, repeats: int) -> StepTimes:
    """Time steps of the preset cs231n for a stack of equal models.

    Args:
        images: to train on.
        models: K.
        batch_size: N.
        repeats: blocks of measurements that count; one more comes first.
    """
    config = load_train_config(
        "cs231n",
        [
            f"training.batch_size={batch_size}",
            f"training.iterations={steps_needed()}",
            f"training.validate_every={steps_needed()}",
        ],
    )
    blocks = [time_steps(config, images, models) for _ in range(repeats + 1)][1:]
    return StepTimes(
        models=models,
        batch_size=batch_size,
        images=len(images),
        seconds=Spread.of([block.seconds for block in blocks]),
        product_seconds=Spread.of([block.product_seconds for block in blocks]),
        ratio=Spread.of([block.ratio for block in blocks]),
    )


def many_synthetic_images() -> ImageSet:
    """As many synthetic images as CIFAR-10 has for training, most of them copies of others."""
    few = make_synthetic("train")
    images = np.tile(few.images, (_COPIES, 1))
    return replace(few, images=images, labels=np.tile(few.labels, _COPIES))
