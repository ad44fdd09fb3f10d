"""The states of a sweep's stacks on disk: of those in flight, and the last one of the best."""

from collections.abc import Collection
from pathlib import Path

from softmax_cli.runs.checkpoint import (
    Checkpoint,
    has_checkpoints,
    load_latest_checkpoint,
    save_checkpoint,
)
from softmax_cli.runs.directory import remove_checkpoints
from softmax_cli.tuning.stack_run import StackResult, state_document
from softmax_cli.tuning.stacks import Stack


class StackStates:
    """The folder that holds a folder of checkpoints for each stack.

    Args:
        directory: need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def folder(self, stack: Stack) -> Path:
        """Where the checkpoints of a stack are."""
        return self._directory / f"stack-{stack.id}"

    def has(self, stack: Stack) -> bool:
        """Whether there is a checkpoint of exactly this stack."""
        return has_checkpoints(self.folder(stack))

    def save(self, stack: Stack, result: StackResult, data_digest: str) -> None:
        """Keep what a worker sent as if the stack had been trained here."""
        step = int(result.state["iteration"][0])
        document = state_document(stack, result.seconds, data_digest)
        save_checkpoint(self.folder(stack), Checkpoint(step, result.state, document))

    def find(self, trial_id: str) -> Checkpoint | None:
        """The state of the stack that took a trial furthest, if it is still there."""
        found = [saved for _, saved in self._all() if trial_id in saved.document["trials"]]
        return max(found, key=lambda saved: saved.step, default=None)

    def keep_only(self, best_id: str | None, done: Collection[str]) -> None:
        """Remove the states of stacks whose trials are all done and do not include the best."""
        for folder, saved in self._all():
            trials = saved.document["trials"]
            if best_id not in trials and all(trial in done for trial in trials):
                remove_checkpoints(folder)

    def _all(self) -> list[tuple[Path, Checkpoint]]:
        """Folder and latest checkpoint of each stack."""
        folders = sorted(self._directory.glob("stack-*"))
        return [
            (folder, load_latest_checkpoint(folder)[0])
            for folder in folders
            if has_checkpoints(folder)
        ]
