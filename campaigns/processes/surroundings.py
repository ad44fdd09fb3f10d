"""The program as a process in surroundings that must not matter to what it computes."""

import os
import pty
import random
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from campaigns.processes.program import (
    PROGRAM,
    Ended,
    environment,
    python_starts_in,
    run_program,
    text_of,
)

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
    """Surroundings that no other number has; every second one has a terminal, if it can be had."""
    return Surroundings(
        hash_seed=rng.randrange(2**32),
        locale=rng.choice([locale for locale in _LOCALES if python_starts_in(locale)]),
        zone=rng.choice(_ZONES),
        terminal=number % 2 == 1 and has_terminals(),
        folder=f"{number}/{rng.choice(_FOLDERS)}",
        run=rng.choice(_RUNS),
    )


@cache
def has_terminals() -> bool:
    """Whether this system hands out terminals; a container may have none."""
    try:
        ends = pty.openpty()
    except OSError:
        return False
    for end in ends:
        os.close(end)
    return True


def run_in(
    where: Surroundings, *arguments: object, folder: Path, threads: int | None = None
) -> Ended:
    """Run ``softmax ARGUMENTS`` to its end, in a folder that is made if there is none.

    All that a terminal gets counts as ``err``. `threads` is that of `environment`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    variables = environment(where.variables, threads=threads)
    if where.terminal:
        return _on_terminal([*PROGRAM, *map(str, arguments)], folder, variables)
    return run_program(*arguments, folder=folder, variables=variables)


def _on_terminal(command: list[str], folder: Path, variables: dict[str, str]) -> Ended:
    master, slave = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        shown = _read_to_end(master)
    os.close(master)
    return Ended(process.returncode, "", text_of(shown))


def _read_to_end(terminal: int) -> bytes:
    """All that a terminal gets until the last process on it has ended."""
    parts = []
    while True:
        try:
            parts.append(os.read(terminal, 2**16))
        except OSError:  # Linux says so instead of an end of file.
            return b"".join(parts)
