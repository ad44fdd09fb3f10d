"""The seven files of CIFAR-10 on disk: their names, where they lie, whether they are intact.

What is found in their place is named, so that nobody takes it for damage.

Sizes and MD5 sums are those that the archive's publisher, torchvision and CS231n agree on; SHA-256
sums were taken from those very files.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from softmax_cli.data.file_kinds import (
    PICKLE,
    READABLE,
    START_BYTES,
    FileKind,
    recognise,
    recognise_version,
)
from softmax_cli.errors import DataError
from softmax_cli.runs.shell import quoted

FOLDER: Final = "cifar-10-batches-py"
IMPORT_HINT: Final = (
    "Fetch it with `softmax download`, or give the official cifar-10-python.tar.gz, or a folder of "
    "its batch files, to --from."
)
_ARCHIVE_STEMS: Final = ("cifar-10-python.", f"{FOLDER}.")
_USUAL_DATA_DIR: Final = Path("data")
_MAX_DEPTH: Final = 2  # folders between the one that is named and the one that holds the data set
_MAX_ENTRIES: Final = 1_000  # looked at on each level


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
        state: ``swapped`` is an intact file of the data set under another one's name; ``foreign``
            is a file of another kind; ``unreadable`` covers whatever the operating system refuses.
        detail: what was expected and what came, in a few words; empty if intact.
        advice: what to do with a foreign file; empty for any other.
    """

    name: str
    state: Literal["intact", "missing", "truncated", "altered", "swapped", "foreign", "unreadable"]
    detail: str = ""
    advice: str = ""


def find_batches(
    data_dir: Path,
    files: Sequence[BatchFile] = CIFAR10_FILES,
    *,
    option: Literal["--data-dir", "--from"] = "--data-dir",
) -> Path:
    """Find the folder of the batch files, without looking into them.

    Args:
        data_dir: folder that holds `FOLDER`, or that folder itself under any name; it may also lie
            one or two folders deeper.
        files: the files that tell the folder.
        option: with what the user names another place.

    Raises:
        DataError: if there is no such folder, or there are several and no way to choose.
    """
    if data_dir.is_file():
        raise _file_in_place_of_folder(data_dir, files)
    found = search_batches(data_dir, files)
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"expected CIFAR-10 once below {data_dir}, found it in {', '.join(map(str, found))}",
            hint=f"Name one of these folders with `{option}`.",
        )
    raise _not_found(data_dir, files, option)


def search_batches(folder: Path, files: Sequence[BatchFile]) -> list[Path]:
    """The folders with batch files nearest to a folder, sorted: in it, or a few levels below.

    One that several links lead to counts once. An empty `FOLDER` in the folder counts where nothing
    else has a batch file.
    """
    level = [folder]
    for _ in range(_MAX_DEPTH + 1):
        holders = (holder for place in level for holder in _holders(place, files))
        found = {holder.resolve(): holder for holder in holders}
        if found:
            return list(found.values())
        level = _subfolders(level)
    return [folder / FOLDER] if (folder / FOLDER).is_dir() else []


def own_folder(data_dir: Path, files: Sequence[BatchFile]) -> Path:
    """The folder that is, or will be, the data set of a folder, whatever lies deeper."""
    return next(_holders(data_dir, files), data_dir / FOLDER)


def _holders(folder: Path, files: Sequence[BatchFile]) -> Iterator[Path]:
    """`FOLDER` in a folder, or else the folder itself, if there is a batch file in it."""
    for place in (folder / FOLDER, folder):
        if any((place / file.name).is_file() for file in files):
            yield place
            return


def _subfolders(folders: Iterable[Path]) -> list[Path]:
    """The folders in folders, up to a limit; hidden ones may hold what is being unpacked."""
    entries = islice((entry for folder in folders for entry in _entries(folder)), _MAX_ENTRIES)
    shown = (path for path in entries if not path.name.startswith("."))
    return sorted(path for path in shown if path.is_dir() and os.access(path, os.R_OK | os.X_OK))


def _entries(folder: Path) -> Iterator[Path]:
    """What lies in a folder, up to a limit; nothing where it cannot be listed."""
    try:
        yield from islice(folder.iterdir(), _MAX_ENTRIES)
    except OSError:
        return


def _not_found(data_dir: Path, files: Sequence[BatchFile], option: str) -> DataError:
    """The error that tells where the data set was looked for, and what was there instead."""
    message = f"CIFAR-10 not found: expected the folder {data_dir / FOLDER}"
    target = data_dir if option == "--data-dir" else _USUAL_DATA_DIR
    entries = sorted(_entries(data_dir))
    archive = next((path for path in entries if path.name.startswith(_ARCHIVE_STEMS)), None)
    if archive is not None and archive.is_file():
        kind = recognise_foreign(archive, files)
        found = f"{kind.name}: {archive}" if kind else f"its archive {archive}"
        hint = kind.advice if kind else _unpack_hint(target, archive)
        return DataError(f"{message}, found {found}", hint=hint)
    version = recognise_version([data_dir.absolute().name, *(path.name for path in entries)])
    if version is not None:
        return DataError(f"{message}, found {version.name}", hint=version.advice)
    if option == "--from":
        return DataError(message, hint=IMPORT_HINT)
    elsewhere = "If it is in another folder, name that with `--data-dir DIR`."
    return DataError(message, hint=f"{elsewhere} {download_hint(data_dir)}")


def _file_in_place_of_folder(path: Path, files: Sequence[BatchFile]) -> DataError:
    message = "expected a folder with CIFAR-10 in it, got "
    kind = recognise_foreign(path, files)
    if kind is not None:
        return DataError(f"{message}{kind.name}: {path}", hint=kind.advice)
    return DataError(f"{message}the file {path}", hint=_unpack_hint(_USUAL_DATA_DIR, path))


def _unpack_hint(data_dir: Path, archive: Path) -> str:
    return f"Unpack it with `{_download_command(data_dir)} --from {quoted(archive)}`."


def download_hint(data_dir: Path) -> str:
    """How to get an intact data set into a folder."""
    command = _download_command(data_dir)
    return (
        f"Run `{command}` to fetch CIFAR-10, or `{command} --from FILE_OR_DIR` if you have it "
        "somewhere. Synthetic images never stand in: data.dataset=synthetic asks for them."
    )


def _download_command(data_dir: Path) -> str:
    where = "" if data_dir == _USUAL_DATA_DIR else f" --data-dir {quoted(data_dir)}"
    return f"softmax download{where}"


def recognise_foreign(path: Path, files: Sequence[BatchFile]) -> FileKind | None:
    """What a file is that was to be an archive of the data set; None if it may be one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        kind = recognise(stream.read(START_BYTES))
    if kind is not None and kind is not PICKLE:
        return None if kind in READABLE else kind
    for file in files:
        if path.stat().st_size == file.size and inspect_file(path, file, files).state == "intact":
            return FileKind(
                f"{file.name}, one of the {len(files)} files of CIFAR-10",
                f"Name the folder that holds all of them: {path.parent}",
            )
    return recognise_version([path.name, path.absolute().parent.name]) or kind


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
        is_too_large = status.st_size > 2 * file.size + 4096
        with path.open("rb") as stream:
            start = stream.read(START_BYTES)
            stream.seek(0)
            digest = "" if is_too_large else hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return Finding(file.name, "missing", f"expected {file.size:,} bytes, got no file")
    except OSError as error:
        return Finding(file.name, "unreadable", error.strerror or str(error))
    if digest == file.sha256:
        return Finding(file.name, "intact")
    for other in files:
        if digest == other.sha256:
            return Finding(file.name, "swapped", f"expected {file.name}, got {other.name}")
    kind = recognise(start)
    if kind is not None and kind is not PICKLE:
        return Finding(file.name, "foreign", f"expected a pickle, got {kind.name}", kind.advice)
    if status.st_size < file.size:
        return Finding(file.name, "truncated", _sizes(file, status.st_size))
    if status.st_size > file.size:
        return Finding(file.name, "altered", _sizes(file, status.st_size))
    return Finding(
        file.name, "altered", f"expected SHA-256 {file.sha256[:16]}…, got {digest[:16]}…"
    )


def not_intact(path: Path, finding: Finding, *, hint: str | None = None) -> DataError:
    """The error that tells of one damaged or missing file.

    Args:
        path: of the file.
        finding: what is wrong with it.
        hint: how to get an intact one; the default speaks of the folder it lies in.
    """
    folder = path.parent
    hint = hint or download_hint(folder.parent if folder.name == FOLDER else folder)
    return DataError(
        f"{path} is {finding.state}: {finding.detail}", hint=f"{finding.advice} {hint}".lstrip()
    )


def _sizes(file: BatchFile, size: int) -> str:
    return f"expected {file.size:,} bytes, got {size:,}"
