"""From settings and images to a trainer: where configurations end and arrays begin."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from softmax_cli.config.schema import Annealing, ModelSettings, OptimizerSettings, TrainConfig
from softmax_cli.data.datasets import load_split
from softmax_cli.data.images import ImageSet, split_train_validation
from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.model.kernels import KERNELS
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.minibatches import Minibatches, with_mirrored
from softmax_cli.training.sampling import SAMPLERS, coin_flips
from softmax_cli.training.schedules import (
    Schedule,
    ScheduleTable,
    constant,
    decay,
    staircase,
    warmed_up,
)
from softmax_cli.training.trainer import EarlyStopping, Trainer
from softmax_cli.training.updates import MomentumUpdate, PlainUpdate, Update
from softmax_cli.training.validation import score_stack


@dataclass(frozen=True)
class TrainingData:
    """What a stack trains on and is validated on, and how pixels become features."""

    train: ImageSet
    validation: ImageSet
    preprocessing: Preprocessing


def load_training_data(config: TrainConfig) -> TrainingData:
    """Load and split the training images that a configuration names; fit the preprocessing.

    Raises:
        DataError: if the data set is missing or not intact.
        ConfigurationError: if it is too small for the split.
    """
    images = load_split(config.data.dataset, Path(config.data.dir), "train")
    train, validation = split_train_validation(
        images, train_size=config.data.train_size, validation_size=config.data.validation_size
    )
    preprocessing = Preprocessing.fit(
        train.images, center=config.preprocessing.center, scale=config.preprocessing.scale
    )
    return TrainingData(train, validation, preprocessing)


@dataclass(frozen=True)
class RandomStreams:
    """The independent streams that a seed is spread into."""

    weights: np.random.SeedSequence
    sampling: np.random.SeedSequence
    augmentation: np.random.SeedSequence

    @classmethod
    def spawn(cls, seed: int) -> "RandomStreams":
        """The streams of a training's seed."""
        return cls(*np.random.SeedSequence(seed).spawn(3))


def build_trainer(configs: Sequence[TrainConfig], data: TrainingData) -> Trainer:
    """A trainer for one model per configuration, all in one stack.

    Args:
        configs: alike but for what a stack keeps as a vector: learning rate and its schedule,
            momentum, regularisation, temperature, scale of the initial weights. The first one
            speaks for all in everything else.
        data: images and preprocessing.
    """
    shared = configs[0]
    streams = RandomStreams.spawn(shared.seed)
    iterations = iterations_of(shared, len(data.train))
    stack = LinearStack.initialize(
        features=data.train.images.shape[1],
        classes=len(data.train.class_names),
        seeds=[streams.weights] * len(configs),
        weight_scales=[config.model.weight_scale for config in configs],
    )
    kernel = KERNELS[shared.model.loss]
    rule = shared.training.early_stopping
    return Trainer(
        stack,
        _minibatches(shared, data, streams),
        kernel,
        _update(stack, [config.optimizer for config in configs]),
        learning_rates=ScheduleTable(
            [learning_rate_schedule(config.optimizer, iterations) for config in configs]
        ),
        temperatures=ScheduleTable(
            [temperature_schedule(config.model, iterations) for config in configs]
        ),
        validate=lambda temperature: score_stack(
            stack,
            data.validation.images,
            data.validation.labels,
            data.preprocessing,
            kernel,
            temperature,
        ),
        iterations=iterations,
        validate_every=shared.training.validate_every,
        early_stopping=EarlyStopping(rule.patience, rule.min_delta) if rule else None,
    )


def iterations_of(config: TrainConfig, train_size: int) -> int:
    """Number of steps; a fraction of a step at the end of the last epoch counts as a whole one."""
    if config.training.epochs is None:
        assert config.training.iterations is not None  # noqa: S101 - the schema sees to it
        return config.training.iterations
    return max(1, math.ceil(config.training.epochs * train_size / config.training.batch_size))


def learning_rate_schedule(optimizer: OptimizerSettings, iterations: int) -> Schedule:
    """The learning rate at each step."""
    peak, settings = optimizer.learning_rate, optimizer.schedule
    falling = iterations - settings.warmup
    match settings.kind:
        case "constant":
            schedule = constant(peak)
        case "step":
            schedule = staircase(peak, settings.every, settings.factor)
        case _:
            schedule = decay(settings.kind, peak, peak * settings.final, falling)
    return warmed_up(schedule, settings.warmup) if settings.warmup else schedule


def temperature_schedule(model: ModelSettings, iterations: int) -> Schedule:
    """The temperature at each step."""
    temperature = model.temperature
    if isinstance(temperature, Annealing):
        return decay(temperature.decay, temperature.start, temperature.end, iterations)
    return constant(temperature)


def _minibatches(config: TrainConfig, data: TrainingData, streams: RandomStreams) -> Minibatches:
    batch_size, flip = config.training.batch_size, config.augmentation.horizontal_flip
    sample = SAMPLERS[config.training.sampling]
    return Minibatches(
        with_mirrored(data.train.images) if flip else data.train.images,
        data.train.labels,
        data.preprocessing,
        sample(len(data.train), batch_size, streams.sampling),
        coin_flips(batch_size, streams.augmentation) if flip else None,
    )


def _update(stack: LinearStack, optimizers: Sequence[OptimizerSettings]) -> Update:
    regularization = np.array([optimizer.regularization for optimizer in optimizers])
    momentum = np.array([optimizer.momentum for optimizer in optimizers])
    if not momentum.any():
        return PlainUpdate(stack, regularization)
    return MomentumUpdate(stack, regularization, momentum, nesterov=optimizers[0].nesterov)
