"""A training, saved on the way and resumable: a single one, a stack of a sweep, its best trial.

The loop is in ``trainer``. Here is what happens around it wherever it runs: checkpoints when they
are due, going on from the latest one if it belongs to the same thing, and stopping when asked.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from softmax_cli.config.differences import differing_keys
from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import (
    Checkpoint,
    has_checkpoints,
    load_latest_checkpoint,
    remove_all_but_last_two,
    save_checkpoint,
)
from softmax_cli.runs.environment import environment, environment_differences
from softmax_cli.training.trainer import Progress, Trainer


class RunObserver(Protocol):
    """Is informed of the progress of a training, and may ask it to stop."""

    def started(self, trainer: Trainer) -> None:
        """Training begins, or continues from a checkpoint."""

    def progressed(self, trainer: Trainer, progress: Progress) -> None:
        """A step was done."""

    def warned(self, message: str) -> None:
        """A warning, which is no reason to stop."""

    def stop_requested(self) -> bool:
        """Whether to save a checkpoint and stop after this step."""


class StopRequestedError(Exception):
    """The observer asked a training to stop; if it keeps checkpoints, one was saved."""


@dataclass(frozen=True)
class Origin:
    """What a checkpoint is bound to: it is refused where any of this differs.

    Attributes:
        subject: what is trained, as JSON values by name: ``settings``, or the ids of ``trials``.
            Where the data lies (``data.dir``) may differ: the digests watch over its content.
        digests: of the images, by name: ``train_digest`` and ``validation_digest``, or
            ``data_digest`` alone.
        hint: what to do where ``subject`` differs, or the checkpoint is of another kind of run.
    """

    subject: Mapping[str, Any]
    digests: Mapping[str, str]
    hint: str

    def check(self, document: Mapping[str, Any], directory: Path) -> None:
        """Check that a checkpoint belongs here.

        Args:
            document: what the checkpoint says of itself.
            directory: where it is, for messages.

        Raises:
            CheckpointError: it does not belong here.
        """
        expected = {*self.subject, *self.digests, *_ALWAYS}
        if not expected <= document.keys():
            raise CheckpointError(
                f"the checkpoint in {directory} belongs to another kind of run: expected "
                f"{', '.join(sorted(expected))} in it, got {', '.join(sorted(document))}",
                hint=self.hint,
            )
        for name, value in self.subject.items():
            changed = differing_keys(document[name], value, ignored={"data.dir"})
            if changed:
                raise CheckpointError(
                    f"the {name} have changed since the checkpoint in {directory} was made: "
                    f"{', '.join(changed)}",
                    hint=self.hint,
                )
        for name, digest in self.digests.items():
            if document[name] != digest:
                raise CheckpointError(
                    f"the checkpoint in {directory} was made with other {_IMAGES[name]} "
                    "than those found now",
                    hint="Point --data-dir at the data set that the run was started with.",
                )


_ALWAYS = ("environment", "seconds")
_IMAGES = {
    "data_digest": "images",
    "train_digest": "training images",
    "validation_digest": "validation images",
}
"""What each digest is of, for messages."""


class CheckpointedRun:
    """A trainer with its checkpoints: it trains until a given step, saves, and resumes.

    Args:
        trainer: at the beginning, or in the state to start from.
        origin: what its checkpoints are bound to.
        checkpoints: folder of its checkpoints; None keeps nothing.
        every: steps from one checkpoint to the next.
        until: steps done at which to stop; None trains to the end.
        saved: called after each checkpoint.
    """

    def __init__(
        self,
        trainer: Trainer,
        origin: Origin,
        checkpoints: Path | None,
        *,
        every: int,
        until: int | None = None,
        saved: Callable[[], None] | None = None,
    ) -> None:
        self.trainer = trainer
        self._origin = origin
        self._checkpoints = checkpoints
        self._every = every
        self._until = until
        self._saved = saved
        # Noted before the loop, which may put BLAS on one thread and start processes instead.
        self._environment = environment()
        self._earlier_seconds = 0.0
        self._start = time.perf_counter()

    def resume(self, observer: RunObserver) -> bool:
        """Take over the latest checkpoint; returns whether there was one.

        Raises:
            CheckpointError: the checkpoints are damaged, or belong to other settings or data.
            OSError: what a crash left beside them could not be removed.
        """
        directory = self._checkpoints
        if directory is None or not has_checkpoints(directory):
            return False
        checkpoint, warnings = load_latest_checkpoint(directory)
        self._origin.check(checkpoint.document, directory)
        try:
            self.trainer.restore(checkpoint.arrays)
            self._earlier_seconds = float(checkpoint.document["seconds"])
            warnings += _warnings(checkpoint.document["environment"], self._environment)
        except (ValueError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"the checkpoint in {directory} does not fit the settings: {error}"
            ) from error
        # A crash may have come before this; after the last checkpoint nothing else would do it.
        remove_all_but_last_two(directory, checkpoint.step)
        for warning in warnings:
            observer.warned(warning)
        return True

    def train(self, observer: RunObserver) -> None:
        """Run the loop; save a checkpoint when one is due or a stop is asked for.

        Raises:
            StopRequestedError: the observer asked to stop.
            OSError: a checkpoint could not be written; earlier ones are intact.
        """
        observer.started(self.trainer)
        self._start = time.perf_counter()
        with closing(self.trainer.train(self._until)) as steps:
            for progress in steps:
                observer.progressed(self.trainer, progress)
                stop = observer.stop_requested()
                if stop or progress.iteration % self._every == 0:
                    self.save()
                if stop:
                    raise StopRequestedError

    def save(self) -> None:
        """Write a checkpoint of the state as it is, if checkpoints are kept."""
        if self._checkpoints is None:
            return
        checkpoint = Checkpoint(self.trainer.iteration, self.trainer.state(), self.document())
        save_checkpoint(self._checkpoints, checkpoint)
        if self._saved is not None:
            self._saved()

    def document(self) -> dict[str, Any]:
        """What belongs to a checkpoint beside the arrays."""
        return {
            **self._origin.subject,
            **self._origin.digests,
            "environment": self._environment,
            "seconds": self.seconds(),
        }

    def seconds(self) -> float:
        """Time spent in the loop, earlier sessions included."""
        return self._earlier_seconds + time.perf_counter() - self._start


def _warnings(then: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    differences = environment_differences(then, now)
    if not differences:
        return []
    return [f"The last bits may differ from an uninterrupted run: {'; '.join(differences)}."]
