"""Safetensors files with a seal: the container of models and checkpoints.

A sealed file is an ordinary safetensors file. Its metadata has one entry, ``softmax``, whose value
is the JSON text::

    {"sha256": "<64 hexadecimal digits>", "kind": "model", "format_version": 1, "document": {...}}

``sha256`` is the digest of the whole file, header and tensors, with those 64 digits set to zero.
The digits stand at a fixed place, so the seal is checked before anything else is believed. The same
content always gives the same bytes. Reading trusts no size that the file states: it
takes the memory of the file plus what a header of the format's greatest length can need.

The version of softmax that wrote a file stands in the document as ``softmax_version``, within the
mapping ``noted_in`` of its format: versions that did not write it yet read the file all the same. A
format to come states it in the envelope, where it is looked for first.
"""

import hashlib
import json
import math
import os
import reprlib
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from softmax_cli import __version__
from softmax_cli.errors import IntegrityError
from softmax_cli.runs.atomic import replacing
from softmax_cli.runs.versions import other_format, stated_version

_VERSION_KEY = "softmax_version"
_ENTRY = "softmax"
_LENGTH_BYTES = 8  # a safetensors file starts with its header's length, little-endian
_PREAMBLE = b'{"__metadata__":{"softmax":"{\\"sha256\\":\\"'
_DIGEST_DIGITS = 64
_BLANK_DIGEST = "0" * _DIGEST_DIGITS
_DIGEST_START = _LENGTH_BYTES + len(_PREAMBLE)
_DIGEST_END = _DIGEST_START + _DIGEST_DIGITS
_DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "U64": np.dtype("<u8"),
    "I32": np.dtype("<i4"),
    "U32": np.dtype("<u4"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}

_TENSOR_KEYS = {"dtype", "shape", "data_offsets"}
_MAX_DIMENSIONS = 8
_MAX_REASON = 200

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class SealedFormat:
    """One kind of sealed file.

    Attributes:
        kind: what such a file holds, as it is called in messages.
        version: the version of its layout that this program writes.
        reads: the versions that it reads; empty stands for that one alone.
        error: raised when a file is missing or not intact.
        header_limit: greatest length of a header in bytes. Parsing takes up to forty times as much.
        allows_non_finite: whether the document may hold NaN and infinities.
        noted_in: the mapping in the document that also holds the version of softmax.
    """

    kind: str
    version: int
    error: type[IntegrityError]
    header_limit: int
    allows_non_finite: bool
    noted_in: str
    reads: tuple[int, ...] = ()


def write_sealed(
    path: Path, form: SealedFormat, *, tensors: Mapping[str, NDArray[Any]], document: dict[str, Any]
) -> None:
    """Write ``tensors`` and ``document`` to ``path`` as one sealed file, atomically.

    Args:
        path: the file to create or replace.
        form: the kind of file.
        tensors: arrays of any memory order; they are stored in C order and little-endian.
        document: JSON values. The order of its keys is kept.

    Raises:
        IntegrityError: of the class ``form.error``, if the content does not fit the format.
        OSError: writing failed; what was at ``path`` is still there.
    """
    try:
        text = _envelope_text(form, _with_version(form, document), _BLANK_DIGEST)
    except ValueError as error:
        raise form.error(f"a {form.kind} cannot hold these settings: {error}") from error
    storable = {name: _storable(form, name, array) for name, array in tensors.items()}
    data = memoryview(save(storable, metadata={_ENTRY: text}))
    header_length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if header_length > form.header_limit:
        raise form.error(
            f"expected at most {form.header_limit} bytes of settings and names in a {form.kind}, "
            f"got {header_length}"
        )
    with replacing(path) as stream:
        stream.write(data[:_DIGEST_START])
        stream.write(_digest(data).encode())
        stream.write(data[_DIGEST_END:])


def read_sealed(path: Path, form: SealedFormat) -> tuple[Tensors, dict[str, Any]]:
    """Read a file that :func:`write_sealed` wrote.

    Args:
        path: the file; a symbolic link is followed.
        form: the kind of file that is expected.

    Returns:
        The tensors by name, writable, and the document.

    Raises:
        IntegrityError: of the class ``form.error``: there is no such file, it cannot be read, is
            not intact, of another kind or of another version.
    """
    try:
        return unseal(_read_file(path, form), form)
    except FileNotFoundError as error:
        raise form.error(f"no {form.kind} at {path}") from error
    except OSError as error:
        raise form.error(f"cannot read the {form.kind} {path}: {error.strerror}") from error
    except MemoryError as error:
        raise form.error(f"cannot read the {form.kind} {path}: not enough memory") from error
    except IntegrityError as error:
        raise form.error(f"{path}: {error.message}", hint=error.hint) from error


def unseal(data: NDArray[np.uint8], form: SealedFormat) -> tuple[Tensors, dict[str, Any]]:
    """Check the bytes of a sealed file and take it apart, without copying the tensors.

    Args:
        data: the whole file, shape ``(size,)``.
        form: the kind of file that is expected.

    Returns:
        The tensors by name, views of ``data``, and the document.

    Raises:
        IntegrityError: of the class ``form.error``: the bytes are no intact file of this kind and
            version.
    """
    view = data.data
    header_end = _check_start(bytes(view[:_DIGEST_END]), len(data), form)
    digest = _check_seal(view, form)
    try:
        header = _parse_object(bytes(view[_LENGTH_BYTES:header_end]))
        document = _open_envelope(header.pop("__metadata__"), form, digest)
        return _views(header, data[header_end:]), document
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        reason = str(error)[:_MAX_REASON]
        raise form.error(f"not a valid {form.kind}: its header is malformed ({reason})") from error


def _read_file(path: Path, form: SealedFormat) -> NDArray[np.uint8]:
    with open(path, "rb", opener=_open_without_waiting) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise form.error("expected a regular file, got a pipe or a device")
        start = stream.read(_DIGEST_END)
        _check_start(start, status.st_size, form)
        data = np.empty(status.st_size, np.uint8)
        data[: len(start)] = np.frombuffer(start, np.uint8)
        length = len(start) + stream.readinto(data.data[len(start) :])
    return data[:length]


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; unlike a plain open, do not wait for a writer to a named pipe."""
    if sys.platform != "win32":  # where files have no pipes among them
        flags |= os.O_NONBLOCK
    return os.open(path, flags)


def _check_start(start: bytes, size: int, form: SealedFormat) -> int:
    """Find where the header ends, and whether a file of ``size`` bytes can hold it."""
    if size == 0:
        raise form.error(f"expected a {form.kind}, got an empty file")
    if not _PREAMBLE.startswith(start[_LENGTH_BYTES:_DIGEST_START]):
        raise form.error(f"not a {form.kind} that softmax wrote")
    header_end = _LENGTH_BYTES + int.from_bytes(start[:_LENGTH_BYTES], "little")
    if len(start) < _DIGEST_END or header_end > size:
        raise form.error(f"cut short: {size} bytes do not hold the header it announces")
    if not _DIGEST_END < header_end <= _LENGTH_BYTES + form.header_limit:
        raise form.error(f"expected at most {form.header_limit} bytes of header, got {header_end}")
    return header_end


def _check_seal(view: memoryview, form: SealedFormat) -> str:
    """The checksum of the file, which is the one it states."""
    stated = bytes(view[_DIGEST_START:_DIGEST_END])
    actual = _digest(view)
    if stated != actual.encode():
        shown = stated[:12].decode("ascii", "backslashreplace")
        raise form.error(
            f"damaged or altered: it states the checksum {shown!r}..., "
            f"its contents have {actual[:12]!r}..."
        )
    return actual


def _digest(view: memoryview) -> str:
    """SHA-256 of a whole file with the digits of its seal set to zero, in lowercase hexadecimal."""
    digest = hashlib.sha256(view[:_DIGEST_START])
    digest.update(_BLANK_DIGEST.encode())
    digest.update(view[_DIGEST_END:])
    return digest.hexdigest()


def _envelope_text(
    form: SealedFormat, document: dict[str, Any], digest: str, version: int | None = None
) -> str:
    envelope = {
        "sha256": digest,
        "kind": form.kind,
        "format_version": version or form.version,
        "document": document,
    }
    text = json.dumps(
        envelope, ensure_ascii=False, allow_nan=form.allows_non_finite, separators=(",", ":")
    )
    text.encode("utf-8")  # fails on half a surrogate pair, which can be neither stored nor shown
    return text


def _open_envelope(metadata: dict[str, str], form: SealedFormat, digest: str) -> dict[str, Any]:
    text = metadata.pop(_ENTRY)
    envelope = json.loads(text)
    kind, version = envelope["kind"], envelope["format_version"]
    document = envelope["document"]
    if kind != form.kind:
        raise form.error(f"expected a {form.kind}, got a {reprlib.repr(kind)}")
    if version not in (form.reads or (form.version,)):
        found = version if type(version) is int else reprlib.repr(version)
        message, hint = other_format(found, form.version, _written_by(form, envelope))
        raise form.error(message, hint=hint)
    # One content has one text: this refuses repeated or further keys and odd spellings of numbers.
    is_canonical = type(version) is int and text == _envelope_text(form, document, digest, version)
    if metadata or not is_canonical or not isinstance(document, dict):
        raise ValueError("its settings are not as softmax writes them")
    _noted(form, document).pop(_VERSION_KEY, None)
    return document


def _with_version(form: SealedFormat, document: dict[str, Any]) -> dict[str, Any]:
    if form.noted_in not in document:
        return document
    return {**document, form.noted_in: {**document[form.noted_in], _VERSION_KEY: __version__}}


def _noted(form: SealedFormat, document: object) -> dict[str, Any]:
    """The mapping that may hold the version of softmax; an empty one where there is none."""
    noted = document.get(form.noted_in) if isinstance(document, dict) else None
    return noted if isinstance(noted, dict) else {}


def _written_by(form: SealedFormat, envelope: dict[str, Any]) -> str | None:
    """The version of softmax that wrote a file, of whatever format."""
    noted = _noted(form, envelope.get("document"))
    return stated_version(envelope.get(_VERSION_KEY)) or stated_version(noted.get(_VERSION_KEY))


def _parse_object(text: bytes) -> dict[str, Any]:
    document = json.loads(text.decode("utf-8"), object_pairs_hook=_without_repetition)
    if not isinstance(document, dict):
        raise TypeError("expected a mapping")
    return document


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice")
    return document


def _storable(form: SealedFormat, name: str, array: NDArray[Any]) -> NDArray[Any]:
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _DTYPES.values():
        raise form.error(f"a {form.kind} cannot hold {name}: its dtype is {array.dtype}")
    return np.asarray(array, dtype=dtype, order="C")


def _views(header: dict[str, Any], data: NDArray[np.uint8]) -> Tensors:
    """Make the tensors that ``header`` describes out of ``data``, which they must cover exactly."""
    position = 0
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        name.encode("utf-8")  # fails on half a surrogate pair, which other readers refuse
        if entry.keys() != _TENSOR_KEYS:
            raise ValueError(f"{reprlib.repr(name)} is not described as a tensor")
        begin, end = entry["data_offsets"]
        dtype, shape = _DTYPES[entry["dtype"]], entry["shape"]
        if len(shape) > _MAX_DIMENSIONS:
            raise ValueError(f"{reprlib.repr(name)} has {len(shape)} dimensions")
        if not all(type(size) is int and size >= 0 for size in (begin, end, *shape)):
            raise ValueError("sizes must be whole numbers")
        if begin != position or end > len(data) or end - begin != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"the place of {reprlib.repr(name)} does not fit its shape")
        tensors[name] = _view(data[begin:end], dtype).reshape(shape)
        position = end
    if position != len(data):
        raise ValueError(f"its tensors take {position} bytes, the file has {len(data)}")
    return tensors


def _view(data: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype == np.bool_ and data.max(initial=0) > 1:
        raise ValueError("a truth value is neither 0 nor 1")
    return data.view(dtype)
