"""How fast the loss and a training step run here: beside plain forms, and beside bare products.

What is compared is run in turn, so that other work of the machine slows all of it alike. Times are
medians.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from statistics import median

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats
from softmax_cli.config.schema import TrainConfig
from softmax_cli.data.images import ImageSet
from softmax_cli.model.loss import Workspace
from softmax_cli.model.softmax_loss import (
    softmax_kernel,
    softmax_loss_naive,
    softmax_loss_vectorized,
)
from softmax_cli.model.stack import LinearStack
from softmax_cli.threads import at_most, thread_limit
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.trainer import Progress, Trainer
from softmax_cli.training.training_data import prepare_training_data

Evaluate = Callable[[], tuple[float, Floats]]

_WEIGHT_SCALE = 1e-4  # small enough that pixels of a range of 255 give scores around 1
_NAIVE_REPEATS = 3
_REPEATS = 7
_CHECKED_IMAGES = 500
_CHECKED_WEIGHTS = 20
_STEP = 1e-5  # of the numerical gradient
_STEPS_PER_BLOCK = 10
_WARM_UP_STEPS = 10
_BLOCKS = 7

Timer = Callable[[Callable[[], object]], float]
"""``timer(run)`` runs something once and gives its seconds."""


@dataclass(frozen=True)
class FormTiming:
    """One form of the softmax loss with its gradient.

    Attributes:
        form: ``naive``, ``vectorized`` or ``kernel``.
        dtype: of the images and weights.
        loss: mean over the images, without regularisation.
        seconds: median.
        speedup: how many times as fast as the naive form.
        loss_difference: from the naive form's loss, absolute.
        gradient_difference: Frobenius norm of the difference from the naive form's gradient, over
            the norm of that.
    """

    form: str
    dtype: str
    loss: float
    seconds: float
    speedup: float
    loss_difference: float
    gradient_difference: float


@dataclass(frozen=True)
class StepTiming:
    """One step of training beside its two matrix products alone.

    Attributes:
        models: K.
        batch_size: N.
        seconds: of a step; median of blocks of steps.
        product_seconds: of ``X W`` and ``X^T E``, the same.
        ratio: of the two, median over neighbouring blocks. It falls below 1 where the processes of
            training do better than the threads of BLAS, as they do beside other busy programs.
    """

    models: int
    batch_size: int
    seconds: float
    product_seconds: float
    ratio: float


@dataclass(frozen=True)
class ThreadTiming:
    """One step of training with a number of threads.

    Attributes:
        threads: the most that were allowed; the rule of ``threads`` may take fewer.
        models: K.
        seconds: of a step.
    """

    threads: int
    models: int
    seconds: float


def compare_forms(images: ImageSet, seed: int = 0) -> list[FormTiming]:
    """Time the softmax loss with two loops, vectorised, and as the training kernel computes it.

    The first is computed in float64, the last in float32, as in training, and the vectorised form
    in both.

    Args:
        images: what the loss is computed over.
        seed: of the weights.
    """
    X, W = _features_and_weights(images, seed)
    y = images.labels
    X32, W32 = X.astype(np.float32), W.astype(np.float32)
    forms: dict[tuple[str, str], Evaluate] = {
        ("naive", "float64"): lambda: softmax_loss_naive(W, X, y, 0.0),
        ("vectorized", "float64"): lambda: softmax_loss_vectorized(W, X, y, 0.0),
        ("vectorized", "float32"): lambda: softmax_loss_vectorized(W32, X32, y, 0.0),
        ("kernel", "float32"): _kernel_form(X32, W32, y),
    }
    results = {name: evaluate() for name, evaluate in forms.items()}
    seconds: dict[tuple[str, str], list[float]] = {name: [] for name in forms}
    for repeat in range(_REPEATS):
        for name, evaluate in forms.items():
            if name[0] != "naive" or repeat < _NAIVE_REPEATS:
                seconds[name].append(seconds_of(evaluate))
    naive = next(iter(forms))
    reference_loss, reference = results[naive]
    return [
        FormTiming(
            form=name[0],
            dtype=name[1],
            loss=results[name][0],
            seconds=median(seconds[name]),
            speedup=median(seconds[naive]) / median(seconds[name]),
            loss_difference=abs(results[name][0] - reference_loss),
            gradient_difference=float(
                np.linalg.norm(results[name][1] - reference) / np.linalg.norm(reference)
            ),
        )
        for name in forms
    ]


def check_gradient(images: ImageSet, seed: int = 0) -> float:
    """Greatest relative error of the gradient against central differences, in float64.

    Args:
        images: the first few hundred are looked at.
        seed: of the weights, and of which of them are varied.
    """
    X, W = _features_and_weights(images.take_first(min(len(images), _CHECKED_IMAGES)), seed)
    y = images.labels[: len(X)]
    gradient = softmax_loss_vectorized(W, X, y, 0.0)[1]
    rng = np.random.default_rng(seed)
    errors = []
    for index in zip(*(rng.integers(size, size=_CHECKED_WEIGHTS) for size in W.shape), strict=True):
        sides = []
        for step in (_STEP, -_STEP):
            moved = W.copy()
            moved[index] += step
            sides.append(softmax_loss_vectorized(moved, X, y, 0.0)[0])
        numerical = (sides[0] - sides[1]) / (2 * _STEP)
        size = abs(numerical) + abs(gradient[index])
        errors.append(abs(numerical - gradient[index]) / size if size else 0.0)
    return float(max(errors))


def time_steps(config: TrainConfig, images: ImageSet, models: int) -> StepTiming:
    """Time training steps of a stack, and in turn with them their two products.

    Args:
        config: of every model; its minibatch, its preprocessing, its update.
        images: to train on.
        models: K.
    """
    data = prepare_training_data(config, images, images.take_last(1))
    trainer = build_trainer([config] * models, data)
    batch_size = config.training.batch_size
    _, *blocks = step_blocks(
        trainer, batch_size, _BLOCKS + 1, steps=_STEPS_PER_BLOCK, warm_up=_WARM_UP_STEPS
    )
    step, product = (median(column) for column in zip(*blocks, strict=True))
    ratio = median(own / bare for own, bare in blocks)
    return StepTiming(models, batch_size, step, product, ratio)


def time_threads(config: TrainConfig, images: ImageSet, models: int) -> list[ThreadTiming]:
    """Time training steps with 1, 2, 4 ... threads, up to those that this process may use.

    Args:
        config: as for :func:`time_steps`.
        images: to train on.
        models: K.
    """
    limit = thread_limit()
    counts = sorted({limit, *(2**power for power in range(limit.bit_length()))})
    timings = []
    for count in counts:
        with at_most(count):
            timings.append(ThreadTiming(count, models, time_steps(config, images, models).seconds))
    return timings


def steps_needed() -> int:
    """How many iterations a configuration must have for :func:`time_steps`, none a validation."""
    return (_BLOCKS + 1) * (_WARM_UP_STEPS + _STEPS_PER_BLOCK) + 1


def step_blocks(
    trainer: Trainer,
    batch_size: int,
    blocks: int,
    *,
    steps: int,
    warm_up: int,
    timer: Timer | None = None,
) -> list[tuple[float, float]]:
    """Time blocks of training steps, in turn with blocks of their two products.

    Args:
        trainer: trains as many steps as all blocks take, and validates after none of them.
        batch_size: N.
        blocks: how many.
        steps: in a block.
        warm_up: steps before each block that are not timed.
        timer: times a block; None for :func:`seconds_of`.

    Returns:
        For each block the seconds of one step, and of its products.
    """
    timer = timer or seconds_of
    multiply = _products(batch_size, trainer.stack)

    def train() -> float:
        # Closed after each block: until then a second process holds a part of the machine.
        with closing(trainer.train()) as progress:
            _advance(progress, warm_up)
            return timer(lambda: _advance(progress, steps))

    def multiply_all() -> None:
        for _ in range(steps):
            multiply()

    return [(train() / steps, timer(multiply_all) / steps) for _ in range(blocks)]


def seconds_of(run: Callable[[], object]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _advance(progress: Iterator[Progress], steps: int) -> None:
    for _ in islice(progress, steps):
        pass


def _features_and_weights(
    images: ImageSet, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centred pixels with a column of ones (N, D + 1), and random weights (D + 1, C)."""
    X = np.ones((len(images), images.images.shape[1] + 1))
    np.subtract(images.images, images.images.mean(axis=0), out=X[:, :-1])
    shape = (X.shape[1], len(images.class_names))
    return X, _WEIGHT_SCALE * np.random.default_rng(seed).standard_normal(shape)


def _kernel_form(
    X: NDArray[np.float32], W: NDArray[np.float32], labels: NDArray[np.int64]
) -> Evaluate:
    """The loss as a step of training computes it, for one model and all images at once."""
    X = np.ascontiguousarray(X[:, :-1])
    stack = LinearStack.from_weights(W[:-1, :, None], W[-1][:, None])
    count, classes = len(X), W.shape[1]
    work = Workspace.allocate(1, count, X.dtype)
    product = np.zeros((1 + count, classes - 1), X.dtype)
    scores = np.empty((classes, 1, count), X.dtype)
    factor = np.full((1, 1), 1 / count, X.dtype)

    def evaluate() -> tuple[float, Floats]:
        np.matmul(X, stack.contrasts, out=product[1:])
        stack.logits(product, np.ones(1), out=scores)
        softmax_kernel(scores, labels, factor, work)
        dW = X.T @ scores.reshape(classes, count).T
        gradient = np.concatenate([dW, scores.sum(axis=2).T])
        return float(work.losses.mean(dtype=np.float64)), gradient

    return evaluate


def _products(batch_size: int, stack: LinearStack) -> Callable[[], None]:
    """``X W`` and ``X^T E`` in the memory orders of a step, into arrays made beforehand."""
    dtype, shape = stack.weights.dtype, (batch_size, stack.weights.shape[1])
    rng = np.random.default_rng(0)
    X = rng.standard_normal((batch_size, stack.features)).astype(dtype)
    W = stack.weights.copy()
    E = np.ascontiguousarray(rng.standard_normal(shape[::-1]).astype(dtype)).T
    scores, gradient = np.empty(shape, dtype), np.empty_like(W)

    def multiply() -> None:
        np.matmul(X, W, out=scores)
        np.matmul(X.T, E, out=gradient)

    return multiply
