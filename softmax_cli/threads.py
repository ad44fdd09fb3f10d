"""How many threads a computation gets: no more than its size is worth.

To start a thread on a part of a product and to wait for it takes some ten microseconds. A step of
one model multiplies 200 x 1,536 by 1,536 x 9, which is done in a hundred; on a machine of 64 cores
as many threads would be slower than one. So every thread must have
:data:`MULTIPLICATIONS_PER_THREAD` to do. The same rule holds for training, the optimum, features,
scoring and the workers of a cluster.

The cores that count are those that this process may use: a container or a batch system may allow
fewer than the machine has. ``--threads`` and the environment variables that BLAS reads
(``OMP_NUM_THREADS``, ``OPENBLAS_NUM_THREADS``, ``MKL_NUM_THREADS``) override that number.
"""

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from softmax_cli.blas import blas_threads, is_blas_known, limit_to, limited_to

MULTIPLICATIONS_PER_THREAD = 2**20
"""Multiplications that keep a thread busy for some 25 microseconds or more."""

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_CGROUP = Path("/sys/fs/cgroup")
_overridden = False

Item = TypeVar("Item")
Result = TypeVar("Result")


def threads_for(multiplications: float, most: int) -> int:
    """Threads that so many multiplications are worth: at least 1, at most ``most``."""
    return max(1, min(most, int(multiplications // MULTIPLICATIONS_PER_THREAD)))


def thread_limit() -> int:
    """The most threads that any computation gets: the usable cores, unless the user says more."""
    threads = blas_threads() if is_blas_known() else usable_cores()
    if _overridden or any(os.environ.get(name) for name in VARIABLES):
        return threads
    return min(threads, usable_cores())


def use_threads(count: int) -> None:
    """Let every computation of this process have at most so many threads, as ``--threads`` asks.

    Args:
        count: at least 1; it may be more than there are cores.
    """
    global _overridden  # noqa: PLW0603 - as BLAS, it holds for the whole process
    _overridden = True
    limit_to(count)


@contextmanager
def at_most(count: int) -> Iterator[None]:
    """Within this context every computation gets at most so many threads."""
    global _overridden  # noqa: PLW0603 - see use_threads
    before = _overridden
    try:
        with limited_to(count):
            _overridden = True
            yield
    finally:
        _overridden = before


def in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The results of a function of each item, in their order, computed on all threads.

    numpy lets other threads run while it computes. Meanwhile BLAS computes each product on the
    thread that asks for it, so the bits do not depend on the number of threads.

    Args:
        function: must not depend on the order of its calls.
        items: what it is called with.
    """
    threads = min(thread_limit(), len(items))
    # Set once, from here: threads that set it themselves stop each other, twenty times as slow.
    with limited_to(1):
        if threads <= 1:
            return [function(item) for item in items]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(function, items))  # raises what a thread has raised


class PerThread(threading.local, Generic[Item]):
    """Something that every thread has for itself, such as memory that it uses again and again.

    Args:
        make: makes it for the thread that calls it.

    Attributes:
        value: what was made for this thread.
    """

    # Python calls this once in every thread that comes to use the object.
    def __init__(self, make: Callable[[], Item]) -> None:
        self.value = make()


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """Number of cores that this process may use: its affinity, and the quota of its container.

    Args:
        cgroup: where the system says what a container may use.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(cgroup) or cores))


def _quota(cgroup: Path) -> int | None:
    """Cores that a container may use at a time, rounded up; None without a limit.

    Version 2 of Linux's control groups says ``QUOTA PERIOD`` in one file, version 1 in two.
    """
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((cgroup / name).read_text() for name in files).split()
            if int(quota) > 0:
                return math.ceil(int(quota) / int(period))
        except (OSError, ValueError, ZeroDivisionError):
            continue  # no such file, or the word max: no limit
    return None
