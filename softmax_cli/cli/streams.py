"""Standard streams, whatever the shell made of them: closed, full, of no width, not of Unicode."""

import io
import os
import sys


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
        # rich would take 0 at its word and print nothing.
        os.environ.pop("COLUMNS", None)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def abandon_unwritable() -> None:
    """Keep the interpreter from failing again when it flushes streams at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
