"""Tell what a file is by its first bytes, and what to do with one that is not read.

People bring CIFAR-10 in many forms, and networks put web pages in place of files. A message that
names what came is worth more than one that calls it damaged.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

START_BYTES: Final = 512
"""How much of the beginning of a file `recognise` looks at."""

_UNPACK: Final = "Unpack it, and name the folder: `softmax download --from FOLDER`."
_DECOMPRESS: Final = "Decompress it first."
_OTHER_FORM: Final = (
    "Only the Python version of CIFAR-10 is read: run `softmax download`, or get "
    "cifar-10-python.tar.gz and give it to `softmax download --from`."
)
_GET_AGAIN: Final = (
    "It came in place of the file, as a login page of the network or as an error message: "
    "read it, then get the file again."
)


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    Attributes:
        name: with its article, as in "got a ZIP archive".
        advice: what to do with it where it is not read; one or more sentences.
    """

    name: str
    advice: str


TAR: Final = FileKind("a tar archive", _UNPACK)
GZIP: Final = FileKind("a file compressed with gzip", _DECOMPRESS)
BZIP2: Final = FileKind("a file compressed with bzip2", _DECOMPRESS)
XZ: Final = FileKind("a file compressed with xz", _DECOMPRESS)
PICKLE: Final = FileKind(
    "a pickle",
    "CIFAR-10 is read from its archive, or from the folder of its intact files: `softmax download` "
    "fetches it.",
)

READABLE: Final = (TAR, GZIP, BZIP2, XZ)
"""What an archive may be."""

_ZIP: Final = FileKind("a ZIP archive", _UNPACK)
_WEB_PAGE: Final = FileKind("a web page", _GET_AGAIN)
_TEXT: Final = FileKind("a text file", _GET_AGAIN)
_GIT_LFS: Final = FileKind(
    "a Git LFS pointer", "It stands for a file that was not fetched: run `git lfs pull`."
)

_SIGNATURES: Final = (  # where, which bytes, of what
    (0, b"\x1f\x8b", GZIP),
    (0, b"BZh", BZIP2),
    (0, b"\xfd7zXZ\0", XZ),
    (257, b"ustar", TAR),
    (0, b"PK\x03\x04", _ZIP),
    (0, b"PK\x05\x06", _ZIP),  # without members
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", _UNPACK)),
    (0, b"Rar!\x1a\x07", FileKind("a RAR archive", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", FileKind("a file compressed with zstd", _UNPACK)),
    (0, b"\x04\x22\x4d\x18", FileKind("a file compressed with lz4", _UNPACK)),
    (0, b"LZIP", FileKind("a file compressed with lzip", _UNPACK)),
    (0, b"\x5d\0\0", FileKind("a file compressed with lzma", _UNPACK)),
    (0, b"\x1f\x9d", FileKind("a file compressed with Unix compress", _UNPACK)),
    (0, b"PAR1", FileKind("a Parquet table", _OTHER_FORM)),
    (0, b"ARROW1", FileKind("an Arrow table", _OTHER_FORM)),
    (0, b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file", _OTHER_FORM)),
    (0, b"MATLAB ", FileKind("a MATLAB file", _OTHER_FORM)),
    (0, b"\x93NUMPY", FileKind("a NumPy array", _OTHER_FORM)),
    (0, b"version https://git-lfs.github.com/spec/", _GIT_LFS),
    *((0, bytes([0x80, protocol]), PICKLE) for protocol in range(2, 6)),
)
_MARKUP: Final = re.compile(rb"(\xef\xbb\xbf)?\s*<[!?a-zA-Z]")
_PLAIN_TEXT: Final = re.compile(rb"[\t\n\r -~]+")

_VERSIONS: Final = (  # names of folders and files that no other version has
    (r"cifar-10-batches-bin|(data_batch_[1-5]|test_batch)\.bin", "the binary version of CIFAR-10"),
    (r"cifar-10-batches-mat|(data_batch_[1-5]|test_batch)\.mat", "the MATLAB version of CIFAR-10"),
    (r"cifar-100-(python|binary|matlab)", "CIFAR-100"),
)


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


def recognise_version(names: Iterable[str]) -> FileKind | None:
    """Which other version of the data set, or its sibling, names of files and folders tell of."""
    names = list(names)
    for pattern, version in _VERSIONS:
        if any(re.fullmatch(pattern, name) for name in names):
            return FileKind(version, _OTHER_FORM)
    return None
