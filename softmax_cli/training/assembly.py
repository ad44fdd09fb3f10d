"""From settings and images to a trainer: where configurations end and arrays begin."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, PerModel
from softmax_cli.config.schema import Annealing, ModelSettings, OptimizerSettings, TrainConfig
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.folding import Folding
from softmax_cli.features.inputs import Inputs, prepare_inputs
from softmax_cli.model.losses import LOSSES
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.certificate import Certificate, certify
from softmax_cli.training.engine import Selection, StepEngine
from softmax_cli.training.examples import Examples
from softmax_cli.training.folds import (
    fold_of_images,
    fold_weights,
    not_scored,
    score_folds,
)
from softmax_cli.training.forked import shared_copy
from softmax_cli.training.minibatches import Minibatches
from softmax_cli.training.objective import Objective
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
from softmax_cli.training.scorecard import Scorecard, multiplied_by, score_stack
from softmax_cli.training.trainer import EarlyStopping, ExampleWeights, SgdTrainer, Trainer
from softmax_cli.training.training_data import TrainingData
from softmax_cli.training.updates import MomentumUpdate, PlainUpdate, Update

if TYPE_CHECKING:
    from softmax_cli.training.full_batch import FullBatchTrainer


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
    if configs[0].optimizer.method == "lbfgs":
        return _full_batch_trainer(configs, data, folds)
    return _sgd_trainer(configs, data, folds, stop)


def build_objective(
    configs: Sequence[TrainConfig],
    data: TrainingData,
    temperature: PerModel,
    *,
    folds: int = 1,
    dtype: type[np.floating[Any]] = np.float32,
) -> Objective:
    """The objectives that :func:`build_trainer` with the same arguments trains for.

    Args:
        configs: as for the trainer.
        data: features of the images.
        temperature: (K,).
        folds: as for the trainer.
        dtype: of the arithmetic.
    """
    inputs, labels = _inputs(configs[0], data), data.train.labels
    weights = None
    if folds > 1:
        image_folds, member_folds = _folds(data, folds, len(configs) * folds)
        weights = fold_weights(image_folds, member_folds)(np.arange(len(labels)))
    if len(inputs.train) > len(labels):  # behind the images there are their mirror images
        labels = np.tile(labels, 2)
        weights = None if weights is None else np.tile(weights, 2)
    return Objective(
        Examples(inputs.train, inputs.standardization, dtype),
        labels,
        LOSSES[configs[0].model.loss].kernel,
        len(data.train.class_names),
        temperature=temperature,
        regularization=np.repeat([c.optimizer.regularization for c in configs], folds),
        example_weights=weights,
    )


def certify_trainer(
    trainer: Trainer, configs: Sequence[TrainConfig], data: TrainingData, *, folds: int = 1
) -> Certificate | None:
    """How far the models of a trainer are from their optimum, if the settings ask for it.

    Args:
        trainer: of :func:`build_trainer` with the other arguments.
        configs: as for the trainer.
        data: features of the images.
        folds: as for the trainer.
    """
    shared = configs[0]
    if shared.optimizer.method == "sgd" and not shared.training.certificate:
        return None
    temperature = trainer.temperature_after(trainer.iteration)
    objective = build_objective(configs, data, temperature, folds=folds, dtype=np.float64)
    members = [np.vstack(trainer.stack.member(index)) for index in range(trainer.stack.models)]
    return certify(objective, np.stack(members, axis=1).T)


def has_converged(config: TrainConfig, gradient_norm: float) -> bool | None:
    """Whether a gradient is as small as it should be; None for a method without a tolerance."""
    optimizer = config.optimizer
    return gradient_norm <= optimizer.tolerance if optimizer.method == "lbfgs" else None


def input_size(config: TrainConfig, feature_map: FeatureMap) -> int:
    """How many numbers of an image meet weights: Q, from the map that makes its features."""
    if config.augmentation.horizontal_flip == "exact" and feature_map.mirror is not None:
        return Folding(feature_map.mirror).size
    return feature_map.size


def _inputs(config: TrainConfig, data: TrainingData) -> Inputs:
    return prepare_inputs(
        data.train_features,
        data.validation_features,
        data.standardization,
        data.feature_map.mirror,
        config.augmentation.horizontal_flip,
    )


def _folds(
    data: TrainingData, folds: int, models: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fold (n,) of each training image, and that (K,) which each model is validated on."""
    return fold_of_images(len(data.train), folds), np.tile(np.arange(folds), models // folds)


def _full_batch_trainer(
    configs: Sequence[TrainConfig], data: TrainingData, folds: int
) -> "FullBatchTrainer":
    shared = configs[0]
    inputs = _inputs(shared, data)
    temperature = np.repeat(
        [
            float(temperature_schedule(config.model, 1)(np.zeros(1, np.int64))[0])
            for config in configs
        ],
        folds,
    )
    objective = build_objective(configs, data, temperature, folds=folds)
    stack = LinearStack.from_weights(
        np.zeros((inputs.train.shape[1], objective.classes, objective.models), np.float32),
        np.zeros((objective.classes, objective.models), np.float32),
    )
    kernel = LOSSES[shared.model.loss].kernel

    def validate(*, last: bool) -> Scorecard:
        if folds > 1:
            return _score_folds(shared, data, inputs, stack, folds, temperature, scored=last)
        multiply = multiplied_by(stack, inputs.validation, inputs.standardization)
        return score_stack(stack, multiply, data.validation.labels, kernel, temperature)

    # Here, because minibatches need none of it.
    from softmax_cli.training.full_batch import FullBatchTrainer

    return FullBatchTrainer(
        stack,
        objective,
        tolerance=shared.optimizer.tolerance,
        iterations=shared.optimizer.max_iterations,
        validate=validate,
    )


def _score_folds(
    config: TrainConfig,
    data: TrainingData,
    inputs: Inputs,
    stack: LinearStack,
    folds: int,
    temperature: PerModel,
    *,
    scored: bool,
) -> Scorecard:
    # All training images, folds times as many as a fold holds: too dear for every time.
    if not scored:
        return not_scored(stack.models)
    image_folds, member_folds = _folds(data, folds, stack.models)
    return score_folds(
        stack,
        inputs.train[: len(data.train)],
        data.train.labels,
        inputs.standardization,
        LOSSES[config.model.loss].kernel,
        temperature,
        image_folds=image_folds,
        member_folds=member_folds,
    )


def _sgd_trainer(
    configs: Sequence[TrainConfig], data: TrainingData, folds: int, stop: int | None
) -> SgdTrainer:
    shared = configs[0]
    members = [config for config in configs for _ in range(folds)]
    iterations = iterations_of(shared, len(data.train))
    inputs = _inputs(shared, data)
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
    return SgdTrainer(
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

    def validate(iteration: int, temperature: PerModel) -> Scorecard:
        # All training images, folds times as many as a fold holds: too slow for every validation.
        scored = iteration >= scored_from
        return _score_folds(config, data, inputs, stack, folds, temperature, scored=scored)

    return validate, fold_weights(*_folds(data, folds, stack.models))


def iterations_of(config: TrainConfig, train_size: int) -> int:
    """Number of steps; a fraction of a step at the end of the last epoch counts as a whole one.

    It is an upper bound where training ends at the optimum.
    """
    if config.optimizer.method == "lbfgs":
        return config.optimizer.max_iterations
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
