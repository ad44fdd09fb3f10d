"""The real program where a small data set counts as CIFAR-10, in a process for each case.

``python -m tests.campaigns.stand_in`` imports the program once and forks for every case, so that a
case starts in milliseconds, and a crash, a limit or an audit hook ends with it. Which sizes and
digests the program expects is part of the case: a hostile file can have them on its side, and gets
at what lies behind them. A case is a line of JSON on stdin, its answer a line on stdout.
"""

import gc
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, TracebackType
from typing import NoReturn, Self

from softmax_cli.data.batch_files import BatchFile

ROOT = Path(__file__).parents[2]
_SECONDS = 60
_LONGEST_ARGUMENT = 300
_OUTPUTS = ("out", "err", "events")
_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.tmp")

Event = tuple[str | int, ...]


@dataclass(frozen=True)
class Case:
    """A command to run.

    Attributes:
        arguments: what follows ``softmax``.
        folder: the working directory, and where temporary files go.
        files: name, size, MD5, SHA-256 and number of images of each file of the data set.
        memory: bytes of address space beyond those that the idle program has.
        archive: name, size and SHA-256 of the archive to download; None: those of CIFAR-10.
    """

    arguments: list[str]
    folder: str
    files: list[tuple[str, int, str, str, int]]
    memory: int
    archive: tuple[str, int, str] | None = None


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; that of a signal is negative.
        err: what it wrote on stderr.
        events: the audit events it raised, with their texts and numbers; of other arguments the
            type. Random parts of temporary names are left out.
    """

    code: int
    err: str
    events: set[Event] = field(default_factory=set)

    def misbehaviour(self, allowed: set[int]) -> str:
        """What is wrong with the exit code or with the messages; empty if nothing is."""
        if self.code not in allowed:
            return f"expected exit code {sorted(allowed)}, got {self.code}: {self.err[-500:]}"
        if "Traceback" in self.err or (self.code and "Error: " not in self.err):
            return f"expected one clear error, got {self.err[-500:]}"
        return ""


class StandIn:
    """The process that waits for cases; a context manager.

    Args:
        folder: an empty folder for what commands print.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, self._folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
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

    def run(
        self,
        arguments: Sequence[object],
        folder: Path,
        files: Sequence[BatchFile],
        *,
        memory: int,
        archive: tuple[str, int, str] | None = None,
    ) -> Ended:
        """Run ``softmax ARGUMENTS``; `Case` describes the parameters."""
        described = [astuple(file) for file in files]
        case = Case([str(item) for item in arguments], str(folder), described, memory, archive)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(case)) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        _, err, events = (
            (self._folder / name).read_text(errors="backslashreplace") for name in _OUTPUTS
        )
        lines = _TEMPORARY.sub("", events).splitlines()
        return Ended(code, err, {tuple(json.loads(line)) for line in lines})


def environment() -> dict[str, str]:
    """An environment in which this checkout's program comes first and nothing steers it."""
    steering = ("SOFTMAX_", "HTTP", "ALL_PROXY", "http", "all_proxy")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    path = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


def run_unchanged(arguments: Sequence[object], folder: Path) -> Ended:
    """Run ``softmax ARGUMENTS`` as its user would: a fresh process that expects CIFAR-10."""
    command = [sys.executable, "-m", "softmax_cli", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, timeout=_SECONDS, check=False
    )
    return Ended(done.returncode, done.stderr.decode(errors="backslashreplace"))


def _serve(outputs: Path) -> None:
    _import_program()
    gc.freeze()  # spares each child a copy of what was imported
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run_case(Case(**json.loads(line)), outputs)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _import_program() -> None:
    """Import what commands import late, so that no case has to."""
    import rich.console

    import softmax_cli.cli.main
    import softmax_cli.config.loading
    import softmax_cli.config.presets
    import softmax_cli.data.download
    import softmax_cli.training.session

    del rich, softmax_cli


def _run_case(case: Case, outputs: Path) -> NoReturn:
    """Become the program; end with its exit code."""
    code = 70
    try:
        out, err, events = (
            os.open(outputs / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for name in _OUTPUTS
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
    """Let the program expect the case's files in place of CIFAR-10's, and ask no mirror."""
    from softmax_cli.data import cifar10, datasets, download, installation

    files = [BatchFile(*values) for values in case.files]
    archive = download.Archive(*case.archive) if case.archive else download.CIFAR10_ARCHIVE
    patches = {
        (datasets, "load_cifar10"): partial(cifar10.load_cifar10, files=files),
        (installation, "import_cifar10"): partial(installation.import_cifar10, files=files),
        (download, "fetch_cifar10"): partial(download.fetch_cifar10, archive=archive, files=files),
        (download, "mirror_order"): list,
    }
    for (module, name), replacement in patches.items():
        setattr(module, name, replacement)


def _limit(memory: int) -> None:
    """Bound the address space, and the time: an alarm that nobody handles ends the process."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    size = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    signal.alarm(_SECONDS)


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
        return repr(argument[:_LONGEST_ARGUMENT])[1:-1]
    return type(argument).__name__


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
