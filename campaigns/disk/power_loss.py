"""What a loss of power takes away: everything that was not synced.

Contents written since a file's last sync are gone, and so are creations, replacements and removals
in a directory since that directory's last. Nothing obliges a file system to lose them all, so
removals may be kept: a worse case for code that removes the old file before the new one is safe.
"""

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Change:
    """A change in a directory, how to undo it, and which directory it removed."""

    directory: Path
    undo: Callable[[], object]
    is_removal: bool = False
    removed: Path | None = None


class UnsyncedChanges:
    """The changes below a folder that are not on the disk yet.

    The methods named ``about_to_...`` are called before the change is made.

    Args:
        root: the folder.
        shadow: an empty folder of the same file system, for what must be brought back.
    """

    def __init__(self, root: Path, shadow: Path) -> None:
        self._root = root
        self._shadow = shadow
        self._numbers = itertools.count()
        self._synced_sizes: dict[int, int] = {}
        self._undo: list[_Change] = []

    def opened(self, path: Path, descriptor: int, *, is_new: bool) -> None:
        """A file was opened for writing."""
        status = os.fstat(descriptor)
        if is_new:
            self._synced_sizes[status.st_ino] = 0
            self._undo.append(_Change(path.parent, lambda: path.unlink(missing_ok=True)))
        else:
            self._synced_sizes.setdefault(status.st_ino, status.st_size)

    def about_to_replace(self, source: Path, target: Path) -> None:
        """``source`` takes the place of ``target``."""
        earlier = self._keep(target) if target.is_file() else None

        def undo() -> None:
            if target.exists():  # if not, its removal was kept
                target.rename(source)
            if earlier is not None:
                earlier.rename(target)

        self._undo.append(_Change(target.parent, undo))

    def about_to_remove(self, path: Path) -> None:
        """A file is removed."""
        if path.is_file():
            earlier = self._keep(path)
            self._undo.append(_Change(path.parent, lambda: earlier.rename(path), is_removal=True))

    def about_to_remove_directory(self, path: Path) -> None:
        """A directory is removed, if it is empty."""

        def undo() -> None:
            path.mkdir(exist_ok=True)

        self._undo.append(_Change(path.parent, undo, is_removal=True, removed=path))

    def about_to_make_directory(self, path: Path) -> None:
        """A directory is made."""
        if not path.exists():
            self._undo.append(_Change(path.parent, lambda: shutil.rmtree(path)))

    def synced(self, descriptor: int, path: Path) -> None:
        """A file or a directory was synced."""
        if path.is_dir():
            self._undo = [change for change in self._undo if change.directory != path]
            self._forget_what_is_gone()
        else:
            status = os.fstat(descriptor)
            self._synced_sizes[status.st_ino] = status.st_size

    def _forget_what_is_gone(self) -> None:
        """Where the removal of a directory is on the disk, what was in it does not return."""
        while True:
            may_return = {change.removed for change in self._undo}
            left = [
                change
                for change in self._undo
                if change.directory.is_dir() or change.directory in may_return
            ]
            if len(left) == len(self._undo):
                return
            self._undo = left  # directories inside of it do not return, either

    def lose(self, *, keep_removals: bool) -> None:
        """Bring the folder into the state in which the next start of the machine finds it."""
        for path in self._root.rglob("*"):
            size = self._synced_sizes.get(path.stat().st_ino)
            if size is not None and path.stat().st_size > size:
                os.truncate(path, size)
        for change in reversed(self._undo):
            if not (change.is_removal and keep_removals):
                change.undo()

    def _keep(self, path: Path) -> Path:
        kept = self._shadow / f"{os.getpid()}-{next(self._numbers)}"
        kept.hardlink_to(path)
        return kept
