"""Which version of softmax wrote a file, and the message for a format that this one cannot read."""

import re

from softmax_cli import __version__

_VERSION = re.compile(r"[0-9A-Za-z.+!]{1,40}")


def stated_version(value: object) -> str | None:
    """The version of softmax that a file states; None if it states none."""
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else None


def other_format(found: object, reads: int, written_by: str | None) -> tuple[str, str]:
    """Say who wrote a file of another format, and which version reads it.

    Args:
        found: the format that the file states.
        reads: the format that this version reads.
        written_by: the version of softmax that wrote the file, if it says so.

    Returns:
        Message and hint of an error.
    """
    writer = f"by softmax {written_by} (format {found})" if written_by else f"in format {found}"
    message = f"written {writer}; this is softmax {__version__}, which reads format {reads}"
    if isinstance(found, int) and found > reads:
        hint = (
            f"Install softmax {written_by} or newer."
            if written_by
            else "A newer version of softmax wrote it: install that one."
        )
        return message, hint
    which = f"softmax {written_by}, which" if written_by else "the version of softmax that"
    return message, f"Use {which} wrote it."
