"""Standard streams made usable where they are closed, full, of no width or not of Unicode.

Results that cannot be written are an error. Messages that cannot be, as where the terminal was
closed, are dropped: they must keep no run from saving what it has done.
"""

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast


def make_usable() -> None:
    """Let every stream exist and take any text.

    A closed one becomes the null device; otherwise the next file to be opened would get its number.
    What an encoding lacks is written as an escape.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(null, mode, errors="backslashreplace"))
    if not os.environ.get("COLUMNS", "").strip("0"):
        # With a width of 0 rich would print nothing.
        os.environ.pop("COLUMNS", None)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if not isinstance(sys.stderr, _Messages):
        sys.stderr = cast("TextIO", _Messages(sys.stderr))


def abandon_unwritable() -> None:
    """Keep the interpreter from failing again when it flushes stdout at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Messages:
    """A stream that drops what it cannot write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text if that can be done."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered if that can be done."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
