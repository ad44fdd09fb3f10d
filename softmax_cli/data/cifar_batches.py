"""Read CIFAR's batches, of ten classes and of a hundred: pickles with pixels in their middle.

The pixels are read straight into their rows of the array, so that they are in memory once; only the
few bytes around them go through the unpickler. Hashing covers every byte all the same, and two
files are read at a time, because reading and hashing let go of the interpreter lock.
"""

import hashlib
import stat
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.dataset import DatasetSpec, Publication, PublishedFile, Split
from softmax_cli.data.dataset_files import find_folder, inspect_file, not_intact
from softmax_cli.data.images import PIXELS, ImageSet
from softmax_cli.data.unpickling import PickledArray, PickledDtype, unpickle
from softmax_cli.errors import DataError

_T = TypeVar("_T", int, bytes)

_HEAD_BYTES: Final = 64 << 10
_READ_BYTES: Final = 1 << 20  # read and hashed at a time, while it is in the cache
_BINSTRING: Final = b"T"
_EMPTY_STRING: Final = b"U\x00"
_BYTE_DTYPE: Final = PickledDtype(
    arguments=(b"u1", 0, 1), state=(3, b"|", None, None, None, -1, -1, 0)
)

_BATCH_KEYS: Final = ("batch_label", "data", "filenames")


@dataclass(frozen=True)
class BatchForm:
    """How the batches of a publication are made.

    Attributes:
        prefixes: how the names of the files of each split begin.
        labels: keys of the lists of labels, with the names of their classes.
        names: keys of the class names in the file without images, with the names.
        others: keys of what stands beside them there, with what it has to be; None for anything.
    """

    prefixes: Mapping[Split, str]
    labels: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]
    others: Mapping[str, object]


def cifar_dataset(name: str, publication: Publication, form: BatchForm, labels: str) -> DatasetSpec:
    """The data set that published batches are with one of their kinds of labels.

    Args:
        name: of the data set.
        publication: what it is made of.
        form: how its batches are made.
        labels: key of the labels.
    """
    return DatasetSpec(
        name=name,
        title=publication.title,
        class_names=form.labels[labels],
        training_images=50_000,
        load=partial(load_batches, publication=publication, form=form, labels=labels),
        publication=publication,
    )


def load_batches(
    data_dir: Path, split: Split, publication: Publication, form: BatchForm, labels: str
) -> ImageSet:
    """Load one split, reading and verifying only the files it needs.

    Args:
        data_dir: folder that holds the folder of the publication, as `find_folder` takes it.
        split: which split.
        publication: what the data set is made of.
        form: how its files are made.
        labels: key of the labels that are wanted.

    Returns:
        The images, file after file; the digest is a SHA-256 over the digests of the files, and over
        the key of the labels if there are others.

    Raises:
        DataError: if a file is missing, or is not byte for byte what it should be, or is no batch.
    """
    folder = find_folder(data_dir, publication)
    prefix = form.prefixes[split]
    batches = [file for file in publication.files if file.name.startswith(prefix)]
    names_file = next(file for file in publication.files if not file.examples)
    images = np.empty((sum(file.examples for file in batches), PIXELS), np.uint8)
    rows = np.split(images, np.cumsum([file.examples for file in batches])[:-1])

    def read(file: PublishedFile, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
        path = folder / file.name
        rest = _read_verified(path, file, publication, pixels)
        content = _parse_dict(rest, path, publication, {*form.labels, *_BATCH_KEYS})
        return _check_batch(content, file, path, form)[labels]

    nothing = np.empty(0, np.uint8)
    names = _read_verified(folder / names_file.name, names_file, publication, nothing)
    _check_class_names(names, folder / names_file.name, publication, form)
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = np.concatenate(list(pool.map(read, batches, rows)))
    identity = "".join(file.sha256 for file in (*batches, names_file))
    if len(form.labels) > 1:
        identity += labels
    digest = hashlib.sha256(identity.encode()).hexdigest()
    return ImageSet(images, found, form.labels[labels], digest)


def _read_verified(
    path: Path, file: PublishedFile, publication: Publication, pixels: NDArray[np.uint8]
) -> bytes:
    """Read the pixels into an array and return the pickle without them.

    Args:
        path: where the file lies.
        file: what it should be.
        publication: the whole data set, to recognise one file under another's name.
        pixels: C-contiguous; empty for a file without pixels.

    Raises:
        DataError: if the file is not byte for byte what it should be.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size == file.size:
            with path.open("rb", buffering=0) as stream:
                rest, digest = _read_around(stream, pixels, file.size)
            if digest == file.sha256:
                return rest
    except OSError:
        pass
    finding = inspect_file(path, file, publication)
    if finding.state == "intact":
        raise DataError(f"{path} is no batch of {file.examples:,} images, or changed while read")
    raise not_intact(path, finding, publication)


def _read_around(stream: FileIO, pixels: NDArray[np.uint8], size: int) -> tuple[bytes, str]:
    """Read a pickle of ``size`` bytes with its pixels aside; what is behind them is not read.

    Returns:
        The pickle with an empty string in place of the pixels, and the SHA-256 of all bytes read.
    """
    content = hashlib.sha256()
    # Before the pixels there can be no more than all that is no pixel.
    head = stream.read(max(size - pixels.size, _HEAD_BYTES))
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
    tail = stream.read(max(size - stream.tell(), 0))
    content.update(tail)
    return head[:begin] + _EMPTY_STRING + tail, content.hexdigest()


def _check_batch(
    content: Mapping[str, object], file: PublishedFile, path: Path, form: BatchForm
) -> dict[str, NDArray[np.int64]]:
    """Check all that stands around the pixels of a batch; return labels, (n,) int64, by key."""
    data = content["data"]
    state = (1, (file.examples, PIXELS), _BYTE_DTYPE, False, b"")
    if not isinstance(data, PickledArray) or data.state != state:
        raise DataError(f"{path}: expected pixels as ({file.examples}, {PIXELS}) bytes in C order")
    if not isinstance(content["batch_label"], bytes):
        raise DataError(f"{path}: batch_label: expected a string")
    _check_list(content["filenames"], bytes, file.examples, f"{path}: filenames")
    return {
        key: _check_labels(content[key], len(classes), file.examples, f"{path}: {key}")
        for key, classes in form.labels.items()
    }


def _check_labels(items: object, classes: int, length: int, what: str) -> NDArray[np.int64]:
    labels = _check_list(items, int, length, what)
    if not set(labels) <= set(range(classes)):
        raise DataError(f"{what}: expected labels from 0 to {classes - 1}, got others")
    return np.array(labels, np.int64)


def _check_class_names(rest: bytes, path: Path, publication: Publication, form: BatchForm) -> None:
    """See that the file of class names holds those that this package knows."""
    content = _parse_dict(rest, path, publication, {*form.names, *form.others})
    right = [
        *(content[key] == [name.encode() for name in names] for key, names in form.names.items()),
        *(value in (None, content[key]) for key, value in form.others.items()),
    ]
    if not all(right):
        raise DataError(f"{path}: expected the class names of {publication.title}")


def _parse_dict(
    rest: bytes, path: Path, publication: Publication, keys: set[str]
) -> dict[str, object]:
    content = unpickle(rest, str(path), publication.title)
    if not isinstance(content, dict) or content.keys() != {key.encode() for key in keys}:
        raise DataError(f"{path}: expected a dict of {', '.join(sorted(keys))}")
    return {key.decode(): value for key, value in content.items()}


def _check_list(items: object, kind: type[_T], length: int, what: str) -> list[_T]:
    if not isinstance(items, list) or {type(item) for item in items} != {kind}:
        raise DataError(f"{what}: expected a list of {kind.__name__}")
    if len(items) != length:
        raise DataError(f"{what}: expected {length:,}, got {len(items):,}")
    return items
