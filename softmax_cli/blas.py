"""How many threads the BLAS behind numpy uses."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock

import threadpoolctl


def blas_threads() -> int:
    """Number of threads that BLAS uses right now; 1 if it cannot be told."""
    return max((library.num_threads or 1 for library in _libraries()), default=1)


def is_blas_known() -> bool:
    """Whether the BLAS behind numpy is one whose threads can be told and set."""
    return bool(_libraries())


def limit_to(threads: int) -> None:
    """Let BLAS use so many threads from now on, in the whole process."""
    _set_threads(dict.fromkeys(_libraries(), threads))


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Within this context BLAS uses so many threads, in the whole process.

    Threads of the process may be in such contexts at the same time: the latest counts, and when all
    have ended, BLAS has the threads that it had before the first.
    """
    limit = _Limit(threads)
    with _CHANGING:
        if not _limits:
            _before.update({library: library.num_threads for library in _libraries()})
        _limits.append(limit)
        _apply()
    try:
        yield
    finally:
        with _CHANGING:
            _limits.remove(limit)
            _apply()


@dataclass(frozen=True, eq=False)
class _Limit:
    """One context, equal to itself alone."""

    threads: int


_CHANGING = Lock()
_limits: list[_Limit] = []
_before: dict[threadpoolctl.LibController, int | None] = {}


def _apply() -> None:
    _set_threads(dict.fromkeys(_before, _limits[-1].threads) if _limits else _before)


def _set_threads(threads: Mapping[threadpoolctl.LibController, int | None]) -> None:
    for library, count in threads.items():
        library.set_num_threads(count)


@cache
def _libraries() -> tuple[threadpoolctl.LibController, ...]:
    """The BLAS libraries of this process; looking for them takes half a millisecond."""
    found = threadpoolctl.ThreadpoolController().select(user_api="blas")
    return tuple(found.lib_controllers)
