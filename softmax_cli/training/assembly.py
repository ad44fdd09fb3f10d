"""From settings and images to a trainer: where configurations end and arrays begin."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, PerModel
from softmax_cli.config.schema import Annealing, ModelSettings, OptimizerSettings, TrainConfig
from softmax_cli.features.inputs import Inputs, prepare_inputs
from softmax_cli.model.losses import LOSSES
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.engine import Selection, StepEngine
from softmax_cli.training.folds import (
    fold_of_images,
    fold_weights,
    not_scored,
    score_folds,
)
from softmax_cli.training.forked import shared_copy
from softmax_cli.training.minibatches import Minibatches
from softmax_cli.training.random_streams import RandomStreams
from softmax_cli.training.sampling import SAMPLERS, coin_flips
from softmax_cli.training.schedules import (
    Schedule,
    ScheduleTable,
    constant,
    decay,
    scaled,
    staircase,
    warmed_up,
)
from softmax_cli.training.scorecard import Scorecard, score_stack
from softmax_cli.training.trainer import EarlyStopping, ExampleWeights, Trainer
from softmax_cli.training.training_data import TrainingData
from softmax_cli.training.updates import MomentumUpdate, PlainUpdate, Update


def build_trainer(
    configs: Sequence[TrainConfig],
    data: TrainingData,
    *,
    folds: int = 1,
    stop: int | None = None,
) -> Trainer:
    """A trainer for a stack of one model per configuration, or k per configuration with k folds.

    Args:
        configs: alike but for what a stack keeps as a vector: learning rate and its schedule,
            momentum, regularisation, temperature, scale and seed of the initial weights. Everything
            else is taken from the first one.
        data: features of the images.
        folds: 1 to validate on the validation images; k > 1 for cross-validation on the training
            images. Then the models are only scored at the end, unless they may stop early.
        stop: steps done at which training will stop before its end, where folds are scored too.
    """
    shared = configs[0]
    members = [config for config in configs for _ in range(folds)]
    iterations = iterations_of(shared, len(data.train))
    inputs = prepare_inputs(
        data.train_features,
        data.validation_features,
        data.standardization,
        data.feature_map.mirror,
        shared.augmentation.horizontal_flip,
    )
    stack = LinearStack.initialize(
        features=inputs.train.shape[1],
        classes=len(data.train.class_names),
        seeds=[RandomStreams.of(config).weights for config in members],
        weight_scales=[config.model.weight_scale for config in members],
    )
    stack.weights = shared_copy(stack.weights)
    update = _update(stack, [config.optimizer for config in members])
    engine = StepEngine(stack, inputs, update, shared.training.batch_size)
    rule = shared.training.early_stopping
    scored_from = min(stop or iterations, iterations) if rule is None else 0
    validate, example_weights = _validation(shared, data, inputs, engine, stack, folds, scored_from)
    return Trainer(
        stack,
        engine,
        _minibatches(shared, data),
        LOSSES[shared.model.loss].kernel,
        update,
        learning_rates=ScheduleTable(
            [learning_rate_schedule(config.optimizer, iterations) for config in members]
        ),
        temperatures=ScheduleTable(
            [temperature_schedule(config.model, iterations) for config in members]
        ),
        validate=validate,
        iterations=iterations,
        validate_every=shared.training.validate_every,
        early_stopping=EarlyStopping(rule.patience, rule.min_delta) if rule else None,
        example_weights=example_weights,
    )


def _validation(
    config: TrainConfig,
    data: TrainingData,
    inputs: Inputs,
    engine: StepEngine,
    stack: LinearStack,
    folds: int,
    scored_from: int,
) -> tuple[Callable[[int, PerModel], Scorecard], ExampleWeights | None]:
    """How a stack is validated, and what its images count in training."""
    kernel = LOSSES[config.model.loss].kernel
    if folds == 1:
        labels = data.validation.labels

        def multiply(rows: NDArray[np.int64]) -> Floats:
            return engine.forward(Selection("validation", rows))

        return lambda _, T: score_stack(stack, multiply, labels, kernel, T), None
    image_folds = fold_of_images(len(data.train), folds)
    member_folds = np.tile(np.arange(folds), stack.models // folds)

    def validate(iteration: int, temperature: PerModel) -> Scorecard:
        # All training images, folds times as many as a fold holds: too slow for every validation.
        if iteration < scored_from:
            return not_scored(stack.models)
        return score_folds(
            stack,
            inputs.train[: len(data.train)],
            data.train.labels,
            inputs.standardization,
            kernel,
            temperature,
            image_folds=image_folds,
            member_folds=member_folds,
        )

    return validate, fold_weights(image_folds, member_folds)


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
            schedule = scaled(peak, decay(settings.kind, 1.0, settings.final, falling))
    return warmed_up(schedule, settings.warmup) if settings.warmup else schedule


def temperature_schedule(model: ModelSettings, iterations: int) -> Schedule:
    """The temperature at each step."""
    temperature = model.temperature
    if isinstance(temperature, Annealing):
        return decay(temperature.decay, temperature.start, temperature.end, iterations)
    return constant(temperature)


def _minibatches(config: TrainConfig, data: TrainingData) -> Minibatches:
    streams, batch_size = RandomStreams.of(config), config.training.batch_size
    flips_at_random = config.augmentation.horizontal_flip is True
    sample = SAMPLERS[config.training.sampling]
    return Minibatches(
        data.train.labels,
        sample(len(data.train), batch_size, streams.sampling),
        coin_flips(batch_size, streams.augmentation) if flips_at_random else None,
    )


def _update(stack: LinearStack, optimizers: Sequence[OptimizerSettings]) -> Update:
    regularization = np.array([optimizer.regularization for optimizer in optimizers])
    momentum = np.array([optimizer.momentum for optimizer in optimizers])
    if not momentum.any():
        return PlainUpdate(stack, regularization)
    return MomentumUpdate(stack, regularization, momentum, nesterov=optimizers[0].nesterov)
