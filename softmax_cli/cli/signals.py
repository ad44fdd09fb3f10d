"""Ctrl-C, SIGTERM, SIGHUP and SIGUSR1: the first one asks a run to save and stop.

Ctrl-C or SIGTERM after one of these two stops at once. Others that follow are no reason to: a
terminal that is closed sends SIGHUP twice, itself and by its shell, and a batch system that has
warned of its time limit sends SIGTERM when that is reached.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from softmax_cli.training.stop_signals import STOP_SIGNALS

_URGENT = (signal.SIGINT, signal.SIGTERM)
_received: list[int] = []


def stop_requested() -> bool:
    """Whether one of the signals has arrived."""
    return bool(_received)


def exit_code() -> int:
    """What a shell expects of a program that a signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (_received[0] if _received else signal.SIGINT)


@contextmanager
def stopping_gracefully() -> Iterator[None]:
    """Within this context the first signal is only noted, for :func:`stop_requested` to tell.

    SIGHUP and SIGUSR1 stay ignored where they are, as under ``nohup``.
    """
    previous = {number: signal.signal(number, _note) for number in STOP_SIGNALS if _is_ours(number)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _is_ours(number: int) -> bool:
    return number in _URGENT or signal.getsignal(number) != signal.SIG_IGN


def _note(number: int, _frame: FrameType | None) -> None:
    is_repeated = number in _URGENT and any(earlier in _URGENT for earlier in _received)
    _received.append(number)
    if is_repeated:
        raise KeyboardInterrupt
