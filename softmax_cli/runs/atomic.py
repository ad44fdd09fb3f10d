"""Atomic writes: a file is either the old version or the new one, never a mixture.

A file is written beside its target under a temporary name, flushed, synced, and renamed over the
target; then the directory is synced, because that is where a rename is recorded. A process that is
killed on the way leaves at most a temporary file, which :func:`remove_leftovers` recognises: a
living process holds a lock on its own.

Windows neither syncs directories nor renames files that any program has open. There a file
is closed and then renamed, and another program, such as a virus scanner, gets a moment to close it.
"""

import contextlib
import errno
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from softmax_cli.runs.locks import lock

_TEMPORARY_NAME = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")
# What file systems answer that cannot sync a directory, as some network file systems.
_SYNC_UNKNOWN = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.05


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a binary stream whose content becomes the file at ``path`` when the block ends.

    If the block or the saving fails, what was at ``path`` before is still there and the temporary
    file is gone. A symbolic link at ``path`` is replaced, not followed. The file's mode is what the
    umask gives any new file.

    Args:
        path: the file to create or replace; its directory must exist.

    Yields:
        A buffered binary stream.

    Raises:
        OSError: writing failed; ``filename`` is ``path``, not the temporary file.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    with errors_naming(path, instead_of=temporary):
        try:
            with temporary.open("xb") as stream:
                with contextlib.suppress(OSError):
                    lock(stream.fileno())
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                if sys.platform != "win32":
                    move(temporary, path)  # while it is locked, so that it never seems abandoned
            if sys.platform == "win32":
                move(temporary, path)
            sync_directory(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


@contextlib.contextmanager
def errors_naming(path: Path, *, instead_of: Path | None = None) -> Iterator[None]:
    """Let an OSError of the block that names no file, or ``instead_of``, name ``path``.

    A failed write or sync knows its descriptor only; a user needs to read which file it was.

    Raises:
        OSError: the block raised it.
    """
    try:
        yield
    except OSError as error:
        nameless = error.filename is None or error.filename == str(instead_of)
        if error.errno is None or not nameless:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`replacing` does.

    Raises:
        OSError: writing failed; what was at ``path`` is still there.
    """
    with replacing(path) as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in UTF-8, newlines as they are, as :func:`replacing` does.

    Raises:
        OSError: writing failed; what was at ``path`` is still there.
    """
    write_bytes(path, text.encode("utf-8"))


def write_all(stream: FileIO, data: bytes) -> None:
    """Write all of ``data`` to an unbuffered stream, however few bytes the system takes at a time.

    Raises:
        OSError: writing failed; ``filename`` is not set.
    """
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]


def move(source: Path, target: Path) -> None:
    """Rename ``source``, in place of a file at ``target``.

    Raises:
        OSError: it could not be renamed, on Windows also because a program has one of them open.
    """
    _once_closed(lambda: source.replace(target))


def remove_file(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        OSError: it could not be removed, on Windows also because a program has it open.
    """
    _once_closed(lambda: path.unlink(missing_ok=True))


def _once_closed(operation: Callable[[], object]) -> None:
    """On Windows, give other programs a moment to close the files of an operation."""
    if sys.platform == "win32":
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                operation()
            except PermissionError:
                time.sleep(_PAUSE_SECONDS)
            else:
                return
    operation()


def make_directory(path: Path) -> None:
    """Create ``path`` and the parents it lacks, and make the new entries durable.

    Raises:
        OSError: a directory could not be created, or something else is at that place.
    """
    if path.is_dir():
        return
    if path.parent != path:  # a drive that is not there is its own parent
        make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames, creations and removals in ``directory`` survive a loss of power.

    Windows and some network file systems cannot be asked to; there nothing is done.

    Raises:
        OSError: the device reported an error; ``filename`` is ``directory``.
    """
    if sys.platform != "win32":
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with errors_naming(directory):
                os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _SYNC_UNKNOWN:
                raise
        finally:
            os.close(descriptor)


def remove_leftovers(directory: Path) -> list[Path]:
    """Remove the temporary files of processes that have ended.

    Args:
        directory: where to look; its subdirectories are left alone.

    Returns:
        The files removed, sorted by name.

    Raises:
        OSError: the directory cannot be listed, or a file in it not removed.
    """
    abandoned = _abandoned(directory)
    if abandoned and sys.platform == "win32":
        # A file that its process has just closed to rename it soon has its final name.
        time.sleep(2 * _PATIENCE_SECONDS)
        abandoned = _abandoned(directory)
    for path in abandoned:
        remove_file(path)
    return abandoned


def _abandoned(directory: Path) -> list[Path]:
    temporaries = [path for path in directory.iterdir() if _TEMPORARY_NAME.fullmatch(path.name)]
    return sorted(path for path in temporaries if _is_abandoned(path))


def _is_abandoned(temporary: Path) -> bool:
    if temporary.is_symlink() or not temporary.is_file():
        return False
    try:
        with temporary.open("rb+") as stream:
            return lock(stream.fileno())
    except OSError:
        return False
