"""``python without_posix.py MODULE ARGUMENTS``: run a module as if the system had no POSIX.

The modules and functions of Python that Windows lacks are gone before anything else is imported.
Our own code and the library that locks files are told that they run on Windows; other libraries,
which could not load there what they were built for, are not. Files are renamed and removed by the
rules of Windows, and the calls of Windows that lock them are made of those of Linux.
"""

import builtins
import contextlib
import ctypes
import ctypes.wintypes
import errno
import fcntl
import importlib.abc
import importlib.machinery
import os
import runpy
import shutil
import signal
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

TOLD = ("filelock", "softmax_cli", "tests")
MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty")
FUNCTIONS = {
    os: (
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"),
        *("fchmod", "fork", "forkpty", "getegid", "geteuid", "getgid", "getuid", "killpg"),
        *("mkfifo", "posix_spawn", "sched_getaffinity", "setsid", "statvfs", "sysconf", "wait"),
    ),
    signal: (
        *("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2"),
        *("alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    ),
}
_LOCK_VIOLATION = 33


class _View(types.ModuleType):
    """A module with some other attributes; all else is the module's own, to read and to set."""

    def __init__(self, module: types.ModuleType, **attributes: object) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(attributes, _module=module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_module"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["_module"], name, value)


class _Library:
    """A library of Windows of which nothing is called but the locks of files."""

    def __init__(self, *_: object, **__: object) -> None:
        self.LockFileEx = _lock_file
        self.UnlockFileEx = _unlock_file

    def __getattr__(self, name: str) -> object:
        function = types.SimpleNamespace()
        setattr(self, name, function)
        return function


def _lock_file(handle: int, *_: object) -> bool:
    try:
        flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock_file(handle: int, *_: object) -> bool:
    flock(handle, fcntl.LOCK_UN)
    return True


flock = fcntl.flock
VIEWS: Mapping[str, types.ModuleType] = {
    "sys": _View(sys, platform="win32"),
    "ctypes": _View(
        ctypes, WinDLL=_Library, WinError=OSError, get_last_error=lambda: _LOCK_VIOLATION
    ),
    "msvcrt": _View(types.ModuleType("msvcrt"), get_osfhandle=lambda descriptor: descriptor),
}


def _import(name: str, *more: Any, **options: Any) -> types.ModuleType:
    is_relative = len(more) > 3 and more[3]
    view = None if is_relative else VIEWS.get(name)
    return view or __import__(name, *more, **options)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module that is told that it runs on Windows."""

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that are told so."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in TOLD:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def remove_posix() -> None:
    """Let what Windows lacks be missing."""
    importlib.import_module("asyncio")  # on Linux Python does not load it without what goes here
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment] # so says Python: it cannot be imported
    for module, names in FUNCTIONS.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)


def follow_the_rules_of_windows() -> None:
    """Refuse to rename or remove files that are open, and what else Windows does not do."""
    # Otherwise folders are removed by way of descriptors, which Windows does not have of them.
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    for name in ("open", "remove", "rename", "replace", "rmdir", "unlink"):
        setattr(os, name, _ruled(name, getattr(os, name)))


def _ruled(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    def act(path: Any, *more: Any, **options: Any) -> Any:
        if name == "open":
            is_denied = Path(path).is_dir()
        elif name in ("rename", "replace"):
            target = Path(more[0])
            if name == "rename" and os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path, None, target)
            is_denied = target.is_dir() or _is_open(target) or _is_open(Path(path))
        else:
            is_denied = _is_open(Path(path))
        if is_denied:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return plain(path, *more, **options)

    return act


def _is_open(path: Path) -> bool:
    """Whether this process has a file open, or one in a folder."""
    if path.is_symlink() or not path.exists():
        return False
    if path.is_dir():
        return any(map(_is_open, path.iterdir()))
    status = path.stat()
    return any(os.path.samestat(status, opened) for opened in _open_files())


def _open_files() -> Iterator[os.stat_result]:
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one by which the folder is listed
            yield os.fstat(int(descriptor.name))


if __name__ == "__main__":
    remove_posix()
    follow_the_rules_of_windows()
    sys.meta_path.insert(0, _Finder())
    del sys.argv[0]
    sys.path[0] = ""
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
