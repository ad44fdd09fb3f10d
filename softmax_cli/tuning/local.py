"""Stacks trained by this process, one after another."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from softmax_cli.errors import IntegrityError, SoftmaxError
from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.training.checkpointed_run import RunObserver
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.data_cache import DataCache
from softmax_cli.tuning.stack_run import StackResult, StackTask, run_stack


class StackObserver(RunObserver, ExtractionObserver, Protocol):
    """Is informed of one stack after another, and of the features that each needs."""

    def stack_started(self, task: StackTask) -> None:
        """The progress that follows is that of this stack."""


def run_locally(
    tasks: Sequence[StackTask],
    data: DataCache,
    checkpoints: StackCheckpoints,
    observer: StackObserver,
) -> Iterator[tuple[StackTask, StackResult | Exception]]:
    """Train stacks; yields each as it is done, with its result or its error.

    Args:
        tasks: what is to be done.
        data: where the images come from.
        checkpoints: where each stack keeps its own, and resumes from.
        observer: is told of each step.

    Raises:
        StopRequestedError: the observer asked to stop; a checkpoint was saved.
        IntegrityError: data or checkpoints are not intact.
        OSError: a checkpoint could not be written.
    """
    for task in tasks:
        yield task, _result(task, data, checkpoints, observer)


def _result(
    task: StackTask, data: DataCache, checkpoints: StackCheckpoints, observer: StackObserver
) -> StackResult | Exception:
    observer.stack_started(task)
    try:
        images = data.of(task.stack.shared, observer)
        return run_stack(task, images, observer, checkpoints.folder(task))
    except IntegrityError:
        raise
    except (SoftmaxError, MemoryError) as error:
        return error
