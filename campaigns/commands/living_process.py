"""The program as a process that stays alive: imported once, forked for every command.

The fork takes on the command's directory, environment and standard streams, runs ``main()`` and
ends as an interpreter does, its last flush included. What a fork does not repeat is the start of
Python itself.
"""

import io
import os
import pkgutil
import resource
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from campaigns.processes.fork_server import ForkServer, serve
from campaigns.processes.permissions import bind_permissions
from campaigns.processes.program import environment

_MEMORY = 6 << 30


@dataclass(frozen=True)
class Command:
    """One run of the program.

    Attributes:
        arguments: after the name of the program.
        directory: where it runs.
        environment: all of it.
        streams: what standard input, output and error are: a path, or None where it is closed.
        encoding: of the standard streams.
    """

    arguments: list[str]
    directory: str
    environment: dict[str, str]
    streams: tuple[str | None, str | None, str | None]
    encoding: str = "utf-8"


def living_process(home: Path) -> ForkServer:
    """The process, which takes a `Command` as a dictionary.

    Args:
        home: home directory of that process, where libraries look for settings when imported.
    """
    return ForkServer(__name__, environment({"HOME": home, "PYTHONHASHSEED": 0}))


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
    _import_everything()
    _become(serve())
    from softmax_cli.cli.main import main

    main()
