"""Features and labels in files that other programs have written: ``.npy``, ``.npz``, safetensors.

Nothing is unpickled. An array is mapped into memory where it lies in its file as it is: in a
``.npy`` file, in a ``.npz`` file that is not compressed, and in a safetensors file. Only what is
touched is then read, and the system may drop it again.
"""

import json
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.array_files import (
    DAMAGED_ARCHIVE,
    DAMAGED_HEADER,
    array_name,
    read_header,
)
from softmax_cli.data.file_kinds import START_BYTES, recognise
from softmax_cli.errors import DataError

FEATURE_NAMES: Final = ("features", "X", "x")
LABEL_NAMES: Final = ("labels", "y")
CLASS_NAMES: Final = "class_names"
ACCEPTED: Final = (
    "a .npz or .safetensors file with arrays named features and labels (or X and y, or x and y)"
)

_T = TypeVar("_T")

_READ_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 4 << 20
_LOCAL_HEADER_BYTES: Final = 30  # of a member of a ZIP archive, before its name; APPNOTE.TXT 4.3.7
_DTYPES: Final[dict[str, str]] = {
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
}
"""Types of safetensors that numpy has, too."""


@dataclass(frozen=True)
class StoredArray:
    """An array in a file.

    Attributes:
        read: reads it, or maps it into memory.
        shape: finds its shape, from its header alone.
    """

    read: Callable[[], NDArray[Any]]
    shape: Callable[[], tuple[int, ...]]


@dataclass(frozen=True)
class ArrayFile:
    """The arrays of a file, none of them read yet.

    Attributes:
        path: of the file.
        arrays: by name; a ``.npy`` file has one, which has no name.
        class_names: those that the file states, if any.
    """

    path: Path
    arrays: Mapping[str, StoredArray]
    class_names: tuple[str, ...] | None = None

    def find(self, *names: str) -> NDArray[Any]:
        """The array that has one of some names, or the only one of a ``.npy`` file.

        Raises:
            DataError: there is none, or there are several, or it is not intact.
        """
        return self._only(names).read()

    def shape_of(self, *names: str) -> tuple[int, ...]:
        """The shape of the array that :meth:`find` would read; its numbers are not read.

        Raises:
            DataError: as :meth:`find`, as far as the header of the array tells.
        """
        return self._only(names).shape()

    def _only(self, names: Sequence[str]) -> StoredArray:
        found = [name for name in ("", *names) if name in self.arrays]
        if len(found) != 1:
            held = ", ".join(found or self.arrays) or "none"
            expected = "one array" if found else "an array"
            raise DataError(
                f"{self.path}: expected {expected} named {' or '.join(names)}, got {held}"
            )
        return self.arrays[found[0]]


def open_array_file(path: Path) -> ArrayFile:
    """Look which arrays are in a file.

    Raises:
        DataError: it is missing, is of another kind, or is not intact.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(START_BYTES)
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror or error}",
            hint="A relative path starts in the folder in which the command is run. A file that is "
            "not there is looked for under its name in data.dir.",
        ) from error
    if start.startswith(np.lib.format.MAGIC_PREFIX):
        return ArrayFile(path, {"": _mappable(lambda: _mapped(path, 0, path.name))})
    if start.startswith(b"PK"):
        return _open_archive(path)
    if path.suffix.lower() == ".safetensors":
        return _open_safetensors(path)
    kind = recognise(start)
    got = kind.name if kind else "something else"
    raise DataError(f"{path}: expected a .npy, .npz or .safetensors file, got {got}")


def _mappable(read: Callable[[], NDArray[Any]]) -> StoredArray:
    """An array that is mapped, of which nothing is read for its shape."""
    return StoredArray(read, lambda: read().shape)


def _mapped(path: Path, offset: int, what: str) -> NDArray[Any]:
    """Map the array in the form of ``.npy`` that begins at an offset of a file."""
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            header = read_header(stream)
            begin = stream.tell()
        _refuse_objects(header.dtype, path, what)
        order = "F" if header.is_fortran else "C"
        return _map(path, header.dtype, begin, header.shape, order)
    except (*DAMAGED_HEADER, OSError) as error:
        raise DataError(f"{path}: {what} is not an intact array: {error}") from error


def _map(
    path: Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...], order: Any = "C"
) -> NDArray[Any]:
    if 0 in shape:  # nothing can be mapped
        return np.empty(shape, dtype)
    # As a plain array: each slice of a np.memmap costs more than the slice of an array.
    return np.asarray(np.memmap(path, dtype, "r", offset, shape, order))


def _refuse_objects(dtype: np.dtype[Any], path: Path, what: str) -> None:
    if dtype.hasobject:
        raise DataError(
            f"{path}: {what} holds Python objects, which are never unpickled",
            hint="Save plain numbers, and labels or class names that are text as an array of text: "
            "np.array(labels, dtype=str).",
        )


def _open_archive(path: Path) -> ArrayFile:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {array_name(info.filename): info for info in archive.infolist()}
    except DAMAGED_ARCHIVE as error:
        raise _damaged_archive(path, error) from error
    arrays = {name: _member(path, name, info) for name, info in members.items()}
    names = arrays.pop(CLASS_NAMES, None)
    return ArrayFile(path, arrays, _class_names(names.read(), path) if names else None)


def _member(path: Path, name: str, info: zipfile.ZipInfo) -> StoredArray:
    def reading(look: Callable[[Path, str, zipfile.ZipInfo], _T]) -> Callable[[], _T]:
        def read() -> _T:
            try:
                return look(path, name, info)
            except DAMAGED_ARCHIVE as error:
                raise _damaged_archive(path, error) from error

        return read

    return StoredArray(reading(_array_in), reading(_shape_in))


def _shape_in(path: Path, _: str, info: zipfile.ZipInfo) -> tuple[int, ...]:
    with zipfile.ZipFile(path) as archive, archive.open(info) as stream:
        return read_header(stream).shape


def _array_in(path: Path, name: str, info: zipfile.ZipInfo) -> NDArray[Any]:
    with zipfile.ZipFile(path) as archive, archive.open(info) as stream:
        if info.compress_type != zipfile.ZIP_STORED:
            _refuse_objects(read_header(stream).dtype, path, name)
            stream.seek(0)
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return array
        while stream.read(_READ_BYTES):  # at its end the checksum is compared
            pass
    with path.open("rb") as stream:
        stream.seek(info.header_offset)
        local = stream.read(_LOCAL_HEADER_BYTES)
    # The lengths of the name and of what follows it, before the content.
    lengths = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    return _mapped(path, info.header_offset + _LOCAL_HEADER_BYTES + lengths, name)


def _damaged_archive(path: Path, error: BaseException) -> DataError:
    return DataError(f"{path}: not an intact .npz file: {error}")


def _class_names(names: NDArray[Any], path: Path) -> tuple[str, ...]:
    if names.dtype.kind not in "US" or names.ndim != 1:
        raise DataError(
            f"{path}: expected {CLASS_NAMES} as text of shape (C,), "
            f"got {names.dtype} of shape {names.shape}"
        )
    return tuple(text_of(names).tolist())


def text_of(array: NDArray[Any]) -> NDArray[np.str_]:
    """Text of an array of text or of bytes.

    Raises:
        ValueError: bytes are no UTF-8.
    """
    return array if array.dtype.kind == "U" else np.char.decode(array, "utf-8")


def _open_safetensors(path: Path) -> ArrayFile:
    from safetensors import SafetensorError, safe_open

    try:
        # This checks the header, and that the file has the length that it states.
        with safe_open(path, framework="numpy") as file:
            names, metadata = list(file.keys()), file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path}: not an intact safetensors file: {error}") from error
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(length))
    arrays = {name: _tensor(path, name, header[name], 8 + length) for name in names}
    return ArrayFile(path, arrays, _stated_names(metadata.get(CLASS_NAMES), path))


def _tensor(path: Path, name: str, entry: Mapping[str, Any], begin: int) -> StoredArray:
    def read() -> NDArray[Any]:
        if entry["dtype"] not in _DTYPES:
            raise DataError(
                f"{path}: expected {name} as one of {', '.join(_DTYPES)}, got {entry['dtype']}"
            )
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        return _map(path, dtype, begin + entry["data_offsets"][0], tuple(entry["shape"]))

    return _mappable(read)


def _stated_names(text: str | None, path: Path) -> tuple[str, ...] | None:
    if text is None:
        return None
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path}: expected {CLASS_NAMES} in its metadata as a JSON list of texts")
    return tuple(names)


def check_features(features: NDArray[Any], path: Path) -> None:
    """See that an array can be features.

    Raises:
        DataError: with what was expected.
    """
    if features.dtype not in (np.uint8, np.float16, np.float32, np.float64) or features.ndim != 2:
        raise DataError(
            f"{path}: expected features (n, D) as float16, float32, float64 or uint8, "
            f"got {features.dtype} of shape {features.shape}"
        )
    if math.prod(features.shape) == 0:
        raise DataError(f"{path}: expected at least one row and one column, got {features.shape}")


def in_row_order(array: NDArray[Any]) -> NDArray[Any]:
    """An array whose rows lie one after another in this machine's byte order; a copy if need be."""
    native = array.dtype.newbyteorder("=")
    return np.require(array, native, "C")


def row_chunks(rows: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Some rows at a time, each time with the index of the first one."""
    size = max(1, _CHUNK_BYTES // rows[:1].nbytes)
    for start in range(0, len(rows), size):
        yield start, rows[start : start + size]


def check_finite(rows: NDArray[Any], start: int, path: Path) -> None:
    """See that numbers are finite, as float32, too.

    Args:
        rows: (n, D).
        start: index of the first one in its file, for the message.
        path: of that file.

    Raises:
        DataError: one is not; its row is named.
    """
    if rows.dtype == np.uint8:
        return
    with np.errstate(over="ignore"):  # what is too large becomes infinite
        finite = np.isfinite(rows if rows.itemsize <= 4 else rows.astype(np.float32))
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise DataError(
            f"{path}: expected finite numbers within the range of float32, "
            f"got {rows[row, column]} in row {start + row}, column {column}",
            hint="Rows and columns count from 0.",
        )
