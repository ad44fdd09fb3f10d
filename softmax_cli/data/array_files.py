"""Images that lie as arrays in files of numpy, read in parts: they may be larger than memory.

Nothing is unpickled. Of a ``.npz`` file the one array that holds images is read as it is unpacked.
"""

import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.images import rows_from_pictures
from softmax_cli.errors import DataError

_SHAPE = (32, 32, 3)
# What numpy and zipfile stumble over.
DAMAGED_HEADER = (EOFError, SyntaxError, ValueError, tokenize.TokenError)
DAMAGED_ARCHIVE = (
    *(EOFError, OSError, RuntimeError, ValueError),
    *(lzma.LZMAError, struct.error, zipfile.BadZipFile, zlib.error),
)
_EXPECTED = f"uint8 of shape (N, {', '.join(map(str, _SHAPE))})"


def read_image_arrays(path: str, size: int) -> Iterator[NDArray[np.uint8]]:
    """Read the images of a ``.npy`` or ``.npz`` file, ``size`` at a time.

    Yields:
        Rows, (n, 3072) uint8, channel-major.

    Raises:
        DataError: the file holds no array of images, (N, 32, 32, 3) uint8, or more than one, or is
            damaged. The images before the damage have been yielded.
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as stream:
        head = stream.read(len(np.lib.format.MAGIC_PREFIX))
    is_archive = head.startswith(b"PK") or (
        path.lower().endswith(".npz") and head != np.lib.format.MAGIC_PREFIX
    )
    for images in (_unpacked if is_archive else _mapped)(path, size):
        yield rows_from_pictures(images)


def _mapped(path: str, size: int) -> Iterator[NDArray[np.uint8]]:
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except DAMAGED_HEADER as error:
        raise DataError(f"not a .npy file of plain numbers: {error}") from error
    if images.dtype != np.uint8 or images.shape[1:] != _SHAPE:
        raise DataError(f"expected {_EXPECTED}, got {images.dtype} of shape {images.shape}")
    for start in range(0, len(images), size):
        yield np.asarray(images[start : start + size])


@dataclass(frozen=True)
class Header:
    """What an array is, as its file says in front of it.

    Attributes:
        shape: of the array.
        is_fortran: whether its first index changes fastest.
        dtype: of its numbers.
    """

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[np.generic]

    def __str__(self) -> str:
        order = " in Fortran order" if self.is_fortran else ""
        return f"{self.dtype} of shape {self.shape}{order}"


def _unpacked(path: str, size: int) -> Iterator[NDArray[np.uint8]]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _images_in(archive, size)
    except DAMAGED_ARCHIVE as error:
        raise DataError(f"not an intact .npz file: {error}") from error


def _images_in(archive: zipfile.ZipFile, size: int) -> Iterator[NDArray[np.uint8]]:
    name = _only_images({name: _header_in(archive, name) for name in archive.namelist()})
    with archive.open(name) as stream:
        count = read_header(stream).shape[0]
        for start in range(0, count, size):
            shape = (min(size, count - start), *_SHAPE)
            data = stream.read(math.prod(shape))
            if len(data) < math.prod(shape):
                raise EOFError(f"{name} holds fewer than {count} images")
            yield np.frombuffer(data, np.uint8).reshape(shape)
        # At the end of the stream its checksum is compared.
        if stream.read(1):
            raise ValueError(f"{name} holds more than {count} images")


def _only_images(headers: Mapping[str, Header | None]) -> str:
    """The name of the one array that holds images."""
    names = [name for name, header in headers.items() if header and _is_images(header)]
    if len(names) > 1:
        listed = ", ".join(map(array_name, names))
        raise DataError(f"several arrays of images ({listed}): save one of them as a .npy file")
    if not names:
        found = [f"{array_name(name)}: {header or 'no array'}" for name, header in headers.items()]
        raise DataError(f"expected one array, {_EXPECTED}, got {', '.join(found) or 'none'}")
    return names[0]


def _header_in(archive: zipfile.ZipFile, name: str) -> Header | None:
    try:
        with archive.open(name) as stream:
            return read_header(stream)
    except DAMAGED_HEADER:
        return None


def read_header(stream: IO[bytes]) -> Header:
    """What the array is that begins at the place of a stream, in the form of ``.npy``.

    Raises:
        ValueError: no array of plain numbers or text begins there.
    """
    # Later versions are for headers of 64 kB and more, which plain arrays do not need.
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("not an array of plain numbers")
    return Header(*np.lib.format.read_array_header_1_0(stream))


def _is_images(header: Header) -> bool:
    is_image = header.dtype == np.uint8 and header.shape[1:] == _SHAPE
    return is_image and not header.is_fortran


def array_name(member: str) -> str:
    """The name of an array, from that of its member of a ``.npz`` file."""
    return member.removesuffix(".npy")
