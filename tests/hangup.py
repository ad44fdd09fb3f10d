"""What processes that a test starts do when their terminal is closed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hangups(*, ignored: bool) -> Iterator[None]:
    """Let processes started within this context ignore SIGHUP or not, as the tests may themselves.

    Args:
        ignored: as ``nohup`` has it.
    """
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
