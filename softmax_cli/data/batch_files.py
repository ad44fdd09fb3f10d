"""The seven files of CIFAR-10 on disk: their names, where they lie, whether they are intact.

Sizes and MD5 sums are those that the archive's publisher, torchvision and CS231n agree on; SHA-256
sums were taken from those very files.
"""

import hashlib
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from softmax_cli.errors import DataError
from softmax_cli.paths import quoted

FOLDER: Final = "cifar-10-batches-py"
DOWNLOAD_HINT: Final = (
    "Run `softmax download` to fetch CIFAR-10, or `softmax download --from FILE_OR_DIR` if you "
    "have it somewhere. Synthetic images never stand in: data.dataset=synthetic asks for them."
)


@dataclass(frozen=True)
class BatchFile:
    """One file of the data set.

    Attributes:
        name: file name within `FOLDER`.
        size: length in bytes.
        md5: hex digest of the content, as published.
        sha256: hex digest of the content.
        images: how many images it holds; 0 for the file that holds the class names.
    """

    name: str
    size: int
    md5: str
    sha256: str
    images: int


CIFAR10_FILES: Final = (
    BatchFile(
        "data_batch_1",
        31_035_704,
        "c99cafc152244af753f735de768cd75f",
        "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
        10_000,
    ),
    BatchFile(
        "data_batch_2",
        31_035_320,
        "d4bba439e000b95fd0a9bffe97cbabec",
        "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
        10_000,
    ),
    BatchFile(
        "data_batch_3",
        31_035_999,
        "54ebc095f3ab1f0389bbae665268c751",
        "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
        10_000,
    ),
    BatchFile(
        "data_batch_4",
        31_035_696,
        "634d18415352ddfa80567beed471001a",
        "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
        10_000,
    ),
    BatchFile(
        "data_batch_5",
        31_035_623,
        "482c414d41f54cd18b22e5b47cb7c3cb",
        "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
        10_000,
    ),
    BatchFile(
        "test_batch",
        31_035_526,
        "40351d587109b95175f43aff81a1287e",
        "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
        10_000,
    ),
    BatchFile(
        "batches.meta",
        158,
        "5ff9c542aee3614f3951f8cda6e48888",
        "f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
        0,
    ),
)


@dataclass(frozen=True)
class Finding:
    """What `inspect_file` found out about one file.

    Attributes:
        name: file name.
        state: ``swapped`` is an intact file of the data set under another one's name;
            ``unreadable`` covers whatever the operating system refuses.
        detail: what was expected and what came, in a few words; empty if intact.
    """

    name: str
    state: Literal["intact", "missing", "truncated", "altered", "swapped", "unreadable"]
    detail: str = ""


def find_batches(data_dir: Path, files: Sequence[BatchFile] = CIFAR10_FILES) -> Path:
    """Find the folder of the batch files, without looking into them.

    Args:
        data_dir: folder that holds `FOLDER`, or that folder itself under any name.
        files: the files that tell the folder.

    Raises:
        DataError: if neither folder is there.
    """
    inside = data_dir / FOLDER
    if inside.is_dir():
        return inside
    if any((data_dir / file.name).is_file() for file in files):
        return data_dir
    if data_dir.is_file():
        raise DataError(
            f"expected a folder with CIFAR-10 in it, got the file {data_dir}",
            hint=f"Unpack it with `softmax download --from {quoted(data_dir)}`.",
        )
    raise DataError(f"CIFAR-10 not found: expected the folder {inside}", hint=DOWNLOAD_HINT)


def verify(data_dir: Path, files: Sequence[BatchFile] = CIFAR10_FILES) -> list[Finding]:
    """Check every file of the data set, byte for byte.

    Args:
        data_dir: as `find_batches` takes it.
        files: what should be there.

    Returns:
        One finding per file, in the order of ``files``.

    Raises:
        DataError: if there is no such folder.
    """
    folder = find_batches(data_dir, files)
    return [inspect_file(folder / file.name, file, files) for file in files]


def inspect_file(path: Path, file: BatchFile, files: Sequence[BatchFile]) -> Finding:
    """Find out whether the file at ``path`` is what it should be, and if not, what is wrong.

    Args:
        path: where the file should lie.
        file: what it should be.
        files: the whole data set, to recognise one file under another's name.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Finding(file.name, "unreadable", "expected a regular file")
        if status.st_size > 2 * file.size + 4096:
            return Finding(file.name, "altered", _sizes(file, status.st_size))
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return Finding(file.name, "missing", f"expected {file.size:,} bytes, got no file")
    except OSError as error:
        return Finding(file.name, "unreadable", error.strerror or str(error))
    if digest == file.sha256:
        return Finding(file.name, "intact")
    for other in files:
        if digest == other.sha256:
            return Finding(file.name, "swapped", f"expected {file.name}, got {other.name}")
    if status.st_size < file.size:
        return Finding(file.name, "truncated", _sizes(file, status.st_size))
    if status.st_size > file.size:
        return Finding(file.name, "altered", _sizes(file, status.st_size))
    return Finding(
        file.name, "altered", f"expected SHA-256 {file.sha256[:16]}…, got {digest[:16]}…"
    )


def not_intact(path: Path, finding: Finding) -> DataError:
    """The error that tells of one damaged or missing file."""
    return DataError(f"{path} is {finding.state}: {finding.detail}", hint=DOWNLOAD_HINT)


def _sizes(file: BatchFile, size: int) -> str:
    return f"expected {file.size:,} bytes, got {size:,}"
