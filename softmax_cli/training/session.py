"""A training in its run directory: data, checkpoints, resuming, results.

The loop itself is in ``trainer``; here is what happens around it.
"""

import time
from contextlib import closing
from typing import Any, Protocol

from softmax_cli.config.differences import differing_keys
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import CheckpointError, InterruptedRunError
from softmax_cli.runs.checkpoint import (
    Checkpoint,
    has_checkpoints,
    load_latest_checkpoint,
    remove_all_but_last_two,
    save_checkpoint,
)
from softmax_cli.runs.directory import RunDirectory, resume_command
from softmax_cli.runs.environment import environment, environment_differences
from softmax_cli.training.assembly import TrainingData, build_trainer
from softmax_cli.training.results import TrainingSummary, write_metrics, write_results
from softmax_cli.training.trainer import Progress, Trainer


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
    return write_results(run, config, data, trainer, 0, session.seconds())


class _Session:
    """One process's share of a training."""

    def __init__(
        self, run: RunDirectory, config: TrainConfig, data: TrainingData, trainer: Trainer
    ) -> None:
        self._run = run
        self._config = config
        self._data = data
        self._trainer = trainer
        # Noted before the loop, which may put BLAS on one thread and start processes instead.
        self._environment = environment()
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
        # A crash may have come before this; after the last checkpoint nothing else would do it.
        remove_all_but_last_two(directory, checkpoint.step)
        for warning in warnings:
            observer.warned(warning)

    def train(self, observer: Observer) -> None:
        """Run the loop; save a checkpoint when one is due or a stop is asked for."""
        every = self._config.training.checkpoint_every
        self._start = time.perf_counter()
        with closing(self._trainer.train()) as steps:
            for progress in steps:
                observer.progressed(self._trainer, progress)
                stop = observer.stop_requested()
                if stop or progress.iteration % every == 0:
                    self._save_checkpoint()
                if stop:
                    raise InterruptedRunError(
                        f"stopped after {progress.iteration} of {self._trainer.iterations} "
                        "iterations; a checkpoint is saved",
                        hint=f"Go on with: {resume_command('train', self._run.path)}",
                    )

    def _save_checkpoint(self) -> None:
        document = {**self._origin(), "seconds": self.seconds()}
        checkpoint = Checkpoint(self._trainer.iteration, self._trainer.state(), document)
        save_checkpoint(self._run.checkpoint_directory, checkpoint)
        write_metrics(self._run, self._trainer, 0)

    def _origin(self) -> dict[str, Any]:
        """What a checkpoint is bound to: settings and data; and the environment it was made in."""
        settings = plain_values(self._config)
        return {
            "settings": settings,
            "train_digest": self._data.train.digest,
            "validation_digest": self._data.validation.digest,
            "environment": self._environment,
        }

    def seconds(self) -> float:
        """Time spent in the loop, earlier sessions included."""
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
