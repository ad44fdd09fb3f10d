"""The guard: a training step beside its own two products, in a few seconds and on synthetic images.

It needs no other library than the package itself does.
"""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.timing import Spread, seconds_of
from softmax_cli.config.loading import load_train_config
from softmax_cli.data.images import ImageSet
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.timing import step_blocks
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import prepare_training_data

MODELS = (1, 24)

_COPIES = 10
"""Of 5,000 images, to be as many as CIFAR-10 has: few images would be gathered from a cache."""

_BLOCK_SECONDS = 0.2
_WARM_UP_STEPS = 30
_ENDLESS = 10_000_000


@dataclass(frozen=True)
class StepTimes:
    """A step of a stack.

    Attributes:
        models: K.
        batch_size: N.
        images: that minibatches are drawn from.
        seconds: of a step.
        product_seconds: of its two products alone.
        ratio: of the two, block by block.
    """

    models: int
    batch_size: int
    images: int
    seconds: Spread
    product_seconds: Spread
    ratio: Spread


def time_step(images: ImageSet, models: int, batch_size: int, repeats: int) -> StepTimes:
    """Time blocks of steps of the preset cs231n, in turn with blocks of their products.

    Args:
        images: to train on.
        models: K, all with the same settings.
        batch_size: N.
        repeats: number of blocks.
    """
    trainer = endless_trainer(images, models, batch_size)
    ((warm_up, _),) = step_blocks(
        trainer, batch_size, 1, steps=_WARM_UP_STEPS, warm_up=_WARM_UP_STEPS
    )
    blocks = step_blocks(
        trainer,
        batch_size,
        repeats,
        steps=steps_in_block(warm_up),
        warm_up=_WARM_UP_STEPS,
        timer=seconds_of,
    )
    return StepTimes(
        models=models,
        batch_size=batch_size,
        images=len(images),
        seconds=Spread.of([step for step, _ in blocks]),
        product_seconds=Spread.of([product for _, product in blocks]),
        ratio=Spread.of([step / product for step, product in blocks]),
    )


def steps_in_block(seconds: float) -> int:
    """How many steps are timed at a time, if one takes so many seconds."""
    return max(10, round(_BLOCK_SECONDS / seconds))


def endless_trainer(images: ImageSet, models: int, batch_size: int) -> Trainer:
    """The trainer of a stack of cs231n that never validates.

    Args:
        images: to train on.
        models: K, all with the same settings.
        batch_size: N.
    """
    config = load_train_config(
        "cs231n",
        [
            f"training.batch_size={batch_size}",
            f"training.iterations={_ENDLESS}",
            f"training.validate_every={_ENDLESS}",
        ],
    )
    data = prepare_training_data(config, images, images.take_last(1))
    return build_trainer([config] * models, data)


def many_synthetic_images() -> ImageSet:
    """As many synthetic images as CIFAR-10 has for training, most of them copies of others."""
    few = make_synthetic("train")
    images = np.tile(few.images, (_COPIES, 1))
    return replace(few, images=images, labels=np.tile(few.labels, _COPIES))
