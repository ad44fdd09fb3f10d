"""Text files: the one place where they are read.

Text is UTF-8. Spreadsheets and editors on Windows put a byte order mark before it, and the older
PowerShell redirects output into UTF-16 with one; both are read like plain UTF-8.
"""

import codecs
from pathlib import Path

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """The text of a file, newlines as they are, as :func:`decode` finds it.

    Raises:
        UnicodeDecodeError: the file is not text.
        OSError: it cannot be read.
    """
    return decode(path.read_bytes())


def decode(data: bytes, errors: str = "strict") -> str:
    """The text of a file's bytes, without a byte order mark: UTF-8, or what the mark says.

    Args:
        data: from the beginning of the file.
        errors: what happens to bytes that are no text, as in ``bytes.decode``.

    Raises:
        UnicodeDecodeError: the bytes are not text, if ``errors`` is ``strict``.
    """
    # Both of these codecs take the mark away; the latter does not ask for one.
    return data.decode("utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig", errors)
