"""The program in a process that stays alive: imported once, forked for every command.

``python -m tests.campaigns.living_process`` reads a command a line from standard input and answers
with a line when it has ended. The fork takes on the command's directory, environment and standard
streams, runs ``main()`` and ends as an interpreter does, its last flush included. What a fork does
not repeat is the start of Python itself.
"""

import ctypes
import gc
import io
import json
import os
import pkgutil
import resource
import select
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_MEMORY = 6 << 30
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
_DROP_FROM_BOUNDS = 24  # PR_CAPBSET_DROP
_CAPABILITY_VERSION = 0x20080522


@dataclass(frozen=True)
class Command:
    """One run of the program.

    Attributes:
        arguments: after the name of the program.
        directory: where it runs.
        environment: all of it.
        streams: what standard input, output and error are: a path, or None where it is closed.
        encoding: of the standard streams.
        seconds: after so many it is killed.
    """

    arguments: list[str]
    directory: str
    environment: dict[str, str]
    streams: tuple[str | None, str | None, str | None]
    encoding: str = "utf-8"
    seconds: float = 60.0


@dataclass
class LivingProcess:
    """Runs commands in forks of one process; a context manager that ends it.

    Attributes:
        home: home directory of that process, where libraries look for settings when imported.
    """

    home: Path
    _server: "subprocess.Popen[str]" = field(init=False)

    def __enter__(self) -> Self:
        settings = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
        settings["HOME"] = str(self.home)
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.campaigns.living_process"],
            cwd=ROOT,
            env={**os.environ, **settings},
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
        self._server.communicate()

    def run(self, command: Command) -> int | None:
        """The exit code, negative for a signal; None if it had to be killed."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(asdict(command)) + "\n")
        self._server.stdin.flush()
        code: int | None = json.loads(self._server.stdout.readline())
        return code


def bind_permissions() -> None:
    """Let the permissions of files bind this process and those it starts, even for root."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in _OVERRIDES:
        libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets) == 0:
        mask = ~sum(1 << capability for capability in _OVERRIDES)
        sets[0], sets[1] = sets[0] & mask, sets[1] & mask
        libc.capset(header, sets)


def _serve() -> dict[str, Any]:
    """Fork for each command that comes; returns only in the forks, with their command."""
    _import_everything()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            return command
        sys.stdout.write(json.dumps(_wait(child, command["seconds"])) + "\n")
        sys.stdout.flush()
    os._exit(0)


def _import_everything() -> None:
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_pdf
    import matplotlib.backends.backend_svg  # noqa: F401
    import PIL.Image
    import rich.table
    import rich.text  # noqa: F401

    import softmax_cli

    for module in pkgutil.walk_packages(softmax_cli.__path__, "softmax_cli."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    PIL.Image.init()


def _wait(child: int, seconds: float) -> int | None:
    descriptor = os.pidfd_open(child)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    in_time = poll.poll(1000 * seconds)
    os.close(descriptor)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if in_time else None


def _become(command: dict[str, Any]) -> None:
    """Make this process what a shell would have started."""
    streams = [_opened(path, number) for number, path in enumerate(command["streams"])]
    for number, descriptor in enumerate(streams):
        if descriptor is None:
            os.close(number)
        else:
            os.dup2(descriptor, number)
            os.close(descriptor)
    encoding = command["encoding"]
    sys.stdin = _text(streams, 0, encoding, "surrogateescape")
    sys.stdout = _text(streams, 1, encoding, "strict")
    sys.stderr = _text(streams, 2, encoding, "backslashreplace")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.chdir(command["directory"])
    os.environ.clear()
    os.environ.update(command["environment"])
    bind_permissions()
    sys.argv = ["softmax", *command["arguments"]]


def _opened(path: str | None, number: int) -> int | None:
    """A descriptor beyond the standard ones; ``|`` is a pipe whose other end is closed."""
    if path is None:
        return None
    if path == "|":
        reader, writer = os.pipe()
        os.close(reader)
        return writer
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
    return os.open(path, flags, 0o666)


def _text(streams: list[int | None], number: int, encoding: str, errors: str) -> Any:
    if streams[number] is None:
        return None
    binary = open(number, "wb" if number else "rb", closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(binary, encoding, errors, line_buffering=number == 2)


if __name__ == "__main__":
    _become(_serve())
    from softmax_cli.cli.main import main

    main()
