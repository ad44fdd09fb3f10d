"""A process that shares arrays with this one and does a part of every step.

It is a fork, so it has all that the parent has, images too, without a copy. Commands and answers
are semaphores, which also order the accesses to memory around them. A process that waits tests its
semaphore for some milliseconds before it sleeps, because to wake a sleeping core takes longer than
most waits. Between two tests it offers its core to others: where more processes are at work than
there are cores, the one that is waited for may need it.
"""

import mmap
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from softmax_cli.errors import LostProcessError
from softmax_cli.training.stop_signals import STOP_SIGNALS

if TYPE_CHECKING:
    from multiprocessing.synchronize import Semaphore

_SPIN_LIMIT = 5000
_SLEEP_SECONDS = 0.05
_STANDARD_STREAMS = 3


def shared_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of zeros that forks of this process share instead of copying it when it changes."""
    itemsize = np.dtype(dtype).itemsize
    # Anonymous shared memory: a fork maps the same pages. A mapping must have at least one byte.
    memory = mmap.mmap(-1, max(prod(shape) * itemsize, 1))
    return np.frombuffer(memory, dtype, prod(shape)).reshape(shape)


def shared_copy(array: NDArray[Any]) -> NDArray[Any]:
    """A copy in memory that forks of this process share."""
    copy = shared_zeros(array.shape, array.dtype)
    copy[...] = array
    return copy


if sys.platform == "linux":

    class Fork:
        """A fork of this process that carries out one command after another.

        It closes all files but the standard streams, leaves Ctrl-C and the other signals that ask
        to stop to the parent, and ends when the parent does.

        Args:
            handle_command: called in the fork for each command; calls its argument once, when the
                answer is ready.

        Raises:
            OSError: this system has no semaphores, or allows no further process.
        """

        def __init__(self, handle_command: Callable[[Callable[[], None]], None]) -> None:
            # Made before the fork, so that both processes hold the same two semaphores.
            self._command, self._answer = _semaphore(), _semaphore()
            self._parent = os.getpid()
            self._has_ended = False
            with warnings.catch_warnings():
                # Python, and JAX where it is loaded, warn of locks that other threads may hold. The
                # fork only computes, so they are of no concern to it.
                warnings.simplefilter("ignore")
                self._pid = os.fork()
            if self._pid == 0:
                self._serve(handle_command)

        def send(self) -> None:
            """Send a command; what it is stands in shared memory."""
            self._command.release()

        def wait(self) -> None:
            """Wait for the answer to the last command.

            Raises:
                LostProcessError: the fork has ended.
            """
            _acquire(self._answer, self._check)

        def stop(self) -> None:
            """End the fork at once."""
            if not self._has_ended:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(self._pid, signal.SIGKILL)
                    os.waitpid(self._pid, 0)
                self._has_ended = True

        def _check(self) -> None:
            try:
                ended, status = os.waitpid(self._pid, os.WNOHANG)
            except ChildProcessError:
                # Where SIGCHLD is ignored the system keeps no status of children that have ended.
                how, ended = "", True
            else:
                how = _manner(status)
            if ended:
                self._has_ended = True  # from now on its number may be that of another process
                raise LostProcessError(
                    f"one of the processes that train together has ended{how}",
                    hint="Was there too little memory? What was saved is intact; --resume goes on.",
                )

        def _serve(self, handle_command: Callable[[Callable[[], None]], None]) -> None:
            try:
                # A terminal sends Ctrl-C to both processes; only the parent decides when to stop.
                for number in STOP_SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
                # Open files hold locks: a lock must not outlive the parent in its fork.
                os.closerange(_STANDARD_STREAMS, os.sysconf("SC_OPEN_MAX"))
                with np.errstate(over="ignore", invalid="ignore"):
                    while True:
                        _acquire(self._command, self._leave_orphaned)
                        handle_command(self._answer.release)
            finally:
                os._exit(1)  # never into the parent's code, nor its exit handlers

        def _leave_orphaned(self) -> None:
            if os.getppid() != self._parent:
                os._exit(0)

    def _acquire(semaphore: "Semaphore", on_timeout: Callable[[], None]) -> None:
        # First without sleeping, see the module; then in naps, to notice that the other has ended.
        for _ in range(_SPIN_LIMIT):
            if semaphore.acquire(block=False):
                return
            os.sched_yield()
        while not semaphore.acquire(timeout=_SLEEP_SECONDS):
            on_timeout()

else:

    class Fork:
        """Stands for a fork where there can be none: system libraries elsewhere forbid them.

        Raises:
            OSError: always.
        """

        def __init__(self, _handle_command: Callable[[Callable[[], None]], None]) -> None:
            raise OSError("forks are only used on Linux")

        def send(self) -> None:
            """Never called."""

        def wait(self) -> None:
            """Never called."""

        def stop(self) -> None:
            """Never called."""


def _manner(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f" (killed by signal {-code})" if code < 0 else f" (exit code {code})"


def _semaphore() -> "Semaphore":
    from multiprocessing import get_context

    try:
        return get_context("fork").Semaphore(0)
    except ImportError as error:
        raise OSError(str(error)) from error
