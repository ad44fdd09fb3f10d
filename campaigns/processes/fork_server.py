"""A process that has the program in memory and forks for every case, in milliseconds."""

import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from campaigns.processes.program import CHECKOUT

SECONDS = 60.0
"""How long a case may take."""


class ForkServer:
    """Such a process, from the side of the campaign; a context manager that ends it.

    Args:
        module: what is run there as ``python -m``; it imports what it needs and calls `serve`.
        environment: of the process.
    """

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._module = module
        self._environment = environment

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            cwd=CHECKOUT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(self, case: Mapping[str, Any]) -> int | None:
        """The exit code of a case, negative for a signal; None if it had to be killed.

        Args:
            case: what `serve` returns in the fork; goes through JSON.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        code: int | None = json.loads(self._process.stdout.readline())
        return code


def serve() -> dict[str, Any]:
    """Fork for each case that comes; returns only in the forks, with their case."""
    gc.collect()
    gc.freeze()  # spares each fork a copy of what was imported
    for line in sys.stdin:
        case: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            return case
        sys.stdout.write(json.dumps(_wait(child)) + "\n")
        sys.stdout.flush()
    os._exit(0)


def _wait(child: int) -> int | None:
    descriptor = os.pidfd_open(child)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    in_time = poll.poll(1000 * SECONDS)
    os.close(descriptor)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if in_time else None
