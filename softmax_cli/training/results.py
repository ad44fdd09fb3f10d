"""What a finished training leaves behind: models, metrics and a summary in a run directory."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from softmax_cli.arrays import Floats
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import ModelError
from softmax_cli.evaluation.intervals import Interval, share_interval
from softmax_cli.evaluation.metrics import accuracy
from softmax_cli.evaluation.scoring import score_features
from softmax_cli.features.inputs import weights_by_feature
from softmax_cli.model.losses import LOSSES
from softmax_cli.runs.directory import RunDirectory
from softmax_cli.runs.model_file import SavedModel, save_model
from softmax_cli.runs.tables import read_json, write_csv, write_json
from softmax_cli.training.assembly import certify_trainer, has_converged
from softmax_cli.training.certificate import ModelCertificate
from softmax_cli.training.history import COLUMNS
from softmax_cli.training.trainer import Status, Trainer, steps_of
from softmax_cli.training.training_data import TrainingData

DIVERGENCE_HINTS = {
    "sgd": "Try a smaller optimizer.learning_rate or optimizer.regularization: their product must "
    "stay well below 2.",
    "lbfgs": "Are all features finite and of ordinary size? preprocessing.scale=pixel gives them a "
    "variance of 1.",
}
"""What to do about a training that diverged, for each method."""


@dataclass(frozen=True)
class TrainingSummary:
    """The results of a training, as they stand in ``summary.json``.

    Losses are mean data losses without the regularisation term. Those of training and
    validation belong to the saved weights: the last ones, or with early stopping the best ones.
    They are None if training diverged; then no model is saved.

    Attributes:
        iterations: steps done.
        seconds: time in the training loop, over all sessions of a resumed training.
        train_loss: on all training images, as are the others of their names.
        saved_iteration: steps after which the saved weights were taken.
        best_iteration: steps after which the validation accuracy was highest.
        best_validation_accuracy: that accuracy.
        stopped_early: whether early stopping ended it.
        diverged: whether the loss ceased to be finite.
        objective: mean loss and penalty, of the last weights; where their distance from the optimum
            was not asked for it is None, as are the following.
        gradient_norm: the greatest component of the gradient of the objective.
        optimality_bound: the objective is at most this far above its minimum; None with
            regularisation 0, where nothing is proven.
        converged: whether the gradient is as small as ``optimizer.tolerance`` wants it.
        validation_accuracy_interval: of 95 %; None if training diverged, or in the summary of an
            earlier version.
        best_validation_accuracy_interval: likewise. It does not know that the best was picked.
    """

    iterations: int
    seconds: float
    train_loss: float | None
    train_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    saved_iteration: int | None
    best_iteration: int | None
    best_validation_accuracy: float | None
    stopped_early: bool
    diverged: bool
    objective: float | None = None
    gradient_norm: float | None = None
    optimality_bound: float | None = None
    converged: bool | None = None
    validation_accuracy_interval: Interval | None = None
    best_validation_accuracy_interval: Interval | None = None


def finished_summary(run: RunDirectory) -> TrainingSummary | None:
    """The summary of a training that came to its end, or None.

    Raises:
        ModelError: there is a summary, but it is not one that this program wrote.
    """
    path = run.path / "summary.json"
    if not path.exists():
        return None
    try:
        values: dict[str, Any] = {
            # JSON has no tuples, which intervals are.
            key: tuple(value) if isinstance(value, list) else value
            for key, value in read_json(path).items()
        }
        return TrainingSummary(**values)
    except TypeError as error:
        raise ModelError(f"{path} is not the summary of a training") from error


def write_results(
    run: RunDirectory,
    config: TrainConfig,
    data: TrainingData,
    trainer: Trainer,
    member: int,
    seconds: float,
) -> TrainingSummary:
    """Write the metrics, the last model, the best model, and the summary.

    Args:
        run: where to.
        config: settings of the model.
        data: what it was trained and validated on.
        trainer: has come to its end.
        member: index of the model in the stack.
        seconds: time spent in the training loop.

    Raises:
        OSError: a file could not be written.
    """
    write_metrics(run, trainer, member)
    certificate = _certificate(config, data, trainer, member)
    best = _best_model(config, data, trainer, member)
    ends_with_best = best is not None and trainer.best.iteration[member] == trainer.iteration
    if config.training.early_stopping or ends_with_best:
        model = best
    else:
        model = _last_model(config, data, trainer, member)
    if model is not None:
        save_model(run.model_file, model)
    if best is not None:
        save_model(run.best_model_file, best)
    summary = replace(
        _summary(trainer, member, model, best, seconds, len(data.validation)),
        **_proven(config, certificate),
    )
    write_json(run.path / "summary.json", asdict(summary))
    return summary


def _certificate(
    config: TrainConfig, data: TrainingData, trainer: Trainer, member: int
) -> ModelCertificate | None:
    if trainer.status[member] == Status.DIVERGED:
        return None
    found = certify_trainer(trainer, [config] * trainer.stack.models, data)
    return found.of_model(member) if found else None


def _proven(config: TrainConfig, certificate: ModelCertificate | None) -> dict[str, Any]:
    """What a summary says of the distance from the optimum."""
    if certificate is None:
        return {}
    return {
        "objective": certificate.objective,
        "gradient_norm": certificate.gradient_norm,
        "optimality_bound": certificate.bound,
        "converged": has_converged(config, certificate.gradient_norm),
    }


def write_metrics(run: RunDirectory, trainer: Trainer, member: int) -> None:
    """Write what was measured so far as ``metrics.csv``."""
    rows = [measurement.of_model(member) for measurement in trainer.history]
    write_csv(run.path / "metrics.csv", COLUMNS, rows)


def _last_model(
    config: TrainConfig, data: TrainingData, trainer: Trainer, member: int
) -> SavedModel | None:
    if trainer.status[member] == Status.DIVERGED:
        return None
    weights, bias = trainer.stack.member(member)
    return _model(config, data, trainer, member, weights, bias, trainer.iteration)


def _best_model(
    config: TrainConfig, data: TrainingData, trainer: Trainer, member: int
) -> SavedModel | None:
    iteration = int(trainer.best.iteration[member])
    if iteration == 0:
        return None
    weights, bias = trainer.best.member(member)
    return _model(config, data, trainer, member, weights, bias, iteration)


def _model(
    config: TrainConfig,
    data: TrainingData,
    trainer: Trainer,
    member: int,
    weights: Floats,
    bias: Floats,
    iteration: int,
) -> SavedModel:
    """The model of some weights, with what it achieves on the training split."""
    flip = config.augmentation.horizontal_flip
    weights = weights_by_feature(weights, data.feature_map.mirror, flip)
    temperature = float(trainer.temperature_after(iteration)[member])
    results: dict[str, int | float] = {"iteration": iteration}
    for name, features, labels in (
        ("train", data.train_features, data.train.labels),
        ("validation", data.validation_features, data.validation.labels),
    ):
        scores = score_features(features, data.standardization, weights, bias)
        results[f"{name}_loss"] = LOSSES[config.model.loss].mean(scores, labels, temperature)
        results[f"{name}_accuracy"] = accuracy(scores, labels)
    return SavedModel(
        weights=weights,
        bias=bias,
        mean=data.standardization.mean,
        scale=data.standardization.scale,
        class_names=data.train.class_names,
        temperature=temperature,
        settings=plain_values(config),
        results=results,
        data_digest=data.train.digest,
        feature_arrays=data.feature_map.arrays(),
    )


def _summary(
    trainer: Trainer,
    member: int,
    model: SavedModel | None,
    best: SavedModel | None,
    seconds: float,
    validation_images: int,
) -> TrainingSummary:
    results = model.results if model else {}
    best_results = best.results if best else {}
    return TrainingSummary(
        iterations=steps_of(trainer, member),
        seconds=seconds,
        train_loss=results.get("train_loss"),
        train_accuracy=results.get("train_accuracy"),
        validation_loss=results.get("validation_loss"),
        validation_accuracy=results.get("validation_accuracy"),
        saved_iteration=results.get("iteration"),
        best_iteration=best_results.get("iteration"),
        best_validation_accuracy=best_results.get("validation_accuracy"),
        stopped_early=bool(trainer.status[member] == Status.STOPPED),
        diverged=bool(trainer.status[member] == Status.DIVERGED),
        validation_accuracy_interval=_interval(results, validation_images),
        best_validation_accuracy_interval=_interval(best_results, validation_images),
    )


def _interval(results: Mapping[str, float], validation_images: int) -> Interval | None:
    accuracy = results.get("validation_accuracy")
    return None if accuracy is None else share_interval(accuracy, validation_images)
