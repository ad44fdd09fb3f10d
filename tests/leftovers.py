"""What tests leave behind: files in the working directory, temporary files, shared memory."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

KEPT = {".hypothesis", ".pytest_cache", "__pycache__"}
"""What tools keep in the working directory for the next run."""
SHARED_MEMORY = Path("/dev/shm")
_SECONDS = 5.0


class Leftovers:
    """Remembers what there is, and after which test something new was first seen.

    Args:
        temporary: a folder for the temporary files of this run alone.
        working: the working directory.
        shared_memory: where the system shows named semaphores and segments, if it does. Others
            use it, too: what belongs to another user, or is in use by any process, is left out.
    """

    def __init__(self, temporary: Path, working: Path, shared_memory: Path = SHARED_MEMORY) -> None:
        self._folders = (temporary, working)
        self._shared_memory = shared_memory
        self._known = set(self._present())
        self._seen_after: dict[Path, str] = {}

    def note(self, test: str) -> None:
        """Look for what is new after a test."""
        for path in self._present():
            if path not in self._known:
                self._seen_after.setdefault(path, test)

    def found(self) -> list[str]:
        """What is new and stays, a line for each; processes that end have a moment to clean up."""
        deadline = time.monotonic() + _SECONDS
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return [f"{path}, first seen after {self._seen_after.get(path, 'all')}" for path in left]

    def _left(self) -> list[Path]:
        new = [path for path in self._present() if path not in self._known]
        shared = [path for path in new if path.parent == self._shared_memory]
        in_use = _mapped_files() if shared else ""
        return [path for path in new if path not in shared or str(path) not in in_use]

    def _present(self) -> Iterator[Path]:
        for folder in self._folders:
            yield from (path for path in folder.iterdir() if path.name not in KEPT)
        if self._shared_memory.is_dir():
            yield from filter(_is_own, self._shared_memory.iterdir())


def _is_own(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.getuid()
    except FileNotFoundError:
        return False


def _mapped_files() -> str:
    """The memory maps of all processes, in which named semaphores in use appear by their path."""
    maps = []
    for process in Path("/proc").glob("[0-9]*/maps"):
        try:
            maps.append(process.read_text(errors="replace"))
        except OSError:
            continue
    return "\n".join(maps)
