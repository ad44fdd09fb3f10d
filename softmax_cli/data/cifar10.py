"""Load CIFAR-10: verified files in, arrays out, for little more than the cost of reading the bytes.

A batch is a pickle with 30 MB of pixels in its middle. The pixels are read straight into their
rows of the array, so that they are in memory once; only the 0.3 MB around them go through the
unpickler. Hashing covers every byte all the same, and two files are read at a time, because reading
and hashing let go of the interpreter lock.
"""

import hashlib
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.batch_files import (
    CIFAR10_FILES,
    BatchFile,
    find_batches,
    inspect_file,
    not_intact,
)
from softmax_cli.data.images import CLASS_NAMES, PIXELS, ImageSet
from softmax_cli.data.unpickling import MAX_PICKLE_BYTES, PickledArray, PickledDtype, unpickle
from softmax_cli.errors import DataError

_T = TypeVar("_T", int, bytes)

_HEAD_BYTES: Final = 64 << 10  # the pixels begin some 20 kB into a batch
_READ_BYTES: Final = 1 << 20  # read and hashed at a time, while it is in the cache
_BINSTRING: Final = b"T"
_EMPTY_STRING: Final = b"U\x00"
_BYTE_DTYPE: Final = PickledDtype(
    arguments=(b"u1", 0, 1), state=(3, b"|", None, None, None, -1, -1, 0)
)


def load_cifar10(
    data_dir: Path,
    split: Literal["train", "test"],
    files: Sequence[BatchFile] = CIFAR10_FILES,
) -> ImageSet:
    """Load one split, reading and verifying only the files it needs.

    Args:
        data_dir: folder that holds ``cifar-10-batches-py/``, as `find_batches` takes it.
        split: the training files in their order, or the test file.
        files: what the data set is made of.

    Returns:
        The images; the digest is a SHA-256 over the digests of the files.

    Raises:
        DataError: if a file is missing, or is not byte for byte what it should be, or is no batch.
    """
    folder = find_batches(data_dir, files)
    prefix = "data_batch" if split == "train" else "test_batch"
    batches = [file for file in files if file.name.startswith(prefix)]
    names_file = next(file for file in files if not file.images)
    images = np.empty((sum(file.images for file in batches), PIXELS), np.uint8)
    rows = np.split(images, np.cumsum([file.images for file in batches])[:-1])

    def read(file: BatchFile, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
        rest = _read_verified(folder / file.name, file, files, pixels)
        return _parse_batch(rest, file, folder / file.name)

    nothing = np.empty(0, np.uint8)
    names = _read_verified(folder / names_file.name, names_file, files, nothing)
    class_names = _parse_class_names(names, folder / names_file.name)
    with ThreadPoolExecutor(max_workers=2) as pool:
        labels = np.concatenate(list(pool.map(read, batches, rows)))
    digests = "".join(file.sha256 for file in (*batches, names_file))
    return ImageSet(images, labels, class_names, hashlib.sha256(digests.encode()).hexdigest())


def _read_verified(
    path: Path, file: BatchFile, files: Sequence[BatchFile], pixels: NDArray[np.uint8]
) -> bytes:
    """Read the pixels into an array and return the pickle without them.

    Args:
        path: where the file lies.
        file: what it should be.
        files: the whole data set, to recognise one file under another's name.
        pixels: C-contiguous; empty for a file without pixels.

    Raises:
        DataError: if the file is not byte for byte what it should be.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size == file.size:
            with path.open("rb", buffering=0) as stream:
                rest, digest = _read_around(stream, pixels)
            if digest == file.sha256:
                return rest
    except OSError:
        pass
    finding = inspect_file(path, file, files)
    if finding.state == "intact":
        raise DataError(f"{path} is no batch of {file.images:,} images, or changed while read")
    raise not_intact(path, finding)


def _read_around(stream: FileIO, pixels: NDArray[np.uint8]) -> tuple[bytes, str]:
    """Read a pickle with its pixels aside.

    Returns:
        The pickle with an empty string in place of the pixels, and the SHA-256 of all bytes read.
    """
    content = hashlib.sha256()
    head = stream.read(_HEAD_BYTES)
    opening = _BINSTRING + pixels.size.to_bytes(4, "little")
    begin = head.find(opening) if pixels.size else -1
    if begin < 0:
        content.update(head)
        return head, content.hexdigest()

    content.update(head[: begin + len(opening)])
    stream.seek(begin + len(opening))
    memory = pixels.reshape(-1)
    for start in range(0, len(memory), _READ_BYTES):
        part = memory[start : start + _READ_BYTES]
        stream.readinto(part.data)
        content.update(part.data)
    tail = stream.read(MAX_PICKLE_BYTES)
    content.update(tail)
    return head[:begin] + _EMPTY_STRING + tail, content.hexdigest()


def _parse_batch(rest: bytes, file: BatchFile, path: Path) -> NDArray[np.int64]:
    """Check all that stands around the pixels of a batch, and return the labels, (n,) int64."""
    content = _parse_dict(rest, path, {b"batch_label", b"labels", b"data", b"filenames"})
    data = content[b"data"]
    state = (1, (file.images, PIXELS), _BYTE_DTYPE, False, b"")
    if not isinstance(data, PickledArray) or data.state != state:
        raise DataError(f"{path}: expected pixels as ({file.images}, {PIXELS}) bytes in C order")
    if not isinstance(content[b"batch_label"], bytes):
        raise DataError(f"{path}: batch_label: expected a string")
    _check_list(content[b"filenames"], bytes, file.images, f"{path}: filenames")
    labels = _check_list(content[b"labels"], int, file.images, f"{path}: labels")
    if not set(labels) <= set(range(len(CLASS_NAMES))):
        raise DataError(f"{path}: expected labels from 0 to {len(CLASS_NAMES) - 1}, got others")
    return np.array(labels, np.int64)


def _parse_class_names(rest: bytes, path: Path) -> tuple[str, ...]:
    """Check the file of class names, which must be those that this package knows."""
    content = _parse_dict(rest, path, {b"num_cases_per_batch", b"label_names", b"num_vis"})
    expected = [name.encode() for name in CLASS_NAMES]
    if content[b"label_names"] != expected or content[b"num_vis"] != PIXELS:
        raise DataError(f"{path}: expected {PIXELS} values per image and CIFAR-10's class names")
    return CLASS_NAMES


def _parse_dict(rest: bytes, path: Path, keys: set[bytes]) -> dict[bytes, object]:
    content = unpickle(rest, str(path))
    if not isinstance(content, dict) or content.keys() != keys:
        names = ", ".join(sorted(key.decode() for key in keys))
        raise DataError(f"{path}: expected a dict of {names}")
    return content


def _check_list(items: object, kind: type[_T], length: int, what: str) -> list[_T]:
    if not isinstance(items, list) or {type(item) for item in items} != {kind}:
        raise DataError(f"{what}: expected a list of {kind.__name__}")
    if len(items) != length:
        raise DataError(f"{what}: expected {length:,}, got {len(items):,}")
    return items
