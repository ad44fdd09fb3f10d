"""What a sweep will take, without running it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.data.images import CLASS_NAMES, PIXELS
from softmax_cli.training.assembly import iterations_of
from softmax_cli.tuning.stacks import Stack

_CIFAR10_IMAGES = 50_000
_REPEATS = 5
_COPIES = 5
"""Arrays of the size of a stack's weights: weights, gradient, velocity, the best, a checkpoint."""


@dataclass(frozen=True)
class StackEstimate:
    """What one stack will take.

    Attributes:
        trials: number of trials in it.
        models: K, folds included.
        iterations: steps.
        operations: floating-point operations of its matrix products.
        seconds: at the speed at which such products run here and now; validation and the rest of a
            step come on top.
        memory: bytes of images and matrices.
    """

    trials: int
    models: int
    iterations: int
    operations: float
    seconds: float
    memory: int


def estimate(stacks: Sequence[Stack]) -> list[StackEstimate]:
    """Estimate each stack; takes a fraction of a second for each width and batch size."""
    timed: dict[tuple[int, int], float] = {}
    estimates = []
    for stack in stacks:
        config, models = stack.shared, stack.models
        batch_size = config.training.batch_size
        columns = len(CLASS_NAMES) * models
        iterations = iterations_of(
            config, config.data.train_size or _CIFAR10_IMAGES - config.data.validation_size
        )
        size = (batch_size, columns)
        timed.setdefault(size, _seconds_per_step(*size))
        images = _CIFAR10_IMAGES * PIXELS * (2 if config.augmentation.horizontal_flip else 1)
        matrices = 4 * PIXELS * (_COPIES * columns + batch_size)
        estimates.append(
            StackEstimate(
                trials=len(stack.trials),
                models=models,
                iterations=iterations,
                operations=4.0 * batch_size * PIXELS * columns * iterations,
                seconds=timed[size] * iterations,
                memory=images + matrices,
            )
        )
    return estimates


def _seconds_per_step(batch_size: int, columns: int) -> float:
    """Measured time of the two matrix products of a step."""
    X = np.ones((batch_size, PIXELS), np.float32)
    W = np.ones((PIXELS, columns), np.float32)
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        X.T @ (X @ W)
        times.append(time.perf_counter() - start)
    return float(np.median(times))
