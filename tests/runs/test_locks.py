"""The lock: one process at a time, gone with its process, and no obstacle where there is none."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import filelock
import pytest

from softmax_cli.runs import locks
from softmax_cli.runs.locks import LOCK_NAME, DirectoryLock, lock

HOLD = """
import sys
from softmax_cli.runs.locks import lock
with open(sys.argv[1], "ab") as file:
    lock(file.fileno())
    print("locked", flush=True)
    sys.stdin.read()
"""


def refusing(code: int) -> object:
    """A stand-in for the library's function that fails."""

    def refuse(descriptor: int, *, blocking: bool) -> bool:
        raise OSError(code, os.strerror(code))

    return refuse


def test_a_file_is_locked_until_its_process_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    command = [sys.executable, "-c", HOLD, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with path.open("ab") as file, pytest.raises(BlockingIOError):
            lock(file.fileno())
        process.kill()
    with path.open("ab") as file:
        assert lock(file.fileno())


def test_a_file_is_locked_until_it_is_closed(tmp_path: Path) -> None:
    with (tmp_path / "file").open("ab") as first, (tmp_path / "file").open("ab") as second:
        assert lock(first.fileno())
        with pytest.raises(BlockingIOError):
            lock(second.fileno())
        first.close()
        assert lock(second.fileno())


@pytest.mark.parametrize("platform", sorted({sys.platform, "win32"}))
def test_a_directory_is_locked_until_it_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(locks, "sys", SimpleNamespace(platform=platform))
    for _ in range(2):
        first = DirectoryLock(tmp_path)
        with pytest.raises(BlockingIOError):
            DirectoryLock(tmp_path)
        left = {LOCK_NAME} if platform == "win32" else set()
        assert {path.name for path in tmp_path.iterdir()} == left
        first.release()
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(filelock, "lock_descriptor", refusing(code))
    with (tmp_path / "file").open("ab") as file:
        assert not lock(file.fileno())
    first, second = DirectoryLock(tmp_path), DirectoryLock(tmp_path)
    first.release()
    second.release()


def test_an_error_of_the_device_is_loud_and_nothing_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "file").open("ab") as file:
        following = file.fileno()
    monkeypatch.setattr(filelock, "lock_descriptor", refusing(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        DirectoryLock(tmp_path)
    with (tmp_path / "file").open("ab") as file:
        assert file.fileno() == following
