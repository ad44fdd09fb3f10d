"""One stack, trained from where it stands to where it should stop."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import (
    Checkpoint,
    has_checkpoints,
    load_latest_checkpoint,
    save_checkpoint,
)
from softmax_cli.runs.environment import environment, environment_differences
from softmax_cli.training.assembly import TrainingData, build_trainer
from softmax_cli.training.trainer import Progress, Trainer
from softmax_cli.tuning.outcomes import Outcome, outcomes_of
from softmax_cli.tuning.stacks import Stack

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class StackTask:
    """What is to be done for a stack.

    Attributes:
        stack: the trials.
        until: steps done at which to stop; None trains to the end.
        state: where to start; None is the beginning.
    """

    stack: Stack
    until: int | None = None
    state: Arrays | None = None

    @property
    def name(self) -> str:
        """A name that differs between stacks, and between stages of the same stack."""
        stage = "" if self.until is None else f"_{self.until}"
        return f"stack-{self.stack.id}{stage}"


@dataclass(frozen=True)
class StackResult:
    """What came of a task.

    Attributes:
        outcomes: one for each trial.
        state: of the trainer at the end.
        document: what belongs to a checkpoint of that state.
    """

    outcomes: list[Outcome]
    state: Arrays
    document: dict[str, Any]


class StackObserver(Protocol):
    """Who watches a stack train and may ask it to stop."""

    def progressed(self, task: StackTask, trainer: Trainer, progress: Progress) -> None:
        """A step was done."""

    def warned(self, message: str) -> None:
        """Something is worth knowing and no reason to stop."""

    def stop_requested(self) -> bool:
        """Whether to save a checkpoint and stop after this step."""


class StopRequestedError(Exception):
    """Training was asked to stop; a checkpoint was saved."""


def run_stack(
    task: StackTask, data: TrainingData, observer: StackObserver, checkpoints: Path | None = None
) -> StackResult:
    """Train a stack.

    Args:
        task: what is to be done.
        data: that the trials of the stack name.
        observer: is told of each step.
        checkpoints: folder of this task's checkpoints, from which it goes on; at the end the last
            state is saved there. None keeps nothing.

    Raises:
        StopRequestedError: the observer asked to stop.
        CheckpointError: the checkpoints are damaged or do not fit the stack.
        OSError: a checkpoint could not be written.
    """
    trainer = trainer_of(task, data)
    earlier = _go_on(trainer, checkpoints, data, observer)
    start, every = time.perf_counter(), task.stack.shared.training.checkpoint_every
    origin = {
        "trials": [trial.id for trial in task.stack.trials],
        "data_digest": data.train.digest,
        "environment": environment(),
    }

    def document() -> dict[str, Any]:
        return {**origin, "seconds": earlier + time.perf_counter() - start}

    def save() -> None:
        if checkpoints is not None:
            state = Checkpoint(trainer.iteration, trainer.state(), document())
            save_checkpoint(checkpoints, state)

    with closing(trainer.train(task.until)) as steps:
        for progress in steps:
            observer.progressed(task, trainer, progress)
            stop = observer.stop_requested()
            if stop or progress.iteration % every == 0:
                save()
            if stop:
                raise StopRequestedError
    save()
    end = document()
    trials = [(trial.id, trial.parameters) for trial in task.stack.trials]
    outcomes = outcomes_of(trials, task.stack.folds, trainer, end["seconds"])
    return StackResult(outcomes, {k: v.copy() for k, v in trainer.state().items()}, end)


def trainer_of(task: StackTask, data: TrainingData) -> Trainer:
    """A trainer of a stack, at the beginning or in the state that the task starts from."""
    configs = [trial.config for trial in task.stack.trials]
    trainer = build_trainer(configs, data, folds=task.stack.folds, stop=task.until)
    if task.state is not None:
        # Models without momentum have no velocity, though they had one beside others with it.
        own = trainer.state().keys()
        trainer.restore(
            {
                name: array
                for name, array in task.state.items()
                if name in own or not name.startswith("update/")
            }
        )
    return trainer


def _go_on(
    trainer: Trainer, checkpoints: Path | None, data: TrainingData, observer: StackObserver
) -> float:
    """Take over the latest checkpoint, if there is one; return the seconds spent before it."""
    if checkpoints is None or not has_checkpoints(checkpoints):
        return 0.0
    checkpoint, warnings = load_latest_checkpoint(checkpoints)
    document = checkpoint.document
    if document.get("data_digest") != data.train.digest:
        raise CheckpointError(
            f"the checkpoint in {checkpoints} was made with other images than those found now",
            hint="Point --data-dir at the data set that the sweep was started with.",
        )
    try:
        trainer.restore(checkpoint.arrays)
        seconds = float(document["seconds"])
        differences = environment_differences(document["environment"], environment())
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"the checkpoint in {checkpoints} does not fit its stack: {error}"
        ) from error
    if differences:
        listing = "; ".join(differences)
        warnings.append(f"The last bits may differ from an uninterrupted sweep: {listing}.")
    for warning in warnings:
        observer.warned(warning)
    return seconds
