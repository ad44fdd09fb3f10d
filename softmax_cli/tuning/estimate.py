"""What a sweep will take, without running it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softmax_cli.config.data_schema import DataSettings
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import HalvingSearch
from softmax_cli.data.datasets import find_dataset, load_split, load_training_parts
from softmax_cli.data.images import PIXELS, ImageSet
from softmax_cli.training.assembly import build_objective, input_size, iterations_of
from softmax_cli.training.lbfgs import MEMORY
from softmax_cli.training.objective import Objective
from softmax_cli.training.preconditioner import description, gram_bytes, is_spectral
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import TrainingData, prepare_training_data
from softmax_cli.tuning.halving import share_of_steps
from softmax_cli.tuning.stack_run import StackTask, trainer_of
from softmax_cli.tuning.stacks import Stack, shared_settings

_TIMED_STEPS = 6
_VALIDATED = 500
_TYPICAL_ITERATIONS = 20
"""Of L-BFGS: those that it takes are not known before."""
_SMALL_MATRIX = 512
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
        preconditioner: of L-BFGS, in words; None for SGD.
    """

    trials: int
    models: int
    iterations: int
    operations: float
    seconds: float
    memory: int
    preconditioner: str | None = None


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
    split = _training_split(config)
    if config.optimizer.method == "lbfgs":
        return _estimate_full_batch(stack, split)
    iterations = iterations_of(config, split.train)
    steps = float(iterations)
    if isinstance(search, HalvingSearch):
        steps *= share_of_steps(len(stack.trials), iterations, search.halving)
    data = _noise(config, stack.folds, split)
    trainer = trainer_of(StackTask(stack), data)
    step, validation = _times(trainer)
    # Folds are only scored at the end, which takes no longer than a few steps.
    validated = split.validation / config.training.validate_every
    state = sum(array.nbytes for array in trainer.state().values())
    return StackEstimate(
        trials=len(stack.trials),
        models=stack.models,
        iterations=iterations,
        operations=4.0 * trainer.stack.weights.size * config.training.batch_size * steps,
        seconds=steps * (step + (validation * validated if stack.folds == 1 else 0.0)),
        memory=split.examples * _bytes_per_example(config, data) + _COPIES * state,
    )


def _estimate_full_batch(stack: Stack, split: "_Split") -> StackEstimate:
    """The products of an iteration and of the Gram matrix, timed on a few images of noise."""
    config = stack.shared
    flip = config.augmentation.horizontal_flip
    examples = split.train * (2 if flip is True else 1)
    iterations = min(config.optimizer.max_iterations, _TYPICAL_ITERATIONS)
    data = _noise(config, stack.folds, split)
    features = input_size(config, data.feature_map)
    configs = [trial.config for trial in stack.trials]
    objective = build_objective(configs, data, np.ones(stack.models), folds=stack.folds)
    step, gram = _full_batch_times(objective)
    share = examples / objective.examples.count
    seconds = iterations * step * share
    if is_spectral(features):
        seconds += gram * share + _eigenvector_seconds(features + 1)
    columns = (len(split.class_names) - 1) * stack.models
    vectors = 4 * columns * (features + 1) * (2 * MEMORY + 6)
    state = 3 * 4 * columns * examples + vectors
    return StackEstimate(
        trials=len(stack.trials),
        models=stack.models,
        iterations=iterations,
        operations=4.0 * columns * (features + 1) * examples * iterations,
        seconds=seconds,
        memory=(
            split.examples * _bytes_per_example(config, data)
            + gram_bytes(features) * is_spectral(features)
            + _COPIES * state
        ),
        preconditioner=description(features),
    )


def _full_batch_times(objective: Objective) -> tuple[float, float]:
    """Seconds of the products and the search of an iteration, and of the Gram matrix."""
    shape = (objective.classes - 1, objective.models, objective.examples.size)
    weights = np.zeros(shape, np.float32)
    start = time.perf_counter()
    scores = objective.scores(weights)
    objective.along(scores, scores, np.zeros(objective.models))
    objective.gradient(scores, weights)
    middle = time.perf_counter()
    if is_spectral(objective.examples.size - 1):
        objective.examples.gram()
    return middle - start, time.perf_counter() - middle


def _eigenvector_seconds(size: int) -> float:
    """Seconds of a decomposition, from a small one: they grow with the cube of the size."""
    small = min(size, _SMALL_MATRIX)
    matrix = np.random.default_rng(0).standard_normal((small, small)).astype(np.float32)
    start = time.perf_counter()
    np.linalg.eigh(matrix + matrix.T)
    return (time.perf_counter() - start) * (size / small) ** 3


@dataclass(frozen=True)
class _Split:
    """What is known of the training examples.

    Attributes:
        examples: how many are in memory.
        train: how many are trained on.
        validation: how many are for validation.
        class_names: C names.
        features: columns of a row that stands for an image.
        dtype: of these numbers.
        is_pictures: whether they are pixels.
    """

    examples: int
    train: int
    validation: int
    class_names: tuple[str, ...]
    features: int = PIXELS
    dtype: np.dtype[Any] = np.dtype(np.uint8)  # noqa: RUF009 - it cannot be changed
    is_pictures: bool = True


def _training_split(config: TrainConfig) -> _Split:
    """What is known of the training split; it is loaded only if need be."""
    settings = config.data
    if settings.files:
        return _split_of_arrays(settings)
    spec = find_dataset(settings.dataset)
    count, class_names, held_out = spec.training_images, spec.class_names, settings.validation_size
    if count is None or class_names is None:
        images = load_split(settings, "train")
        count, class_names = len(images), images.class_names
    return _Split(count, settings.train_size or count - held_out, held_out, class_names)


def _split_of_arrays(settings: DataSettings) -> _Split:
    train, validation = load_training_parts(settings)
    features = train.images
    return _Split(
        examples=len(train) + len(validation),
        train=len(train),
        validation=len(validation),
        class_names=train.class_names,
        features=features.shape[1],
        dtype=features.dtype,
        is_pictures=False,
    )


def _noise(config: TrainConfig, folds: int, split: _Split) -> TrainingData:
    """As little data as a minibatch and a validation need."""
    size = (max(config.training.batch_size, folds, _VALIDATED), split.features)
    rows = np.random.default_rng(0).integers(256, size=size, dtype=np.uint8).astype(split.dtype)
    labels = np.zeros(len(rows), np.int64)
    images = ImageSet(rows, labels, split.class_names, digest="", is_pictures=split.is_pictures)
    return prepare_training_data(config, images, images.take_first(_VALIDATED))


def _bytes_per_example(config: TrainConfig, data: TrainingData) -> int:
    """What an example takes in memory, its features and what flips make of them included."""
    images, features = data.train.images, data.train_features
    row = features[:1].nbytes
    # With flips there is a copy beside mirrored rows; sums of pairs are half as many, but of bytes
    # they take two bytes each.
    folded = row if features.dtype == np.uint8 else row // 2
    flipped = {False: 0, True: 2 * row, "exact": folded}[config.augmentation.horizontal_flip]
    return row + flipped + (0 if np.shares_memory(features, images) else images[:1].nbytes)


def _times(trainer: Trainer) -> tuple[float, float]:
    """Seconds of a step, and of the validation on one image."""
    marks = [time.perf_counter()]
    marks += [time.perf_counter() for _ in trainer.train(until=_TIMED_STEPS)]
    times = np.diff(marks)
    # The first step allocates, the last one is followed by a validation.
    step = float(np.median(times[1:-1] if len(times) > 2 else times))
    return step, max(float(times[-1]) - step, 0.0) / _VALIDATED
