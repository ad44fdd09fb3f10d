"""Stacks trained in this process, one after another, BLAS using the cores."""

from collections.abc import Iterator, Sequence

from softmax_cli.errors import IntegrityError, SoftmaxError
from softmax_cli.tuning.loaded_data import LoadedData
from softmax_cli.tuning.stack_run import StackObserver, StackResult, StackTask, run_stack
from softmax_cli.tuning.stack_states import StackStates


def run_here(
    tasks: Sequence[StackTask], data: LoadedData, states: StackStates, observer: StackObserver
) -> Iterator[tuple[StackTask, StackResult | Exception]]:
    """Train stacks; yields each as it is done, with its result or with what it failed of.

    Args:
        tasks: what is to be done.
        data: where the images come from.
        states: where checkpoints are, from which each stack goes on.
        observer: is told of each step.

    Raises:
        StopRequestedError: the observer asked to stop; a checkpoint was saved.
        IntegrityError: data or checkpoints are not intact.
        OSError: a checkpoint could not be written.
    """
    for task in tasks:
        yield task, _result(task, data, states, observer)


def _result(
    task: StackTask, data: LoadedData, states: StackStates, observer: StackObserver
) -> StackResult | Exception:
    try:
        return run_stack(task, data.of(task.stack.shared), observer, states.folder(task))
    except IntegrityError:
        raise
    except (SoftmaxError, MemoryError) as error:
        return error
