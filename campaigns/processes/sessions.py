"""Programs in sessions of their own, and what is left of them when they are killed."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from campaigns.processes.program import PROGRAM, environment


class Session:
    """A command of the program as the leader of a session.

    Args:
        messages: the file that its stderr goes to.
        threads: of BLAS.
    """

    def __init__(self, *arguments: object, messages: Path, threads: int) -> None:
        self._messages = messages
        with messages.open("wb") as stream:
            self._process = subprocess.Popen(
                [*PROGRAM, *map(str, arguments)],
                cwd=messages.parent,
                env=environment(threads=threads),
                stdout=subprocess.DEVNULL,
                stderr=stream,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> list[int]:
        """``kill -9`` the program alone; returns the processes of its that outlive it by 5 s."""
        orphans = kill_alone(self._process.pid)
        self._process.wait()
        return orphans

    def end(self, seconds: float) -> str:
        """Wait for its end; empty if it went well, else how it ended and what it said."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            return f"no end within {seconds:.0f} s"
        return f"exit {code}: {self.said()[-300:]}" if code else ""

    def said(self) -> str:
        """What it has written to stderr so far."""
        return self._messages.read_text(errors="replace")


def kill_alone(process: int) -> list[int]:
    """``kill -9`` one process of a session; returns those of it that outlive this by 5 s.

    What comes from the leader of the session is none of those, if that is another and alive.
    """
    session = os.getsid(process)
    os.kill(process, signal.SIGKILL)
    # As long as it dies, what it has started still has a parent.
    soon(lambda: process not in _members(session))
    soon(lambda: not _orphans(session))
    return _orphans(session)


def soon(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether a condition comes true within some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def children(process: int) -> list[int]:
    """Processes that a process has started and that have not ended."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [child for child in map(int, text.split()) if is_alive(child)]


def is_alive(process: int) -> bool:
    """Whether a process has not ended."""
    return _parent_and_session(process) is not None


def _orphans(session: int) -> list[int]:
    parents = _members(session)
    return [process for process in parents if session not in _ancestry(process, parents)]


def _ancestry(process: int, parents: dict[int, int]) -> list[int]:
    """A process, its parent and so on, as far as they are in the session."""
    line = []
    while process in parents:
        line.append(process)
        process = parents[process]
    return line


def _members(session: int) -> dict[int, int]:
    """Living processes of a session, and the parent of each."""
    processes = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    found = {process: _parent_and_session(process) for process in processes}
    return {process: pair[0] for process, pair in found.items() if pair and pair[1] == session}


def _parent_and_session(process: int) -> tuple[int, int] | None:
    """Of a living process; zombies do not count."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    # The name of the command, in parentheses, may hold anything.
    state, parent, _, session, *_ = text.rpartition(")")[2].split()
    return None if state == "Z" else (int(parent), int(session))
