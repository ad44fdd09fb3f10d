"""The real program where a small data set counts as CIFAR-10, in a process for each case.

A case is a fork, so that a crash, a limit or an audit hook ends with it. Which sizes and digests
the program expects is part of the case: a hostile file can have them on its side, and gets at what
lies behind them.
"""

import json
import os
import re
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

from campaigns.processes import program
from campaigns.processes.fork_server import SECONDS, ForkServer, serve
from softmax_cli.data.dataset import Publication

_MAX_ARGUMENT = 300
_OUTPUTS = ("out", "err", "events")
_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.tmp")

Event = tuple[str | int, ...]


@dataclass(frozen=True)
class Case:
    """A command to run.

    Attributes:
        arguments: what follows ``softmax``.
        folder: the working directory, and where temporary files go.
        publication: what the program expects, as a document.
        memory: bytes of address space beyond those that the idle program has.
        outputs: folder for what it prints and raises.
    """

    arguments: list[str]
    folder: str
    publication: dict[str, Any]
    memory: int
    outputs: str


@dataclass(frozen=True)
class Ended(program.Ended):
    """How a case ended.

    Attributes:
        events: the audit events it raised, with their texts and numbers; of other arguments the
            type. Random parts of temporary names are left out.
    """

    events: set[Event] = field(default_factory=set)


class StandIn(ForkServer):
    """The process that waits for cases; a context manager.

    Args:
        folder: for what commands print; is made.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(__name__, program.environment({"MALLOC_ARENA_MAX": 1}))
        folder.mkdir(parents=True)
        self._folder = folder

    def softmax(
        self,
        arguments: Sequence[object],
        folder: Path,
        publication: Publication,
        *,
        memory: int,
    ) -> Ended:
        """Run ``softmax ARGUMENTS``; `Case` describes the parameters."""
        case = Case(
            arguments=[str(item) for item in arguments],
            folder=str(folder),
            publication=asdict(publication),
            memory=memory,
            outputs=str(self._folder),
        )
        code = self.run(asdict(case))
        out, err, events = (
            (self._folder / name).read_text(errors="backslashreplace") for name in _OUTPUTS
        )
        lines = _TEMPORARY.sub("", events).splitlines()
        raised = {tuple(json.loads(line)) for line in lines}
        return Ended(-signal.SIGKILL if code is None else code, out, err, raised)


def run_unchanged(arguments: Sequence[object], folder: Path) -> Ended:
    """Run ``softmax ARGUMENTS`` as its user would: it expects CIFAR-10, and no events are known."""
    ended = program.run_program(*arguments, folder=folder, seconds=SECONDS)
    return Ended(ended.code, ended.out, ended.err)


def _import_program() -> None:
    """Import what commands import late, so that no case has to."""
    import rich.console

    import softmax_cli.cli.main
    import softmax_cli.config.loading
    import softmax_cli.config.presets
    import softmax_cli.data.datasets
    import softmax_cli.data.download
    import softmax_cli.training.single_run

    del rich, softmax_cli


def _run_case(case: Case) -> NoReturn:
    """Become the program; end with its exit code."""
    code = 70
    try:
        out, err, events = (
            os.open(Path(case.outputs, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for name in _OUTPUTS
        )
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.chdir(case.folder)
        os.environ["TMPDIR"] = case.folder
        _expect(case)
        _limit(case.memory)
        sys.argv = ["softmax", *case.arguments]
        _watch(events)
        from softmax_cli.cli.main import main

        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _expect(case: Case) -> None:
    """Let the program expect the case's files in place of CIFAR-10's."""
    from tests.data.expectation import expect, publication_from

    expect(publication_from(case.publication))


def _limit(memory: int) -> None:
    """Bound the address space."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _watch(descriptor: int) -> None:
    """Write down every audit event of this process, each once."""
    seen: set[Event] = set()

    def record(event: str, arguments: tuple[object, ...]) -> None:
        entry = (event, *map(_told, arguments))
        # An address says nothing, and is another one each time.
        if event != "builtins.id" and entry not in seen:
            seen.add(entry)
            os.write(descriptor, json.dumps(entry).encode() + b"\n")

    sys.addaudithook(record)


def _told(argument: object) -> str | int:
    if isinstance(argument, int):
        return int(argument)
    if isinstance(argument, CodeType):
        return f"{argument.co_filename}:{argument.co_name}"
    if isinstance(argument, str | bytes):
        return repr(argument[:_MAX_ARGUMENT])[1:-1]
    return type(argument).__name__


if __name__ == "__main__":
    _import_program()
    _run_case(Case(**serve()))
