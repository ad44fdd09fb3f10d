"""Text files: the one place where they are read.

Text is UTF-8. Spreadsheets and editors on Windows put a byte order mark before it, and the older
PowerShell redirects output into UTF-16 with one; both are read like plain UTF-8.
"""

import codecs
from pathlib import Path

_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


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
    for mark, encoding in _ENCODINGS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors)
    return data.decode("utf-8", errors)
