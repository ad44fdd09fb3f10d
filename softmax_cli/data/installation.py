"""Put the data set in its place: all of it, verified, or nothing.

Files are gathered in a hidden folder beside the final one and verified there. A single rename then
makes them the data set. Where a folder of that name holds something already, only the files that
are missing or damaged are put in, and a damaged one is kept under another name. One process at a
time works on a data directory; a lock that the system releases with the process sees to that. What
fails leaves no empty folder: the folders made for it are removed again.
"""

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from softmax_cli.data.archive import extract_archive, write_all
from softmax_cli.data.batch_files import (
    CIFAR10_FILES,
    FOLDER,
    IMPORT_HINT,
    BatchFile,
    find_batches,
    inspect_file,
    not_intact,
    own_folder,
    search_batches,
)
from softmax_cli.errors import DataError
from softmax_cli.runs.atomic import errors_naming, make_directory, move, sync_directory
from softmax_cli.runs.locks import lock

_LOCK_NAME: Final = ".cifar-10.lock"
_STAGING_NAME: Final = f".{FOLDER}.part"
_LOCK_POLL_SECONDS: Final = 0.2
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Step:
    """Something that happened or is about to, for a user to read.

    Attributes:
        kind: what it is about.
        text: a clause without a full stop.
    """

    kind: Literal["waiting", "connecting", "retrying", "next_mirror", "checking", "unpacking"]
    text: str


@dataclass(frozen=True)
class Received:
    """How far a download is.

    Attributes:
        done: bytes of the archive on disk, those of earlier runs included.
        total: bytes of the whole archive.
        resumed: bytes that were there when this transfer began; the rate counts from here.
    """

    done: int
    total: int
    resumed: int


Report = Callable[[Step | Received], None]


@dataclass(frozen=True)
class Installation:
    """Where the data set is, and whether it was there, intact, before anything was done."""

    folder: Path
    already_there: bool


def ignore(event: Step | Received) -> None:
    """A report that goes nowhere."""


def import_cifar10(
    source: Path,
    data_dir: Path,
    *,
    files: Sequence[BatchFile] = CIFAR10_FILES,
    report: Report = ignore,
) -> Installation:
    """Install the data set from an archive or a folder on this machine.

    An intact data set is left as it is, and ``source`` is not looked at.

    Args:
        source: a tar archive (plain, gzip, bzip2, xz), or a folder as `find_batches` takes it.
        data_dir: folder to put ``cifar-10-batches-py/`` into; created if need be.
        files: what the data set is made of.
        report: called with what is being done.

    Raises:
        DataError: ``source`` is missing, damaged or not CIFAR-10.
        OSError: reading or writing failed.
    """

    def gather(staging: Path) -> None:
        if source.is_dir():
            _copy_folder(find_batches(source, files, option="--from"), staging, files)
        elif source.is_file():
            _unpack_import(source, staging, files, report)
        else:
            raise DataError(
                f"expected an archive or a folder, found neither at {source}", hint=IMPORT_HINT
            )

    return install(data_dir, gather, files=files, report=report)


def install(
    data_dir: Path,
    gather: Callable[[Path], None],
    *,
    files: Sequence[BatchFile],
    report: Report,
) -> Installation:
    """Install the data set unless it is there, with one process at a time at work.

    Args:
        data_dir: folder to put ``cifar-10-batches-py/`` into; created if need be.
        gather: writes all files, verified and synced, into the empty folder it is given.
        files: what the data set is made of.
        report: called with what is being done.

    Raises:
        OSError: writing failed. What ``gather`` raises passes through. In either case the data set
            is as it was before, or lacks fewer files than before.
    """
    if data_dir.is_file():
        raise DataError(
            f"expected a folder to put CIFAR-10 into, got the file {data_dir}",
            hint="Name a folder with `--data-dir`; it is made if need be.",
        )
    folder = own_folder(data_dir.resolve(), files)
    folder = folder.resolve() if folder.is_dir() else folder
    staging = folder.parent / _STAGING_NAME
    there = None if staging.exists() else _find_intact(folder, data_dir, files)
    if there is not None:
        return Installation(there, already_there=True)
    with _leaving_no_empty(data_dir), _locked(data_dir, report):
        shutil.rmtree(staging, ignore_errors=True)
        there = _find_intact(folder, data_dir, files)
        if there is not None:
            return Installation(there, already_there=True)
        try:
            staging.mkdir()
            gather(staging)
            sync_directory(staging)
            _put_in_place(staging, folder, files)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Installation(folder, already_there=False)


def _unpack_import(source: Path, staging: Path, files: Sequence[BatchFile], report: Report) -> None:
    """Extract a user's archive; if it is not the right one, say where to get that."""
    try:
        unpack(source, staging, files, report)
    except DataError as error:
        raise DataError(error.message, hint=error.hint or IMPORT_HINT) from error


def unpack(archive: Path, staging: Path, files: Sequence[BatchFile], report: Report) -> None:
    """Extract an archive into a staging folder, reporting each file.

    Raises:
        DataError: the archive is damaged or not CIFAR-10.
        OSError: reading or writing failed.
    """

    def accepted(file: BatchFile) -> None:
        report(Step("unpacking", f"{file.name} is intact"))

    report(Step("unpacking", f"unpacking {archive}"))
    extract_archive(archive, staging, files, accepted)


def _find_intact(folder: Path, data_dir: Path, files: Sequence[BatchFile]) -> Path | None:
    """The data set that is there: in its folder, or deeper, where nothing is ever repaired."""
    deeper = (place.resolve() for place in search_batches(data_dir, files))
    places = dict.fromkeys([folder, *deeper])
    return next((place for place in places if not _damaged(place, files)), None)


def _damaged(folder: Path, files: Sequence[BatchFile]) -> list[BatchFile]:
    findings = [inspect_file(folder / file.name, file, files) for file in files]
    return [
        file for file, finding in zip(files, findings, strict=True) if finding.state != "intact"
    ]


@contextmanager
def _leaving_no_empty(folder: Path) -> Iterator[None]:
    """If the block fails, remove the folder and its parents again, if it made them for nothing."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if sys.platform == "win32" and folder in missing:
                # Only now can it be removed, and only if no other process has it open.
                (folder / _LOCK_NAME).unlink(missing_ok=True)
            for path in missing:
                path.rmdir()
        raise


@contextmanager
def _locked(data_dir: Path, report: Report) -> Iterator[None]:
    """Make a directory, and keep other processes from installing into it during a block.

    If the block fails and nothing else is there, the lock is removed as well. A process that waited
    for it then makes another one, in a directory that may have to be made again.
    """
    path = data_dir / _LOCK_NAME
    while True:
        make_directory(data_dir)
        # A file of its own, because NFS locks files alone.
        with path.open("ab") as file:
            if _is_locked(file.fileno()):
                report(Step("waiting", f"another process is at work in {data_dir}; waiting for it"))
                while _is_locked(file.fileno()):
                    time.sleep(_LOCK_POLL_SECONDS)
            if not _is_at(path, file.fileno()):
                continue
            try:
                yield
            except BaseException:
                with suppress(OSError):
                    if list(data_dir.iterdir()) == [path]:
                        path.unlink()
                raise
            return


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _is_locked(descriptor: int) -> bool:
    """Whether another process holds the lock; if none does, this one does from now on."""
    try:
        lock(descriptor)
    except BlockingIOError:
        return True
    return False


def _copy_folder(source: Path, staging: Path, files: Sequence[BatchFile]) -> None:
    for file in files:
        path = source / file.name
        finding = inspect_file(path, file, files)
        if finding.state != "intact":
            raise not_intact(path, finding, hint=IMPORT_HINT)
        if _copy(path, staging / file.name) != file.sha256:
            raise DataError(f"{path} changed while it was copied")


def _copy(source: Path, target: Path) -> str:
    """Copy a file's content, synced, and return the SHA-256 of what was written."""
    content = hashlib.sha256()
    with source.open("rb") as reader, target.open("xb", buffering=0) as writer:
        while chunk := reader.read(_CHUNK):
            content.update(chunk)
            with errors_naming(target):
                write_all(writer.fileno(), chunk)
        with errors_naming(target):
            os.fsync(writer.fileno())
    return content.hexdigest()


def _put_in_place(staging: Path, folder: Path, files: Sequence[BatchFile]) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        for file in _damaged(folder, files):
            target = folder / file.name
            _move_aside(target)
            move(staging / file.name, target)
        sync_directory(folder)
    else:
        if folder.is_dir():
            folder.rmdir()  # Windows renames no folder over another
        else:
            _move_aside(folder)
        move(staging, folder)
    sync_directory(folder.parent)


def _move_aside(path: Path) -> None:
    """Rename whatever is at ``path`` to a free name that says why it is there."""
    if not os.path.lexists(path):
        return
    number = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.damaged-{number}")):
        number += 1
    move(path, aside)
