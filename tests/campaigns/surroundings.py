"""The program as a process in surroundings that must not matter to what it computes."""

import os
import pty
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LOCALES = ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.EUC-JP")
_ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati")
_FOLDERS = ("here", "over there", "Übung", "a/b/c/d")
_RUNS = ("run", "another run", "größer", "42")


@dataclass(frozen=True)
class Surroundings:
    """Where and how a process is started.

    Attributes:
        hash_seed: PYTHONHASHSEED.
        locale: LC_ALL.
        zone: TZ.
        terminal: whether it sees a terminal, or else pipes.
        folder: working directory, below the campaign's.
        run: name of the run directory.
    """

    hash_seed: int
    locale: str
    zone: str
    terminal: bool
    folder: str
    run: str

    @property
    def variables(self) -> dict[str, str]:
        """Of the environment."""
        seed = str(self.hash_seed)
        return {"PYTHONHASHSEED": seed, "LC_ALL": self.locale, "TZ": self.zone, "TERM": "xterm"}

    @property
    def channel(self) -> str:
        """What the output goes to, in words."""
        return "on a terminal" if self.terminal else "through pipes"


def draw_surroundings(rng: random.Random, number: int) -> Surroundings:
    """Surroundings that no other number has; every second one has a terminal."""
    return Surroundings(
        hash_seed=rng.randrange(2**32),
        locale=rng.choice(_LOCALES),
        zone=rng.choice(_ZONES),
        terminal=number % 2 == 1,
        folder=f"{number}/{rng.choice(_FOLDERS)}",
        run=rng.choice(_RUNS),
    )


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: exit code.
        messages: what it said on stderr, or all that a terminal got.
    """

    code: int
    messages: str


def softmax(
    *arguments: object,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    terminal: bool = False,
) -> Ended:
    """Run a command of the program to its end, in a folder that is made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "softmax_cli", *map(str, arguments)]
    environment = {**os.environ, "SOFTMAX_DEBUG": "0", **(variables or {})}
    if terminal:
        return _on_terminal(command, folder, environment)
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return Ended(ended.returncode, ended.stderr.decode(errors="replace"))


def _on_terminal(command: list[str], folder: Path, environment: dict[str, str]) -> Ended:
    master, slave = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        shown = _read_to_end(master)
    os.close(master)
    return Ended(process.returncode, shown.decode(errors="replace"))


def _read_to_end(terminal: int) -> bytes:
    """All that a terminal gets until the last process on it has ended."""
    parts = []
    while True:
        try:
            parts.append(os.read(terminal, 2**16))
        except OSError:  # Linux says so instead of an end of file.
            return b"".join(parts)
