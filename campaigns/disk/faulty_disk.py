"""``python -m campaigns.disk.faulty_disk train ...``: softmax, on a disk that does wrong.

It is the real program, run as a process. Its file operations below one folder are counted, and the
fault that the environment variable describes happens at one of them. A log beside that folder has a
line for each operation and for each step of training; it is written at once, so that it shows how
far a killed process came.
"""

import builtins
import errno
import io
import json
import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, TypeVar

from campaigns.disk.power_loss import UnsyncedChanges

Kind = Literal[
    "killed", "killed while writing", "power lost", "power lost after removals",
    "no space", "I/O error", "permission denied", "short write",
]  # fmt: skip
Result = TypeVar("Result")

VARIABLE = "SOFTMAX_TEST_FAULT"
NAMING = ("create", "replace", "make directory", "remove", "remove directory", "open directory")
"""Operations that are given a name, and whose errors repeat it."""
OPERATIONS: dict[Kind, tuple[str, ...]] = {
    "killed": (*NAMING, "write", "truncate", "sync"),
    "killed while writing": ("write",),
    "power lost": (*NAMING, "write", "truncate", "sync"),
    "power lost after removals": (*NAMING, "write", "truncate", "sync"),
    "no space": ("create", "write", "sync", "replace", "make directory"),
    "I/O error": (*NAMING, "write", "truncate", "sync"),
    "permission denied": NAMING,
    "short write": ("write",),
}
"""At which operations a fault can happen."""
_ERRORS = {
    "no space": errno.ENOSPC,
    "I/O error": errno.EIO,
    "permission denied": errno.EACCES,
}


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Attributes:
        kind: None for nothing. A disk without space stays so from then on.
        at: number of the operation, from 1.
        stop_at: number of the operation at which SIGTERM arrives; 0 for never.
    """

    kind: Kind | None = None
    at: int = 0
    stop_at: int = 0

    def to_text(self) -> str:
        """For the environment variable."""
        return json.dumps(asdict(self))


def points(kind: Kind, operations: Sequence[str]) -> list[int]:
    """Numbers, from 1, of the logged operations at which a fault of a kind can happen."""
    possible = OPERATIONS[kind]
    named = enumerate(operations, start=1)
    return [number for number, operation in named if operation.partition(":")[0] in possible]


class FaultyDisk:
    """Counts the operations below a folder, notes them, and lets one of them go wrong.

    Args:
        case: a folder with an empty ``shadow`` in it; the operations in its ``work`` count.
        fault: what goes wrong.
    """

    def __init__(self, case: Path, fault: Fault) -> None:
        self._root = case / "work"
        self._fault = fault
        self._count = 0
        self._is_at_work = True
        self._log = os.open(case / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.unsynced = UnsyncedChanges(self._root, case / "shadow")

    def covers(self, path: Path) -> bool:
        """Whether operations on an absolute path count."""
        return self._is_at_work and path.is_relative_to(self._root)

    def note(self, line: str) -> None:
        """Write a line into the log."""
        os.write(self._log, f"{line}\n".encode())

    def operate(
        self,
        operation: str,
        name: Any,
        act: Callable[[], Result],
        half: Callable[[], Result] | None = None,
    ) -> Result:
        """Carry an operation out, or not.

        Args:
            operation: one of ``OPERATIONS``.
            name: path of the file as the program gave it.
            act: does it.
            half: does half of it, where that is possible.
        """
        path = _absolute(name)
        if not self.covers(path):
            return act()
        self._count += 1
        self.note(f"{operation}: {path.relative_to(self._root)}")
        if self._count == self._fault.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        kind, is_here = self._fault.kind, self._count == self._fault.at
        stays = kind == "no space" and self._count > self._fault.at
        if kind is None or not (is_here or stays) or operation not in OPERATIONS[kind]:
            return act()
        is_partial = half is not None and is_here and kind in ("short write", "no space")
        if kind in _ERRORS and not is_partial:
            known = (os.fspath(name),) if operation in NAMING else ()
            raise OSError(_ERRORS[kind], os.strerror(_ERRORS[kind]), *known)
        if not is_partial:
            self._end(kind, half)
        return half() if half is not None else act()

    def _end(self, kind: Kind, half: Callable[[], object] | None) -> None:
        """Kill this process."""
        if half is not None and kind == "killed while writing":
            half()
        if kind in ("power lost", "power lost after removals"):
            self._is_at_work = False
            self.unsynced.lose(keep_removals=kind == "power lost after removals")
        os.kill(os.getpid(), signal.SIGKILL)


class _File(io.FileIO):
    """A file that is written on the faulty disk."""

    def __init__(self, disk: FaultyDisk, path: Path, mode: str) -> None:
        self._disk = disk
        self._path = path
        super().__init__(path, mode)

    def write(self, data: Any) -> int:
        view = memoryview(data)
        plain = super().write
        return self._disk.operate(
            "write", self._path, lambda: plain(view), lambda: plain(view[: len(view) // 2])
        )

    def truncate(self, size: int | None = None) -> int:
        plain = super().truncate
        return self._disk.operate("truncate", self._path, lambda: plain(size))


def install(disk: FaultyDisk) -> None:
    """Put a faulty disk under the functions by which Python changes files."""
    _install_opening(disk)
    _install_syncing(disk)
    _install_naming(disk)


def _install_opening(disk: FaultyDisk) -> None:
    plain_open = io.open

    def opening(
        file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any
    ) -> IO[Any]:
        is_read = not set(mode) & set("wxa+")
        if isinstance(file, int) or is_read or not disk.covers(path := _absolute(file)):
            return plain_open(file, mode, buffering, *rest, **more)
        is_new = not path.exists()
        raw = disk.operate("create", file, lambda: _File(disk, path, mode.replace("b", "")))
        disk.unsynced.opened(path, raw.fileno(), is_new=is_new)
        if buffering == 0:
            return raw
        return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

    io.open = builtins.open = opening  # type: ignore[assignment]


def _install_syncing(disk: FaultyDisk) -> None:
    plain_open, plain_sync = os.open, os.fsync

    def opening(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        def act() -> int:
            return plain_open(path, flags, *rest, **more)

        if not flags & os.O_DIRECTORY:
            return act()
        return disk.operate("open directory", path, act)

    def syncing(fd: Any) -> None:
        descriptor = fd if isinstance(fd, int) else fd.fileno()
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        disk.operate("sync", path, lambda: plain_sync(descriptor))
        disk.unsynced.synced(descriptor, path)

    os.open, os.fsync = opening, syncing


def _install_naming(disk: FaultyDisk) -> None:
    changes: dict[str, tuple[str, Callable[..., None]]] = {
        "mkdir": ("make directory", disk.unsynced.about_to_make_directory),
        "unlink": ("remove", disk.unsynced.about_to_remove),
        "rmdir": ("remove directory", disk.unsynced.about_to_remove_directory),
        "replace": ("replace", disk.unsynced.about_to_replace),
    }

    def faulty(name: str) -> Callable[..., None]:
        plain, (operation, prepare) = getattr(os, name), changes[name]

        def change(*arguments: Any, **more: Any) -> None:
            paths = [_absolute(a) for a in arguments if not isinstance(a, int)]

            def act() -> None:
                if disk.covers(paths[0]):
                    prepare(*paths)
                plain(*arguments, **more)

            disk.operate(operation, arguments[0], act)

        return change

    for name in changes:
        setattr(os, name, faulty(name))


def _absolute(path: Any) -> Path:
    return Path(os.path.abspath(os.fspath(path)))  # noqa: PTH100 - links are not to be followed


def note_steps(disk: FaultyDisk) -> None:
    """Let training note each step that it has done."""
    from softmax_cli.training.trainer import Progress, Trainer

    plain = Trainer.train

    def train(self: Trainer, until: int | None = None) -> Generator[Progress, None, None]:
        with closing(plain(self, until)) as steps:
            for progress in steps:
                disk.note("step")
                yield progress

    Trainer.train = train  # type: ignore[method-assign]


def main() -> NoReturn:
    """Run softmax with the arguments of this process, in ``work`` of the case's folder."""
    from softmax_cli.cli.main import main as softmax

    disk = FaultyDisk(Path.cwd().parent, Fault(**json.loads(os.environ[VARIABLE])))
    note_steps(disk)
    install(disk)
    softmax()


if __name__ == "__main__":
    main()
