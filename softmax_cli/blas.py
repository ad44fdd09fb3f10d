"""How many threads the BLAS behind numpy uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import threadpoolctl


def blas_threads() -> int:
    """Number of threads that BLAS uses right now; 1 if it cannot be told."""
    return max((library.num_threads or 1 for library in _libraries()), default=1)


def is_blas_known() -> bool:
    """Whether the BLAS behind numpy is one whose threads can be told and set."""
    return bool(_libraries())


def limit_to(threads: int) -> None:
    """Let BLAS use so many threads from now on, in the whole process."""
    for library in _libraries():
        library.set_num_threads(threads)


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Within this context BLAS uses so many threads, in the whole process."""
    before = [(library, library.num_threads) for library in _libraries()]
    limit_to(threads)
    try:
        yield
    finally:
        for library, number in before:
            library.set_num_threads(number)


@cache
def _libraries() -> tuple[threadpoolctl.LibController, ...]:
    """The BLAS libraries of this process; looking for them takes half a millisecond."""
    found = threadpoolctl.ThreadpoolController().select(user_api="blas")
    return tuple(found.lib_controllers)
