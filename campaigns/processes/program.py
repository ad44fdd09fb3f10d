"""The program as its user runs it, in an environment that a campaign decides."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "softmax_cli")
SECONDS = 300
"""How long a process may take whose end is waited for."""

_STEERING = ("SOFTMAX_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PYTHONUNBUFFERED")
_NOISE = re.compile(r"Traceback|Exception ignored|a defect in|\wWarning:")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code, or minus the number of a signal, and what it wrote."""

    code: int
    out: str
    err: str

    def faults(self, *codes: int, saying: str = "") -> list[str]:
        """What is not as it should be: another exit code, a text that is missing, noise."""
        faults = [f"stderr: {self.err}"] if is_noise(self.err) else []
        if self.code not in codes:
            faults.append(f"expected exit code {codes}, got {self.code}: {self.err[-500:]}")
        if saying not in self.err:
            faults.append(f"expected {saying!r} on stderr, got {self.err[-500:]!r}")
        return faults

    def error_faults(self, *codes: int) -> list[str]:
        """The same for a command that has to succeed or to say why it does not."""
        return self.faults(*codes, saying="Error: " if self.code else "")


def is_noise(messages: str) -> bool:
    """Whether there is more in messages than the program's own words: what Python says."""
    return _NOISE.search(messages) is not None


@cache
def python_starts_in(locale: str) -> bool:
    """Whether Python itself starts with this LC_ALL.

    Before 3.13 it reads the path of an editable installation in the encoding of the locale, and
    ends where the path has letters that ASCII lacks.
    """
    command = [sys.executable, "-c", ""]
    variables = environment({"LC_ALL": locale})
    return subprocess.run(command, env=variables, capture_output=True, check=False).returncode == 0


def environment(
    variables: Mapping[str, object] | None = None, *, threads: int | None = 1
) -> dict[str, str]:
    """Of the program: this checkout, and nothing of its user's that steers it.

    Args:
        variables: more of them.
        threads: of BLAS; None for as many as it would take.
    """
    own = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(_STEERING)
    }
    blas = {} if threads is None else {"OPENBLAS_NUM_THREADS": threads}
    ours = {"PYTHONPATH": CHECKOUT, **blas, **(variables or {})}
    return own | {name: str(value) for name, value in ours.items()}


def run_program(
    *arguments: object,
    folder: Path,
    variables: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
    seconds: float = SECONDS,
) -> Ended:
    """Run ``softmax ARGUMENTS`` to its end.

    Args:
        arguments: after the name of the program.
        folder: the working directory.
        variables: all of the environment, if not that of `environment`.
        before: is called in the new process before the program.
        seconds: after so many it is killed, and `subprocess.TimeoutExpired` raised.
    """
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=variables or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=seconds,
        preexec_fn=before,
    )
    return Ended(done.returncode, text_of(done.stdout), text_of(done.stderr))


def text_of(written: bytes) -> str:
    """What a process has written, without colours."""
    return _COLOUR.sub("", written.decode("utf-8", "replace"))
