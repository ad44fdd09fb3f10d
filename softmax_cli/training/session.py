"""A training in its run directory: data, checkpoints, resuming, results.

The loop itself is in ``trainer``; here is what happens around it.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.config.differences import differing_keys
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import CheckpointError, InterruptedRunError, ModelError
from softmax_cli.evaluation.metrics import accuracy
from softmax_cli.evaluation.scoring import score_images
from softmax_cli.model.losses import data_loss
from softmax_cli.runs.checkpoint import (
    Checkpoint,
    has_checkpoints,
    load_latest_checkpoint,
    save_checkpoint,
)
from softmax_cli.runs.directory import RunDirectory
from softmax_cli.runs.environment import environment, environment_differences
from softmax_cli.runs.model_file import SavedModel, save_model
from softmax_cli.runs.tables import read_json, write_csv, write_json
from softmax_cli.training.assembly import TrainingData, build_trainer
from softmax_cli.training.history import COLUMNS
from softmax_cli.training.trainer import Progress, Status, Trainer

Floats = NDArray[np.floating]


class Observer(Protocol):
    """Who watches a training and may ask it to stop."""

    def started(self, trainer: Trainer) -> None:
        """Training begins, or goes on where a checkpoint left it."""

    def progressed(self, trainer: Trainer, progress: Progress) -> None:
        """A step was done."""

    def warned(self, message: str) -> None:
        """Something is worth knowing and no reason to stop."""

    def stop_requested(self) -> bool:
        """Whether to save a checkpoint and stop after this step."""


@dataclass(frozen=True)
class TrainingSummary:
    """What came of a training, as ``summary.json`` has it.

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


def train_in_directory(
    run: RunDirectory, config: TrainConfig, data: TrainingData, observer: Observer, *, resume: bool
) -> TrainingSummary:
    """Train one model in its run directory: checkpoints on the way, model and tables at the end.

    Args:
        run: an open directory that holds the settings.
        config: those settings.
        data: what these settings name.
        observer: is told of every step.
        resume: go on from the latest checkpoint; without one, start from the beginning.

    Raises:
        InterruptedRunError: the observer asked to stop; a checkpoint was saved.
        CheckpointError: the checkpoints are damaged or belong to other settings or data.
        OSError: a file could not be written; earlier checkpoints are intact.
    """
    trainer = build_trainer([config], data)
    session = _Session(run, config, data, trainer)
    if resume:
        session.restore(observer)
    observer.started(trainer)
    session.train(observer)
    return session.finish()


def finished_summary(run: RunDirectory) -> TrainingSummary | None:
    """The summary of a training that came to its end, or None.

    Raises:
        ModelError: there is a summary, but it is not one that this program wrote.
    """
    path = run.path / "summary.json"
    if not path.exists():
        return None
    try:
        return TrainingSummary(**read_json(path))
    except TypeError as error:
        raise ModelError(f"{path} is not the summary of a training") from error


class _Session:
    """One process's share of a training."""

    def __init__(
        self, run: RunDirectory, config: TrainConfig, data: TrainingData, trainer: Trainer
    ) -> None:
        self._run = run
        self._config = config
        self._data = data
        self._trainer = trainer
        self._earlier_seconds = 0.0
        self._start = time.perf_counter()

    def restore(self, observer: Observer) -> None:
        """Take over the latest checkpoint, if there is one."""
        directory = self._run.checkpoint_directory
        if not has_checkpoints(directory):
            observer.warned("There is no checkpoint yet: training starts from the beginning.")
            return
        checkpoint, warnings = load_latest_checkpoint(directory)
        warnings += _check_origin(checkpoint.document, self._origin())
        try:
            self._trainer.restore(checkpoint.arrays)
        except ValueError as error:
            raise CheckpointError(f"the checkpoint does not fit the settings: {error}") from error
        self._earlier_seconds = float(checkpoint.document["seconds"])
        for warning in warnings:
            observer.warned(warning)

    def train(self, observer: Observer) -> None:
        """Run the loop; save a checkpoint when one is due or a stop is asked for."""
        every = self._config.training.checkpoint_every
        self._start = time.perf_counter()
        for progress in self._trainer.train():
            observer.progressed(self._trainer, progress)
            stop = observer.stop_requested()
            if stop or progress.iteration % every == 0:
                self._save_checkpoint()
            if stop:
                raise InterruptedRunError(
                    f"stopped after {progress.iteration} of {self._trainer.iterations} iterations; "
                    "a checkpoint is saved",
                    hint=f"Go on with: softmax train --resume {self._run.path}",
                )

    def finish(self) -> TrainingSummary:
        """Write the metrics, the model, the best model on the way to it, and the summary."""
        seconds = self._seconds()
        self._write_metrics()
        model = self._final_model()
        if model is not None:
            save_model(self._run.model_file, model)
        best = self._best_model()
        if best is not None:
            save_model(self._run.best_model_file, best)
        summary = self._summary(model, best, seconds)
        write_json(self._run.path / "summary.json", asdict(summary))
        return summary

    def _final_model(self) -> SavedModel | None:
        """The last weights, or the best ones if training may stop early."""
        if self._trainer.status[0] == Status.DIVERGED:
            return None
        if self._config.training.early_stopping is not None:
            return self._best_model()
        return self._model(*self._trainer.stack.member(0), self._trainer.iteration)

    def _best_model(self) -> SavedModel | None:
        best = self._trainer.best
        if best.iteration[0] == 0:
            return None
        return self._model(*best.member(0), int(best.iteration[0]))

    def _model(self, weights: Floats, bias: Floats, iteration: int) -> SavedModel:
        """The model of some weights, with what it achieves on the training split."""
        data, loss = self._data, self._config.model.loss
        temperature = float(self._trainer.temperature_after(iteration)[0])
        results: dict[str, int | float] = {"iteration": iteration}
        for name, images in (("train", data.train), ("validation", data.validation)):
            scores = score_images(images.images, data.preprocessing, weights, bias)
            results[f"{name}_loss"] = data_loss(loss, scores, images.labels, temperature)
            results[f"{name}_accuracy"] = accuracy(scores, images.labels)
        return SavedModel(
            weights=weights,
            bias=bias,
            mean=data.preprocessing.mean,
            scale=data.preprocessing.scale,
            class_names=data.train.class_names,
            temperature=temperature,
            settings=plain_values(self._config),
            results=results,
            data_digest=data.train.digest,
        )

    def _summary(
        self, model: SavedModel | None, best: SavedModel | None, seconds: float
    ) -> TrainingSummary:
        results = model.results if model else {}
        best_results = best.results if best else {}
        return TrainingSummary(
            iterations=self._trainer.iteration,
            seconds=seconds,
            train_loss=results.get("train_loss"),
            train_accuracy=results.get("train_accuracy"),
            validation_loss=results.get("validation_loss"),
            validation_accuracy=results.get("validation_accuracy"),
            saved_iteration=results.get("iteration"),
            best_iteration=best_results.get("iteration"),
            best_validation_accuracy=best_results.get("validation_accuracy"),
            stopped_early=bool(self._trainer.status[0] == Status.STOPPED),
            diverged=bool(self._trainer.status[0] == Status.DIVERGED),
        )

    def _save_checkpoint(self) -> None:
        document = {**self._origin(), "seconds": self._seconds()}
        checkpoint = Checkpoint(self._trainer.iteration, self._trainer.state(), document)
        save_checkpoint(self._run.checkpoint_directory, checkpoint)
        self._write_metrics()

    def _write_metrics(self) -> None:
        rows = [measurement.of_model(0) for measurement in self._trainer.history]
        write_csv(self._run.path / "metrics.csv", COLUMNS, rows)

    def _origin(self) -> dict[str, Any]:
        """What a checkpoint is bound to: settings and data; and the environment it was made in."""
        settings = plain_values(self._config)
        return {
            "settings": settings,
            "train_digest": self._data.train.digest,
            "validation_digest": self._data.validation.digest,
            "environment": environment(),
        }

    def _seconds(self) -> float:
        return self._earlier_seconds + time.perf_counter() - self._start


def _check_origin(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Refuse a checkpoint of other settings or data; return warnings about the environment."""
    changed = differing_keys(_without_place(then["settings"]), _without_place(now["settings"]))
    if changed:
        raise CheckpointError(
            f"the settings have changed since the checkpoint was made: {', '.join(changed)}",
            hint="Put config.yaml back as it was, or start a new run in another directory.",
        )
    for part in ("train", "validation"):
        if then[f"{part}_digest"] != now[f"{part}_digest"]:
            raise CheckpointError(
                f"the checkpoint was made with other {part} images than those found now",
                hint="Point --data-dir at the data set that the run was started with.",
            )
    differences = environment_differences(then["environment"], now["environment"])
    if not differences:
        return []
    listing = "; ".join(differences)
    return [f"The last bits may differ from an uninterrupted run: {listing}."]


def _without_place(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings without the folder of the data set: a digest watches over its content."""
    data = {key: value for key, value in settings["data"].items() if key != "dir"}
    return {**settings, "data": data}
