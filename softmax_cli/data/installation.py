"""Put a data set in its place: all of it, verified, or nothing.

Files are gathered in a hidden folder beside the final one and verified there. A single rename then
makes them the data set. Where a folder of that name holds something already, only the files that
are missing or damaged are put in, and a damaged one is kept under another name. One process at a
time works on a data directory, under a lock that the system releases with the process. An
installation that fails leaves no empty folder: the folders made for it are removed again.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from softmax_cli.data.archive import extract_archive
from softmax_cli.data.dataset import Publication, PublishedFile
from softmax_cli.data.dataset_files import (
    find_folder,
    import_hint,
    inspect_file,
    not_intact,
    own_folder,
    search_folders,
    write_verified,
)
from softmax_cli.errors import DataError
from softmax_cli.runs.atomic import errors_naming, make_directory, move, sync_directory
from softmax_cli.runs.locks import lock

_LOCK_POLL_SECONDS: Final = 0.2


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


def import_dataset(
    publication: Publication, source: Path, data_dir: Path, *, report: Report = ignore
) -> Installation:
    """Install a data set from an archive or a folder on this machine.

    An intact data set is left as it is, and ``source`` is not looked at.

    Args:
        publication: what to install.
        source: a tar archive (plain, gzip, bzip2, xz), or a folder as `find_folder` takes it.
        data_dir: folder to put the data set's folder into; created if need be.
        report: called with what is being done.

    Raises:
        DataError: ``source`` is missing, damaged or not that data set.
        OSError: reading or writing failed.
    """

    def gather(staging: Path) -> None:
        if source.is_dir():
            _copy_folder(find_folder(source, publication, option="--from"), staging, publication)
        elif source.is_file():
            unpack(source, staging, publication, report)
        else:
            raise DataError(
                f"expected an archive or a folder, found neither at {source}",
                hint=import_hint(publication),
            )

    return install(publication, data_dir, gather, report=report)


def install(
    publication: Publication, data_dir: Path, gather: Callable[[Path], None], *, report: Report
) -> Installation:
    """Install a data set unless it is there, with one process at a time at work.

    Args:
        publication: what to install.
        data_dir: folder to put the data set's folder into; created if need be.
        gather: writes all files, verified and synced, into the empty folder it is given.
        report: called with what is being done.

    Raises:
        OSError: writing failed. What ``gather`` raises passes through. In either case the data set
            is as it was before, or lacks fewer files than before.
    """
    if data_dir.is_file():
        raise DataError(
            f"expected a folder to put {publication.title} into, got the file {data_dir}",
            hint="Name a folder with `--data-dir`; it is made if need be.",
        )
    folder = own_folder(data_dir.resolve(), publication)
    folder = folder.resolve() if folder.is_dir() else folder
    staging = folder.parent / publication.staging_name
    there = None if staging.exists() else _find_intact(folder, data_dir, publication)
    if there is not None:
        return Installation(there, already_there=True)
    lock_path = data_dir / publication.lock_name
    with _leaving_no_empty(lock_path), _locked(lock_path, report):
        shutil.rmtree(staging, ignore_errors=True)
        there = _find_intact(folder, data_dir, publication)
        if there is not None:
            return Installation(there, already_there=True)
        try:
            staging.mkdir()
            gather(staging)
            sync_directory(staging)
            _put_in_place(staging, folder, publication)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Installation(folder, already_there=False)


def unpack(archive: Path, staging: Path, publication: Publication, report: Report) -> None:
    """Extract an archive into a staging folder, reporting each file.

    Raises:
        DataError: the archive is damaged or of another data set; says where to get the right one.
        OSError: reading or writing failed.
    """

    def accepted(file: PublishedFile) -> None:
        report(Step("unpacking", f"{file.name} is intact"))

    report(Step("unpacking", f"unpacking {archive}"))
    try:
        extract_archive(archive, staging, publication, accepted)
    except DataError as error:
        raise DataError(error.message, hint=error.hint or import_hint(publication)) from error


def _find_intact(folder: Path, data_dir: Path, publication: Publication) -> Path | None:
    """The data set that is there: in its folder, or deeper, where nothing is ever repaired."""
    deeper = (place.resolve() for place in search_folders(data_dir, publication))
    places = dict.fromkeys([folder, *deeper])
    return next((place for place in places if not _damaged(place, publication)), None)


def _damaged(folder: Path, publication: Publication) -> list[PublishedFile]:
    def is_intact(file: PublishedFile) -> bool:
        return inspect_file(folder / file.name, file, publication).state == "intact"

    return [file for file in publication.files if not is_intact(file)]


@contextmanager
def _leaving_no_empty(lock_path: Path) -> Iterator[None]:
    """If the block fails, remove the lock's folder and its parents, if they were made for it."""
    folder = lock_path.parent
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if sys.platform == "win32" and folder in missing:
                # Only now can it be removed, and only if no other process has it open.
                lock_path.unlink(missing_ok=True)
            for path in missing:
                path.rmdir()
        raise


@contextmanager
def _locked(lock_path: Path, report: Report) -> Iterator[None]:
    """Make a lock and its folder, and keep other processes from installing there during a block.

    If the block fails and nothing else is there, the lock is removed as well. A process that waited
    for it then makes another one, in a folder that may have to be made again.
    """
    folder = lock_path.parent
    while True:
        make_directory(folder)
        # A file of its own, because NFS locks files alone.
        with lock_path.open("ab") as file:
            if _is_locked(file.fileno()):
                report(Step("waiting", f"another process is at work in {folder}; waiting for it"))
                while _is_locked(file.fileno()):
                    time.sleep(_LOCK_POLL_SECONDS)
            if not _is_at(lock_path, file.fileno()):
                continue
            try:
                yield
            except BaseException:
                with suppress(OSError):
                    if list(folder.iterdir()) == [lock_path]:
                        lock_path.unlink()
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


def _copy_folder(source: Path, staging: Path, publication: Publication) -> None:
    for file in publication.files:
        path = source / file.name
        finding = inspect_file(path, file, publication)
        if finding.state != "intact":
            raise not_intact(path, finding, publication, hint=import_hint(publication))
        with errors_naming(path), path.open("rb") as stream:
            if write_verified(stream.read, staging / file.name, file) is not None:
                raise DataError(f"{path} changed while it was copied")


def _put_in_place(staging: Path, folder: Path, publication: Publication) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        for file in _damaged(folder, publication):
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
