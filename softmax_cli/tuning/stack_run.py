"""One stack, trained from where it stands to where it should stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmax_cli.arrays import Arrays
from softmax_cli.config.schema import TrainConfig
from softmax_cli.training.assembly import build_trainer, certify_trainer
from softmax_cli.training.checkpointed_run import CheckpointedRun, Origin, RunObserver
from softmax_cli.training.hits import validation_hits
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import TrainingData
from softmax_cli.tuning.outcomes import Outcome, outcomes_of
from softmax_cli.tuning.stacks import Stack


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
    """The result of a task.

    Attributes:
        outcomes: one for each trial.
        state: of the trainer at the end.
        document: what belongs to a checkpoint of that state.
    """

    outcomes: list[Outcome]
    state: Arrays
    document: dict[str, Any]


def run_stack(
    task: StackTask, data: TrainingData, observer: RunObserver, checkpoints: Path | None = None
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
    run = checkpointed(task, data, checkpoints)
    run.resume(observer)
    run.train(observer)
    run.save()
    end = run.document()
    trials = [(trial.id, trial.parameters) for trial in task.stack.trials]
    configs, optimizer, folds = _configs(task), task.stack.shared.optimizer, task.stack.folds
    outcomes = outcomes_of(
        trials,
        folds,
        run.trainer,
        end["seconds"],
        certificate=certify_trainer(run.trainer, configs, data, folds=folds),
        tolerance=optimizer.tolerance if optimizer.method == "lbfgs" else None,
        # With folds every training image is validated on, by the models that have not seen it.
        validation_images=len(data.validation if folds == 1 else data.train),
        hits=validation_hits(configs, data, run.trainer) if folds == 1 else None,
    )
    return StackResult(outcomes, {k: v.copy() for k, v in run.trainer.state().items()}, end)


def checkpointed(
    task: StackTask, data: TrainingData, checkpoints: Path | None = None
) -> CheckpointedRun:
    """The training of a stack, at the beginning or in the state that the task starts from."""
    return CheckpointedRun(
        trainer_of(task, data),
        origin_of([trial.id for trial in task.stack.trials], data, checkpoints),
        checkpoints,
        every=task.stack.shared.training.checkpoint_every,
        until=task.until,
    )


def origin_of(trials: Sequence[str], data: TrainingData, checkpoints: Path | None) -> Origin:
    """What the checkpoints of a stack are bound to: the ids of its trials, and its images."""
    return Origin(
        subject={"trials": list(trials)},
        digests={"data_digest": data.train.digest},
        hint=restart_hint(checkpoints),
    )


def restart_hint(checkpoints: Path | None) -> str:
    """What to do about a folder of checkpoints that a stack cannot go on from."""
    return f"Remove {checkpoints}, and its trials are trained from the beginning."


def trainer_of(task: StackTask, data: TrainingData) -> Trainer:
    """A trainer of a stack, at the beginning or in the state that the task starts from."""
    trainer = build_trainer(_configs(task), data, folds=task.stack.folds, stop=task.until)
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


def _configs(task: StackTask) -> list[TrainConfig]:
    return [trial.config for trial in task.stack.trials]
