"""One stack, trained from where it stands to where it should stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import (
    Checkpoint,
    has_checkpoints,
    load_latest_checkpoint,
    save_checkpoint,
)
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


@dataclass(frozen=True)
class StackResult:
    """What came of a task.

    Attributes:
        outcomes: one for each trial.
        state: of the trainer at the end.
        seconds: that training took, from the very beginning of the stack.
    """

    outcomes: list[Outcome]
    state: Arrays
    seconds: float


class StopRequestedError(Exception):
    """Training was asked to stop; a checkpoint was saved."""


def trainer_of(stack: Stack, data: TrainingData, state: Arrays | None = None) -> Trainer:
    """A trainer of a stack, at the beginning or in a given state."""
    trainer = build_trainer([trial.config for trial in stack.trials], data, folds=stack.folds)
    if state is not None:
        trainer.restore(state)
    return trainer


def run_stack(
    task: StackTask,
    data: TrainingData,
    *,
    checkpoints: Path | None = None,
    observe: Callable[[Trainer, Progress], None] = lambda _trainer, _progress: None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> StackResult:
    """Train a stack.

    Args:
        task: what is to be done.
        data: that the trials of the stack name.
        checkpoints: folder of this stack's checkpoints, from which it goes on; at the end the last
            state is saved there. None keeps nothing.
        observe: is told of each step.
        stop_requested: asked after each step whether to save a checkpoint and stop.

    Raises:
        StopRequestedError: if so.
        CheckpointError: the checkpoints are damaged or do not fit the stack.
        OSError: a checkpoint could not be written.
    """
    trainer = trainer_of(task.stack, data, task.state)
    earlier = _restore(trainer, checkpoints, data)
    start, every = time.perf_counter(), task.stack.shared.training.checkpoint_every

    def save() -> None:
        if checkpoints is not None:
            document = state_document(task.stack, seconds(), data.train.digest)
            save_checkpoint(checkpoints, Checkpoint(trainer.iteration, trainer.state(), document))

    def seconds() -> float:
        return earlier + time.perf_counter() - start

    for progress in trainer.train(task.until):
        observe(trainer, progress)
        stop = stop_requested()
        if stop or progress.iteration % every == 0:
            save()
        if stop:
            raise StopRequestedError
    save()
    trials = [(trial.id, trial.parameters) for trial in task.stack.trials]
    outcomes = outcomes_of(trials, task.stack.folds, trainer, seconds())
    state = {name: array.copy() for name, array in trainer.state().items()}
    return StackResult(outcomes, state, seconds())


def state_document(stack: Stack, seconds: float, data_digest: str) -> dict[str, Any]:
    """What a checkpoint of a stack says beside its arrays."""
    trials = [trial.id for trial in stack.trials]
    return {"seconds": seconds, "data_digest": data_digest, "trials": trials}


def _restore(trainer: Trainer, checkpoints: Path | None, data: TrainingData) -> float:
    """Go on from the latest checkpoint, if there is one; the seconds spent before it."""
    if checkpoints is None or not has_checkpoints(checkpoints):
        return 0.0
    checkpoint, _ = load_latest_checkpoint(checkpoints)
    if checkpoint.document.get("data_digest") != data.train.digest:
        raise CheckpointError(
            f"the checkpoint in {checkpoints} was made with other images than those found now",
            hint="Point --data-dir at the data set that the sweep was started with.",
        )
    try:
        trainer.restore(checkpoint.arrays)
        return float(checkpoint.document["seconds"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"the checkpoint in {checkpoints} does not fit its stack: {error}"
        ) from error
