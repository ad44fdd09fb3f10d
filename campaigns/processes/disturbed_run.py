"""A training or a sweep that something happens to, as a process of its own, and its resumption."""

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from campaigns.campaign import Trial
from campaigns.processes.program import (
    PROGRAM,
    SECONDS,
    Ended,
    environment,
    run_program,
    text_of,
)
from tests.hangup import hangups

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


@dataclass(frozen=True)
class Case:
    """One case and what it may use.

    Attributes:
        trial: where it is recorded.
        name: how to see it again.
        place: an empty folder.
        rng: decides everything.
        wholes: an undisturbed run of each kind.
    """

    trial: Trial
    name: str
    place: Path
    rng: random.Random
    wholes: dict[str, Path]

    def record(self, what: str, faults: Sequence[str]) -> None:
        """Say how it came out."""
        self.trial.judge(f"{self.name}, {what}", what, faults)


def start_program(
    place: Path, arguments: Sequence[object], *, threads: int
) -> "subprocess.Popen[bytes]":
    """The program as a process group; what it says goes into the files ``out`` and ``err``."""
    with (
        hangups(ignored=False),
        (place / "out").open("wb") as output,
        (place / "err").open("wb") as error,
    ):
        return subprocess.Popen(
            [*PROGRAM, *map(str, arguments)],
            cwd=place,
            env=environment(threads=threads),
            stdout=output,
            stderr=error,
            start_new_session=True,
        )


def ended(process: "subprocess.Popen[bytes]", place: Path) -> Ended:
    """Wait for a process and read what it said."""
    code = process.wait(timeout=SECONDS)
    output, error = ((place / name).read_bytes() for name in ("out", "err"))
    return Ended(code, text_of(output), text_of(error))


def resume_faults(case: Case, kind: str, folder: Path) -> list[str]:
    """Resume a run, or start it if it never began, and compare its end with the whole one's."""
    given = folder.relative_to(case.place)
    begun = (folder / ("config.yaml" if kind == "train" else "sweep.yaml")).exists()
    rest = [kind, "--resume", given] if begun else [*ARGUMENTS[kind], "--run-dir", given]
    faults = run_program(*rest, folder=case.place).faults(0)
    for name in RESULTS[kind]:
        made, expected = folder / name, case.wholes[kind] / name
        if not made.exists() or made.read_bytes() != expected.read_bytes():
            faults.append(f"{name} is not that of an uninterrupted run")
    return faults
