"""Tell what a file is by its first bytes, and what to do with one that is not read.

People bring data sets in many forms, and networks put web pages in place of files. A message that
names what came helps more than one that calls it damaged.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from softmax_cli.data.dataset import Publication

START_BYTES: Final = 512
"""How much of the beginning of a file `recognise` looks at."""


def _unpack(publication: Publication) -> str:
    return f"Unpack it, and name the folder: `{publication.command} --from FOLDER`."


def _decompress(_: Publication) -> str:
    return "Decompress it first."


def _get_this_form(publication: Publication) -> str:
    return (
        f"Only the Python version of {publication.title} is read: run `{publication.command}`, or "
        f"get {publication.archive.name} and give it to `{publication.command} --from`."
    )


def _get_all_files(publication: Publication) -> str:
    return (
        f"{publication.title} is read from its archive, or from the folder of its intact files: "
        f"`{publication.command}` fetches it."
    )


def _get_again(_: Publication) -> str:
    return (
        "It came in place of the file, as a login page of the network or as an error message: "
        "read it, then get the file again."
    )


def _pull(_: Publication) -> str:
    return "It stands for a file that was not fetched: run `git lfs pull`."


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    Attributes:
        name: with its article, as in "got a ZIP archive".
        advice: what to do with it where a data set is expected and it is not read; gives one or
            more sentences.
    """

    name: str
    advice: Callable[[Publication], str]


TAR: Final = FileKind("a tar archive", _unpack)
GZIP: Final = FileKind("a file compressed with gzip", _decompress)
BZIP2: Final = FileKind("a file compressed with bzip2", _decompress)
XZ: Final = FileKind("a file compressed with xz", _decompress)
PICKLE: Final = FileKind("a pickle", _get_all_files)

READABLE: Final = (TAR, GZIP, BZIP2, XZ)
"""What an archive may be."""

_ZIP: Final = FileKind("a ZIP archive", _unpack)
_WEB_PAGE: Final = FileKind("a web page", _get_again)
_TEXT: Final = FileKind("a text file", _get_again)
_GIT_LFS: Final = FileKind("a Git LFS pointer", _pull)

_SIGNATURES: Final = (  # where, which bytes, of what
    (0, b"\x1f\x8b", GZIP),
    (0, b"BZh", BZIP2),
    (0, b"\xfd7zXZ\0", XZ),
    (257, b"ustar", TAR),
    (0, b"PK\x03\x04", _ZIP),
    (0, b"PK\x05\x06", _ZIP),  # without members
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", _unpack)),
    (0, b"Rar!\x1a\x07", FileKind("a RAR archive", _unpack)),
    (0, b"\x28\xb5\x2f\xfd", FileKind("a file compressed with zstd", _unpack)),
    (0, b"\x04\x22\x4d\x18", FileKind("a file compressed with lz4", _unpack)),
    (0, b"LZIP", FileKind("a file compressed with lzip", _unpack)),
    (0, b"\x5d\0\0", FileKind("a file compressed with lzma", _unpack)),
    (0, b"\x1f\x9d", FileKind("a file compressed with Unix compress", _unpack)),
    (0, b"PAR1", FileKind("a Parquet table", _get_this_form)),
    (0, b"ARROW1", FileKind("an Arrow table", _get_this_form)),
    (0, b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file", _get_this_form)),
    (0, b"MATLAB ", FileKind("a MATLAB file", _get_this_form)),
    (0, b"\x93NUMPY", FileKind("a NumPy array", _get_this_form)),
    (0, b"version https://git-lfs.github.com/spec/", _GIT_LFS),
    *((0, bytes([0x80, protocol]), PICKLE) for protocol in range(2, 6)),
)
_MARKUP: Final = re.compile(rb"(\xef\xbb\xbf)?\s*<[!?a-zA-Z]")
_PLAIN_TEXT: Final = re.compile(rb"[\t\n\r -~]+")


def recognise(start: bytes) -> FileKind | None:
    """What a file is that begins with ``start``; None if that tells nothing.

    Args:
        start: the first `START_BYTES` of the file, or all of a shorter one.
    """
    for offset, signature, kind in _SIGNATURES:
        if start.startswith(signature, offset):
            return kind
    if _MARKUP.match(start):
        return _WEB_PAGE
    return _TEXT if _PLAIN_TEXT.fullmatch(start) else None


def recognise_other_form(names: Iterable[str], publication: Publication) -> FileKind | None:
    """Recognise another form of a data set, or one of its siblings, by names of files and folders.

    Args:
        names: without the folders they are in.
        publication: the data set that was expected.
    """
    names = list(names)
    for pattern, form in publication.other_forms:
        if any(re.fullmatch(pattern, name) for name in names):
            return FileKind(form, _get_this_form)
    return None
