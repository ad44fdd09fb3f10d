"""The BLAS behind numpy: how many threads it uses, and how it multiplies by few columns fastest."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock

import numpy as np
import threadpoolctl

from softmax_cli.arrays import Floats

_SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}
"""Kinds of OpenBLAS that have kernels for small matrices, which do not copy them beforehand."""
_SMALL_PRODUCT = 100**3
"""Multiplications in the largest product that these kernels take."""
_FEW_COLUMNS = 12
"""With more, a copy is soon paid for, and a small product has too few rows."""


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


def multiply(A: Floats, B: Floats, out: Floats) -> None:
    """Write ``A B`` (n, C) into ``out``.

    BLAS copies both matrices into an order of its own first. With ten columns, that takes a third
    of the time. Where it has kernels for small matrices, which do without, the rows of A are
    multiplied some at a time. How many depends on the shapes alone, so the bits do, too.

    Args:
        A: (n, D).
        B: (D, C).
        out: (n, C).
    """
    multiplications = A.shape[0] * B.size
    if B.shape[1] > _FEW_COLUMNS or multiplications <= _SMALL_PRODUCT or not _has_small_kernels():
        np.matmul(A, B, out=out)
        return
    rows = max(1, _SMALL_PRODUCT // B.size)
    for start in range(0, len(A), rows):
        piece = slice(start, start + rows)
        np.matmul(A[piece], B, out=out[piece])


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
    for library, before in _before.items():
        library.set_num_threads(_limits[-1].threads if _limits else before)


@cache
def _has_small_kernels() -> bool:
    return any(getattr(found, "architecture", None) in _SMALL_KERNELS for found in _libraries())


@cache
def _libraries() -> tuple[threadpoolctl.LibController, ...]:
    """The BLAS libraries of this process; looking for them takes half a millisecond."""
    found = threadpoolctl.ThreadpoolController().select(user_api="blas")
    return tuple(found.lib_controllers)
