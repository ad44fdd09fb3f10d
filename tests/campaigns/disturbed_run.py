"""A training or a sweep that something happens to, as a process of its own, and its resumption."""

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.campaigns.campaign import Trial
from tests.campaigns.living_process import ROOT

TRAIN = (
    "train", "-c", "demo", "training.iterations=3000", "training.validate_every=500",
    "training.checkpoint_every=500", "data.train_size=500",
)  # fmt: skip
SWEEP = (
    "sweep", "-c", "demo-sweep", "training.iterations=1500", "training.validate_every=500",
    "training.checkpoint_every=250", "data.train_size=500",
    "parameters.optimizer.learning_rate=[0.001,0.01]",
)  # fmt: skip
ARGUMENTS = {"train": TRAIN, "sweep": SWEEP}
RESULTS = {
    "train": ("model.safetensors", "best.safetensors", "metrics.csv"),
    "sweep": ("best/model.safetensors", "best/metrics.csv", "best.yaml"),
}
PROGRAM = (sys.executable, "-m", "softmax_cli")
_NOISE = re.compile(r"Traceback|Exception ignored|a defect in softmax|\wWarning:")


@dataclass(frozen=True)
class Case:
    """One case and what it may use.

    Attributes:
        trial: where it is recorded.
        name: how to see it again.
        place: an empty folder.
        rng: decides everything.
        wholes: a run of each kind that nobody disturbed.
    """

    trial: Trial
    name: str
    place: Path
    rng: random.Random
    wholes: dict[str, Path]

    def record(self, what: str, faults: Sequence[str]) -> None:
        """Say how it came out."""
        if faults:
            self.trial.broken(f"{self.name}, {what}", "; ".join(faults))
        else:
            self.trial.kept(what)


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it said."""

    code: int
    output: str
    error: str

    def faults(self, *codes: int, saying: str = "") -> list[str]:
        """What is not as it should be."""
        faults = [f"stderr: {self.error}"] if _NOISE.search(self.error) else []
        if self.code not in codes:
            faults.append(f"expected exit code {codes}, got {self.code}: {self.error}")
        if saying not in self.error:
            faults.append(f"expected {saying!r} on stderr, got {self.error!r}")
        return faults


def environment() -> dict[str, str]:
    """That of the program: this checkout, one thread for the same bits, and buffered streams."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return {**inherited, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}


def start_program(
    place: Path, arguments: Sequence[object], before: Callable[[], None] | None = None
) -> "subprocess.Popen[bytes]":
    """The program as a process; what it says goes into the files ``out`` and ``err``."""
    with (place / "out").open("wb") as output, (place / "err").open("wb") as error:
        return subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            cwd=place,
            env=environment(),
            stdout=output,
            stderr=error,
            preexec_fn=before,  # noqa: PLW1509 - no campaign starts threads
        )


def ended(process: "subprocess.Popen[bytes]", place: Path) -> Ended:
    """Wait for a process and read what it said."""
    code = process.wait(timeout=300)
    output, error = ((place / name).read_bytes() for name in ("out", "err"))
    return Ended(code, output.decode("utf-8", "replace"), error.decode("utf-8", "replace"))


def run_program(place: Path, *arguments: object, before: Callable[[], None] | None = None) -> Ended:
    """Run the program to its end; ``before`` is called in its process first."""
    return ended(start_program(place, arguments, before), place)


def resume_faults(case: Case, kind: str, folder: Path) -> list[str]:
    """Resume a run, or start it if it never began, and compare its end with the whole one's."""
    given = folder.relative_to(case.place)
    begun = (folder / ("config.yaml" if kind == "train" else "sweep.yaml")).exists()
    rest = [kind, "--resume", given] if begun else [*ARGUMENTS[kind], "--run-dir", given]
    faults = run_program(case.place, *rest).faults(0)
    for name in RESULTS[kind]:
        made, expected = folder / name, case.wholes[kind] / name
        if not made.exists() or made.read_bytes() != expected.read_bytes():
            faults.append(f"{name} is not that of an uninterrupted run")
    return faults
