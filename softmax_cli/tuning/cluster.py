"""Stacks on the workers of a Dask cluster.

A worker loads the images from its own disk and verifies them, so none travel. It runs BLAS with
the number of threads it is given, so that a result does not depend on where its stack was trained.
A stack whose worker is lost is given to another; the scheduler does so three times by default.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from softmax_cli import __version__
from softmax_cli.blas import limited_to
from softmax_cli.config.loading import with_values
from softmax_cli.errors import ConfigurationError, DataError, IntegrityError, SoftmaxError
from softmax_cli.threads import thread_limit
from softmax_cli.training.checkpointed_run import RunObserver, StopRequestedError
from softmax_cli.training.trainer import Progress, Trainer
from softmax_cli.training.training_data import TrainingData
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.data_cache import DataCache
from softmax_cli.tuning.scheduler import (
    ANSWER_SECONDS,
    check_scheduler,
    no_scheduler,
    silent_logging,
)
from softmax_cli.tuning.stack_run import StackResult, StackTask, run_stack

if TYPE_CHECKING:
    from distributed import Client

_POLL_SECONDS = 0.5


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """A client of the scheduler at an address such as ``tcp://host:8786``.

    Raises:
        ConfigurationError: Dask is not installed, or no scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigurationError(
            "expected Dask for --scheduler, but it is not installed",
            hint="In the checkout of softmax, run: pip install -e '.[distributed]'",
        ) from error
    with silent_logging():
        check_scheduler(address)
        try:
            client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
        except (OSError, ImportError) as error:
            raise no_scheduler(address, f"no answer: {error}") from error
        with client:
            yield client


def run_on_cluster(
    client: "Client",
    tasks: Sequence[StackTask],
    data: DataCache,
    checkpoints: StackCheckpoints,
    observer: RunObserver,
) -> Iterator[tuple[StackTask, StackResult | Exception]]:
    """Train stacks on the workers; yields each as it is done, with its result or its error.

    No more stacks are handed out than there are workers: each trains one at a time, and when one is
    lost, the scheduler holds that against every task it had, begun or not.

    Args:
        client: of the scheduler.
        tasks: what is to be done.
        data: where the images come from that the workers have to find, too.
        checkpoints: where the last state of each stack is kept.
        observer: asked now and then whether to call everything off.

    Raises:
        StopRequestedError: the observer asked to stop.
        IntegrityError: data or program of a worker are not those of this process.
        SoftmaxError: the scheduler was lost.
    """
    import dask

    threads = thread_limit()
    waiting = deque(tasks)
    running: dict[Future[StackResult], StackTask] = {}
    executor = client.get_executor(pure=False)
    said = False

    def submit(task: StackTask) -> None:
        order = _Order(
            task,
            data_dir=str(task.stack.shared.data.directory.absolute()),
            data_digest=data.train_digest(task.stack.shared),
            threads=threads,
            version=__version__,
        )
        # Dask would warn of the state that a task starts from: it is a few megabytes.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            running[executor.submit(_carry_out, order)] = task

    try:
        while waiting or running:
            workers = _workers(client) if waiting else 0
            if waiting and not workers and not said:
                observer.warned("The scheduler has no workers: waiting for one.")
                said = True
            while waiting and len(running) < workers:
                submit(waiting.popleft())
            for future in _done(running, observer):
                task, result = running.pop(future), _result_of(future)
                if isinstance(result, StackResult):
                    checkpoints.save(task, result)
                yield task, result
    except SoftmaxError as error:
        # What ends this process, such as a terminal that is closed, may end the scheduler as well.
        if observer.stop_requested():
            raise StopRequestedError from error
        raise
    finally:
        executor.shutdown(wait=False)


def _workers(client: "Client") -> int:
    try:
        return len(client.nthreads())
    except OSError as error:
        raise _scheduler_lost() from error


def _done(
    futures: "Collection[Future[StackResult]]", observer: RunObserver
) -> "Collection[Future[StackResult]]":
    """Those that are done; waits a moment for one."""
    if futures:
        done, _ = wait(futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
    else:
        time.sleep(_POLL_SECONDS)
        done = set()
    if observer.stop_requested():
        raise StopRequestedError
    return done


def _result_of(future: "Future[StackResult]") -> StackResult | Exception:
    """What a worker sent, or the error of its stack; raises errors that concern all stacks."""
    from distributed import KilledWorker

    if future.cancelled():
        raise _scheduler_lost()
    try:
        return future.result()
    except IntegrityError:
        raise
    except (SoftmaxError, MemoryError) as error:
        return error
    except KilledWorker as error:
        deaths = error.allowed_failures + 1
        return SoftmaxError(f"each of the {deaths} workers that tried them was lost")


def _scheduler_lost() -> SoftmaxError:
    return SoftmaxError(
        "the connection to the Dask scheduler was lost",
        hint="What was done is saved: go on with --resume.",
    )


@dataclass(frozen=True)
class _Order:
    """What a worker is sent.

    Attributes:
        task: what is to be done.
        data_dir: where the data is, unless the worker's own SOFTMAX_DATA_DIR says otherwise.
        data_digest: of the training images that it has to find there.
        threads: of BLAS.
        version: of the program that sends it.
    """

    task: StackTask
    data_dir: str
    data_digest: str
    threads: int
    version: str


_on_this_worker = DataCache()
_one_at_a_time = threading.Lock()


def _carry_out(order: _Order) -> StackResult:
    """Train a stack, on a worker.

    Raises:
        IntegrityError: data or program are not those of the sender.
    """
    # The number of threads is that of the whole process, and one set of images is enough.
    with _one_at_a_time, limited_to(order.threads):
        try:
            return run_stack(order.task, _verified_data(order), _OnWorker())
        except IntegrityError as error:
            from distributed import get_worker

            message = f"on worker {get_worker().address}: {error.message}"
            raise type(error)(message, hint=error.hint) from error


def _verified_data(order: _Order) -> TrainingData:
    if order.version != __version__:
        raise IntegrityError(f"expected softmax {order.version}, got {__version__}")
    folder = os.environ.get("SOFTMAX_DATA_DIR", order.data_dir)
    data = _on_this_worker.of(with_values(order.task.stack.shared, {"data.dir": folder}))
    if data.train.digest != order.data_digest:
        raise DataError("expected the training images that the sweep was started with, got others")
    return data


class _OnWorker:
    """Stops a stack on a worker when the sweep no longer waits for its result."""

    def __init__(self) -> None:
        from distributed import get_worker

        worker = get_worker()
        self._tasks = worker.state.tasks
        self._key = worker.get_current_task()

    def started(self, trainer: Trainer) -> None:
        """A worker shows no progress."""

    def progressed(self, trainer: Trainer, progress: Progress) -> None:
        """A worker shows no progress."""

    def warned(self, message: str) -> None:
        """Only a resumed run warns, and a worker resumes none."""

    def stop_requested(self) -> bool:
        task = self._tasks.get(self._key)
        return task is None or task.state == "cancelled"
