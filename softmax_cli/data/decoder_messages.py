"""What image decoders print: kept off the terminal and given to the picture that it is about.

libtiff writes to the file descriptor of stderr, past Python and without the name of the file;
Pillow logs a line here and there.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence

_STDERR = 2
_MAX_BYTES = 1 << 16
# Pillow decodes PNG, GIF and BMP itself, its JPEG decoder is told to print nothing, and that of
# WebP never prints.
_SILENT = (b"\x89PNG", b"GIF8", b"BM", b"\xff\xd8\xff", b"RIFF")
# The name that Pillow gives to whatever libtiff reads.
_NO_NAME = "tempfile.tif: "


def may_print(head: bytes) -> bool:
    """Whether the decoder of a file that begins like this may print something."""
    return not head.startswith(_SILENT)


@contextlib.contextmanager
def collected_messages() -> Iterator[list[str]]:
    """Collect in a list, filled at the end, the lines that decoders print and log meanwhile.

    The file descriptor belongs to the whole process: what other threads write to it in the
    meantime is collected as well. Without a stderr, or a place for a temporary file, only what is
    logged is collected.
    """
    lines: list[str] = []
    handler = _Collector(lines)
    logger = logging.getLogger("PIL")
    logger.addHandler(handler)
    try:
        with _stderr_into(lines):
            yield lines
    finally:
        logger.removeHandler(handler)


def summary(lines: Sequence[str]) -> str:
    """The first line, and how many others there are."""
    first, *others = dict.fromkeys(line.replace(_NO_NAME, "").rstrip(".") for line in lines)
    if not others:
        return first
    return f"{first} (and {len(others)} more {'line' if len(others) == 1 else 'lines'})"


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())


@contextlib.contextmanager
def _stderr_into(lines: list[str]) -> Iterator[None]:
    import tempfile

    with contextlib.ExitStack() as stack:
        try:
            original = os.dup(_STDERR)
            stack.callback(os.close, original)
            file = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            yield
            return
        _flush()
        os.dup2(file.fileno(), _STDERR)
        try:
            yield
        finally:
            _flush()
            os.dup2(original, _STDERR)
            file.seek(0)
            text = file.read(_MAX_BYTES).decode(errors="replace")
            lines += [line.strip() for line in text.splitlines() if line.strip()]


def _flush() -> None:
    # There may be no stream, or one that is closed.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()
