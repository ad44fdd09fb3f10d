"""Checkpoints of a sweep's stacks: those in training, and the last one of the best trial's stack.

A finished sweep keeps none of them.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import (
    Checkpoint,
    has_checkpoints,
    load_latest_checkpoint,
    save_checkpoint,
)
from softmax_cli.runs.directory import remove_checkpoints
from softmax_cli.tuning.stack_run import StackResult, StackTask, restart_hint


class StackCheckpoints:
    """The folder that holds a folder of checkpoints for each stack, or stage of one.

    Args:
        directory: need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def folder(self, task: StackTask) -> Path:
        """Where the checkpoints of a task are."""
        return self.directory / task.name

    def save(self, task: StackTask, result: StackResult) -> None:
        """Keep the state that a worker sent, as if the stack had been trained here."""
        step = int(result.state["iteration"][0])
        save_checkpoint(self.folder(task), Checkpoint(step, result.state, result.document))

    def check(self, tasks: Iterable[StackTask]) -> None:
        """Check that each state that one of the tasks would go on from can be read.

        Raises:
            CheckpointError: one is damaged, of another format, or not that of a stack.
        """
        for task in tasks:
            if has_checkpoints(self.folder(task)):
                _latest(self.folder(task))

    def begun(self) -> list[list[str]]:
        """Ids of the trials of each stack that has a checkpoint, in the order of the stack."""
        return [saved.document["trials"] for _, saved in self._all()]

    def find(self, trial_id: str) -> Checkpoint | None:
        """The checkpoint with the most steps that holds a trial; None if there is none."""
        found = [saved for _, saved in self._all() if trial_id in saved.document["trials"]]
        return max(found, key=lambda saved: saved.step, default=None)

    def keep_only(self, best_id: str | None, done: Collection[str]) -> None:
        """Remove the states of stacks whose trials are all done and do not include the best."""
        for folder, saved in self._all():
            trials = saved.document["trials"]
            if best_id not in trials and all(trial in done for trial in trials):
                remove_checkpoints(folder)

    def remove_all(self) -> None:
        """Remove every state, whether it can be read or not."""
        for folder in self.directory.glob("stack-*"):
            remove_checkpoints(folder)
        with suppress(OSError):
            self.directory.rmdir()

    def _all(self) -> list[tuple[Path, Checkpoint]]:
        """Folder and latest checkpoint of each stack whose state can be read.

        One that cannot may be left of trials that are done; :meth:`check` finds those that matter.
        """
        found = []
        for folder in sorted(self.directory.glob("stack-*")):
            with suppress(CheckpointError):
                found.append((folder, _latest(folder)))
        return found


def _latest(folder: Path) -> Checkpoint:
    hint = restart_hint(folder)
    try:
        checkpoint, _ = load_latest_checkpoint(folder)
    except CheckpointError as error:
        raise CheckpointError(error.message, hint=hint) from error
    trials = checkpoint.document.get("trials")
    if not (isinstance(trials, list) and all(isinstance(trial, str) for trial in trials)):
        raise CheckpointError(
            f"expected the ids of trials in the checkpoint in {folder}, "
            "got the checkpoint of another kind of run",
            hint=hint,
        )
    return checkpoint
