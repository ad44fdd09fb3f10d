"""What a sweep will take, without running it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import HalvingSearch
from softmax_cli.data.datasets import find_dataset
from softmax_cli.data.images import PIXELS, ImageSet
from softmax_cli.training.assembly import iterations_of
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import TrainingData, prepare_training_data
from softmax_cli.tuning.halving import share_of_steps
from softmax_cli.tuning.stack_run import StackTask, trainer_of
from softmax_cli.tuning.stacks import Stack, shared_settings

_TIMED_STEPS = 6
_VALIDATED = 500
_IMAGE_COPIES = {False: 1, True: 3, "exact": 2}
"""Of the rows: themselves; with flips themselves and their mirror images, folded their sums."""
_COPIES = 2
"""States of a stack in memory: that of the trainer, and the one that is saved."""


@dataclass(frozen=True)
class StackEstimate:
    """What one stack will take.

    Attributes:
        trials: number of trials in it.
        models: K, folds included.
        iterations: steps.
        operations: floating-point operations of its matrix products.
        seconds: at the speed at which its steps and validations run here and now.
        memory: bytes of features and matrices.
    """

    trials: int
    models: int
    iterations: int
    operations: float
    seconds: float
    memory: int


def estimate(stacks: Sequence[Stack], search: object) -> list[StackEstimate]:
    """Estimate each stack from a few of its steps on images of noise.

    Args:
        stacks: of a sweep.
        search: of that sweep; halving takes only a share of the steps.
    """
    alike: dict[tuple[str, int], StackEstimate] = {}
    for stack in stacks:
        kind = (shared_settings(stack.shared), stack.models)
        if kind not in alike:
            alike[kind] = _estimate(stack, search)
    return [alike[shared_settings(stack.shared), stack.models] for stack in stacks]


def _estimate(stack: Stack, search: object) -> StackEstimate:
    config = stack.shared
    count, class_names = _training_split(config)
    train_size = config.data.train_size or count - config.data.validation_size
    iterations = iterations_of(config, train_size)
    steps = float(iterations)
    if isinstance(search, HalvingSearch):
        steps *= share_of_steps(len(stack.trials), iterations, search.halving)
    noise = _noise(config, stack.folds, class_names)
    trainer = trainer_of(StackTask(stack), noise)
    step, validation = _times(trainer)
    # Folds are only scored at the end, which takes no longer than a few steps.
    validated = config.data.validation_size / config.training.validate_every
    flip = config.augmentation.horizontal_flip
    rows = count * noise.train_features[:1].nbytes * _IMAGE_COPIES[flip]
    state = sum(array.nbytes for array in trainer.state().values())
    return StackEstimate(
        trials=len(stack.trials),
        models=stack.models,
        iterations=iterations,
        operations=4.0 * trainer.stack.weights.size * config.training.batch_size * steps,
        seconds=steps * (step + (validation * validated if stack.folds == 1 else 0.0)),
        memory=rows + _COPIES * state,
    )


def _training_split(config: TrainConfig) -> tuple[int, tuple[str, ...]]:
    """Length of the training split and its class names; it is loaded only if need be."""
    spec = find_dataset(config.data.dataset)
    if spec.training_images is None or spec.class_names is None:
        images = spec.load(config.data.directory, "train")
        return len(images), images.class_names
    return spec.training_images, spec.class_names


def _noise(config: TrainConfig, folds: int, class_names: tuple[str, ...]) -> TrainingData:
    """As little data as a minibatch and a validation need."""
    pixels = np.random.default_rng(0).integers(
        256, size=(max(config.training.batch_size, folds, _VALIDATED), PIXELS), dtype=np.uint8
    )
    images = ImageSet(pixels, np.zeros(len(pixels), np.int64), class_names, digest="")
    return prepare_training_data(config, images, images.take_first(_VALIDATED))


def _times(trainer: Trainer) -> tuple[float, float]:
    """Seconds of a step, and of the validation on one image."""
    marks = [time.perf_counter()]
    marks += [time.perf_counter() for _ in trainer.train(until=_TIMED_STEPS)]
    times = np.diff(marks)
    # The first step allocates, the last one is followed by a validation.
    step = float(np.median(times[1:-1] if len(times) > 2 else times))
    return step, max(float(times[-1]) - step, 0.0) / _VALIDATED
