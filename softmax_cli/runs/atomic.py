"""Files that are either the old version or the new one, never something between.

A file is written beside its target under a temporary name, flushed, synced, and renamed over the
target; then the directory is synced, because that is where a rename is recorded. A process that is
killed on the way leaves at most a temporary file, which :func:`remove_leftovers` recognises: a
living process holds a lock on its own.
"""

import contextlib
import errno
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_TEMPORARY_NAME = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")


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
                _lock(stream)
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                temporary.replace(path)
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


def make_directory(path: Path) -> None:
    """Create ``path`` and the parents it lacks, and make the new entries durable.

    Raises:
        OSError: a directory could not be created, or something else is at that place.
    """
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames, creations and removals in ``directory`` survive a loss of power.

    Raises:
        OSError: the device reported an error; ``filename`` is ``directory``.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with errors_naming(directory):
            os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know no sync of a directory; they say so with EINVAL.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def remove_leftovers(directory: Path) -> list[Path]:
    """Remove the temporary files of processes that are no more.

    Args:
        directory: where to look; its subdirectories are left alone.

    Returns:
        The files removed, sorted by name.

    Raises:
        OSError: the directory cannot be listed, or a file in it not removed.
    """
    temporaries = [path for path in directory.iterdir() if _TEMPORARY_NAME.fullmatch(path.name)]
    abandoned = sorted(path for path in temporaries if _is_abandoned(path))
    for path in abandoned:
        path.unlink(missing_ok=True)
    return abandoned


def _is_abandoned(temporary: Path) -> bool:
    if temporary.is_symlink() or not temporary.is_file():
        return False
    try:
        with temporary.open("rb+") as stream:
            return _lock(stream)
    except OSError:
        return False


def _lock(stream: BinaryIO) -> bool:
    """Lock an open file until it is closed; tell whether that could be done."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
