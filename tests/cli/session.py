"""``python -m tests.cli.session FILE``: run commands of softmax one after the other.

The file says what to run, and what is to be published as CIFAR-10.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from softmax_cli.cli import signals
from softmax_cli.cli.main import main
from softmax_cli.data.dataset import Publication
from tests.data.expectation import expect, publication_from


@dataclass(frozen=True)
class Command:
    """What follows ``softmax``.

    Attributes:
        arguments: of the command.
        code: the exit code to be expected.
        interrupt_at: name of a file; when it is written, Ctrl-C is pressed. Empty for never.
    """

    arguments: tuple[str, ...]
    code: int = 0
    interrupt_at: str = ""


@dataclass(frozen=True)
class Session:
    """Commands, and the data set that they expect."""

    commands: Sequence[Command]
    publication: Publication

    def write(self, path: Path) -> None:
        """Keep it as a file."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Session":
        """Take it from a file."""
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            [Command(**command) for command in document["commands"]],
            publication_from(document["publication"]),
        )

    def run(self) -> None:
        """Run the commands; end the process at the first that ends in an unexpected way."""
        expect(self.publication)
        for command in self.commands:
            code = _code_of(command)
            if code != command.code:
                sys.exit(f"expected exit code {command.code}, got {code}: {command}")


def _code_of(command: Command) -> Any:
    signals._received.clear()
    sys.argv = ["softmax", *command.arguments]
    with _interrupting_at(command.interrupt_at):
        try:
            main()
        except SystemExit as ended:
            return ended.code


@contextmanager
def _interrupting_at(name: str) -> Iterator[None]:
    plain = os.replace

    def replace(source: Any, target: Any) -> None:
        plain(source, target)
        if Path(target).name == name:
            signal.raise_signal(signal.SIGINT)

    with mock.patch.object(os, "replace", replace):
        yield


if __name__ == "__main__":
    Session.read(Path(sys.argv[1])).run()
