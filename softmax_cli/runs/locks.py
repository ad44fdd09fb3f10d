"""The one lock of this package: it keeps other processes out of a file or a directory.

It belongs to an open file, so the system releases it when the process that holds it ends, even if
it is killed. Unix locks a directory itself. Windows opens no directories, so there a file in it is
locked instead, and removed when the lock is released; a killed process leaves it behind, unlocked.
"""

import contextlib
import errno
import os
import sys
from pathlib import Path

LOCK_NAME = ".softmax.lock"
"""The file that stands for its directory on Windows."""

# Errors of file systems without locks, or without locks on directories, such as NFS and Lustre.
_LOCKS_UNKNOWN = {
    errno.EBADF,
    errno.EINVAL,
    errno.ENOLCK,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
}


def lock(descriptor: int) -> bool:
    """Lock an open file for this process until it is closed.

    Args:
        descriptor: of a file, or on Unix of a directory.

    Returns:
        Whether it is locked now; False if the file system has no locks.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: locking failed.
    """
    from filelock import lock_descriptor  # not needed to predict, which has to start fast

    try:
        is_free = lock_descriptor(descriptor, blocking=False)
    except OSError as error:
        if error.errno not in _LOCKS_UNKNOWN:
            raise
        return False
    if not is_free:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return True


class DirectoryLock:
    """Keeps other processes from locking a directory until it is released.

    If the file system has no locks, nothing is locked.

    Args:
        directory: must exist.

    Raises:
        BlockingIOError: another process has locked it.
        OSError: it cannot be opened, or locking failed.
    """

    def __init__(self, directory: Path) -> None:
        self._file: Path | None = None
        if sys.platform == "win32":
            self._file = directory / LOCK_NAME
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT)
        else:
            self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            lock(self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let other processes lock the directory."""
        from filelock import unlock_descriptor

        # Windows takes the lock of a file that is only closed back at some later moment.
        with contextlib.suppress(OSError):
            unlock_descriptor(self._descriptor)
        os.close(self._descriptor)
        if self._file is not None:
            # Windows does not remove it while another process, the next to lock it, has it open.
            with contextlib.suppress(OSError):
                self._file.unlink()
