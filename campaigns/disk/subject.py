"""Small trainings and sweeps that are run hundreds of times, and what is left of each."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from campaigns.disk import faulty_disk
from campaigns.disk.faulty_disk import VARIABLE, Fault
from campaigns.processes.program import Ended, environment
from campaigns.processes.sessions import children, is_alive, soon

NO_FAULT = Fault()
_SECONDS = 120
_SETTINGS = {"train": "config.yaml", "sweep": "sweep.yaml"}
_AXES = (
    "parameters.optimizer.learning_rate=[0.001,0.01]",
    "parameters.optimizer.regularization=[0.01]",
    "parameters.training.batch_size=[10,20]",
)


@dataclass(frozen=True)
class Subject:
    """A command whose results are known.

    Attributes:
        name: in reports.
        command: ``train`` or ``sweep``.
        options: without the run directory, which is ``run``.
        interval: steps between checkpoints.
        threads: of BLAS; from two on a step of a training is shared with a second process.
    """

    name: str
    command: str
    options: tuple[str, ...]
    interval: int
    threads: int = 1

    @property
    def start(self) -> tuple[str, ...]:
        """Arguments that start it."""
        return (self.command, *self.options, "--run-dir", "run")

    @property
    def resume(self) -> tuple[str, ...]:
        """Arguments that go on with it."""
        return (self.command, "--resume", "run")


def _subject(name: str, config: str, iterations: int, interval: int, *more: str) -> Subject:
    options = (
        "--config",
        config,
        "data.train_size=500",
        f"training.iterations={iterations}",
        f"training.validate_every={interval // 2}",
        f"training.checkpoint_every={interval}",
        *more,
    )
    return Subject(name, name.rsplit(maxsplit=1)[-1], options, interval)


TRAINING = _subject("train", "demo", 600, 200)
TRAINING_OF_TWO = replace(TRAINING, name="train on two processes", threads=2)
SWEEP = _subject("sweep", "demo-sweep", 200, 100, *_AXES)
HALVING_SWEEP = _subject(
    "halving sweep", "demo-sweep", 200, 50, *_AXES, "search={halving: {factor: 2, rungs: 2}}"
)


@dataclass(frozen=True)
class Whole:
    """An undisturbed run.

    Attributes:
        operations: each operation on a file, as ``write: run/config.yaml``.
        steps: steps of training, over all stacks.
        seconds: from the first operation on a file to the end of the process.
        contents: of the run directory, as :func:`contents` gives them.
    """

    operations: list[str]
    steps: int
    seconds: float
    contents: dict[str, Any]


class Case:
    """A folder in which a subject is started, disturbed and resumed.

    Args:
        folder: need not exist.
        subject: what is run.
    """

    def __init__(self, folder: Path, subject: Subject) -> None:
        self._orphans: list[int] = []
        self.folder = folder
        self.subject = subject
        self.run_directory = folder / "work/run"
        self.clear()

    def clear(self) -> None:
        """Make the folder as new."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("work", "shadow"):
            (self.folder / name).mkdir(parents=True)

    def begin(self, arguments: tuple[str, ...], fault: Fault = NO_FAULT) -> "subprocess.Popen[str]":
        """Start the program."""
        return subprocess.Popen(
            [sys.executable, "-m", faulty_disk.__name__, *arguments],
            cwd=self.folder / "work",
            env=environment({VARIABLE: fault.to_text()}, threads=self.subject.threads),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: tuple[str, ...], fault: Fault = NO_FAULT) -> Ended:
        """Run the program to its end, its own or one that the fault gives it."""
        return _ended(self.begin(arguments, fault))

    def run_and_kill(self, arguments: tuple[str, ...], seconds: float) -> Ended:
        """Run the program, and kill it some time after its first operation on a file."""
        process = self.begin(arguments)
        self._wait_for_operation(process)
        time.sleep(seconds)
        second = children(process.pid)
        process.kill()
        soon(lambda: not any(map(is_alive, second)))
        for orphan in filter(is_alive, second):
            self._orphans.append(orphan)
            os.kill(orphan, signal.SIGKILL)
        return _ended(process)

    def run_and_kill_second(self, arguments: tuple[str, ...], seconds: float) -> Ended:
        """Run the program, and kill its second process some time after that has begun."""
        process = self.begin(arguments)
        while process.poll() is None and not children(process.pid):
            time.sleep(0.002)
        time.sleep(seconds)
        for child in children(process.pid):
            os.kill(child, signal.SIGKILL)
        return _ended(process)

    def run_whole(self) -> Whole:
        """Run the subject undisturbed."""
        process = self.begin(self.subject.start)
        self._wait_for_operation(process)
        start = time.perf_counter()
        end = _ended(process)
        if end.code != 0:
            raise RuntimeError(f"undisturbed, {self.subject.name} gave {end}")
        seconds = time.perf_counter() - start
        return Whole(self.operations(), self.steps(), seconds, contents(self.run_directory))

    def _wait_for_operation(self, process: "subprocess.Popen[str]") -> None:
        before = len(self.operations())
        while process.poll() is None and len(self.operations()) == before:
            time.sleep(0.002)

    def operations(self) -> list[str]:
        """Operations on files so far, in all processes of this case."""
        return [line for line in self._log() if line != "step"]

    def steps(self) -> int:
        """Steps of training so far, in all processes of this case."""
        return self._log().count("step")

    def _log(self) -> list[str]:
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []

    def complaint(self, whole: Whole, interruptions: int) -> str | None:
        """Go on with what was interrupted; what is wrong with that, if anything."""
        if self._orphans:
            return f"processes {self._orphans} outlived the one that was killed by 5 s"
        arguments = self.subject.resume
        if not (self.run_directory / _SETTINGS[self.subject.command]).exists():
            refused = self.run(arguments)
            if refused.code != 2 or "Traceback" in refused.err:
                return f"resuming what is no run yet gave {refused}"
            arguments = self.subject.start
        last = self.run(arguments)
        if last.code != 0:
            return f"going on gave {last}"
        if "passed over" in last.err:
            return f"a checkpoint was damaged: {last.err}"
        lost = self.steps() - whole.steps
        if lost > interruptions * self.subject.interval:
            return f"{lost} steps were lost by {interruptions} interruptions"
        return difference(whole.contents, contents(self.run_directory))


def _ended(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a process; one that hangs is killed."""
    try:
        out, err = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return Ended(process.returncode, out, err)


def contents(run: Path) -> dict[str, Any]:
    """What is in each file of a run directory, apart from times; of checkpoints the name only."""
    files = sorted(path for path in run.rglob("*") if path.is_file())
    return {str(path.relative_to(run)): _content(path) for path in files}


def difference(expected: dict[str, Any], got: dict[str, Any]) -> str | None:
    """Files that are missing, too many or not the same, in a line; None if there are none."""
    names = sorted(expected.keys() | got.keys())
    states = {
        name: "missing" if name not in got else "too many" if name not in expected else "other"
        for name in names
        if expected.get(name) != got.get(name)
    }
    return ", ".join(f"{name} ({state})" for name, state in states.items()) or None


def _content(path: Path) -> Any:
    data = path.read_bytes()
    if path.name.startswith("step-"):
        return "a checkpoint"
    try:
        return _without_times(path.name, data)
    except (ValueError, KeyError):
        return data


def _without_times(name: str, data: bytes) -> Any:
    if name.endswith(".json"):
        return _timeless(json.loads(data))
    if name == "trials.jsonl":
        lines = [_timeless(json.loads(line)) for line in data.splitlines()]
        return sorted(lines, key=lambda line: str(line["id"]))
    if name == "results.csv":
        return [_timeless(row) for row in csv.DictReader(data.decode().splitlines())]
    return data


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key != "seconds"}
    return value
