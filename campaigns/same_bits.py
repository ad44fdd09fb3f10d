"""Same seed, same bits: one training and one sweep, again and again in other surroundings.

The count is that of trainings. Thread counts, resumed runs and sweeps come on top, in proportion.
With ``SOFTMAX_TEST_CIFAR10`` the images are the real ones, but for runs of fewer than ten:
unpacking would take longer than these.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from campaigns.campaign import Campaign, Trial
from campaigns.processes.program import PROGRAM, Ended, environment, run_program
from campaigns.processes.surroundings import Surroundings, draw_surroundings, run_in
from softmax_cli.runs import environment as recorded
from softmax_cli.runs.checkpoint import load_latest_checkpoint, save_checkpoint
from softmax_cli.runs.model_file import load_model
from softmax_cli.runs.tables import read_json
from tests.conftest import unpack_cifar10
from tests.tuning.conftest import table

_SETTINGS = (
    "data.train_size=2000",
    "preprocessing.scale=pixel",
    "augmentation.horizontal_flip=true",
    "optimizer.learning_rate=0.003",
    "training.sampling=epoch",
    "training.iterations=90",
    "training.validate_every=30",
    # The last one is before the end, so that a finished run can be turned into a cut one.
    "training.checkpoint_every=40",
)
_AXES = (
    "parameters.training.sampling=[replacement,epoch]",
    "parameters.optimizer.learning_rate=[0.001,0.003]",
    "parameters.optimizer.regularization=[0.01]",
)
_BITS = ("model.safetensors", "best.safetensors", "metrics.csv")
_RESULTS = (*_BITS, "summary.json")
_RECORDED = ("blas", "blas_kernel", "blas_threads", "blas_version", "cpu", "numpy")
_T = TypeVar("_T")
_WEIGHTS_WITHIN = 1e-5
_ACCURACY_WITHIN = 0.001


def _run(trial: Trial) -> None:
    settings = _settings(trial)
    home = Surroundings(0, "C.UTF-8", "UTC", terminal=False, folder="home", run="run")
    others = [draw_surroundings(trial.rng, number) for number in range(1, trial.count)]
    training = _Repeated(trial, "train", ("--config", "demo", *settings), _differing_bits)
    sweep_of = ("--config", "demo-sweep", *settings, *_AXES)
    sweep = _Repeated(trial, "sweep", sweep_of, _differing_tables)
    if not (training.begin(home) and sweep.begin(home)):
        return
    _check_record(trial, training.path(home))
    _together(training.repeat, others)
    _together(sweep.repeat, others[::5])
    threads = [n for n in (1, 2, 4) if n <= len(os.sched_getaffinity(0))]
    _together(training.with_threads, threads if trial.count >= 10 else threads[:1])
    changes = [None, *trial.rng.sample(_RECORDED, len(_RECORDED))]
    _together(training.resume, changes[: trial.count // 2])
    _together(sweep.resume, changes[: trial.count // 5])


def _settings(trial: Trial) -> tuple[str, ...]:
    source = os.environ.get("SOFTMAX_TEST_CIFAR10")
    if not source or trial.count < 10:
        return _SETTINGS
    unpack_cifar10(Path(source), trial.folder / "cifar10")
    return (*_SETTINGS, "data.dataset=cifar10", f"data.dir={trial.folder / 'cifar10'}")


def _together(function: Callable[[_T], None], cases: Iterable[_T]) -> None:
    """Two at a time: what else the machine does must not matter either."""
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(function, cases):
            pass


class _Repeated:
    """One command that must come to the same results wherever it is run."""

    def __init__(
        self,
        trial: Trial,
        command: str,
        arguments: tuple[str, ...],
        differences: Callable[[Path, Path], list[str]],
    ) -> None:
        self._trial = trial
        self._command = command
        self._arguments = arguments
        self._differences = differences
        self._expected = Path()

    def path(self, where: Surroundings) -> Path:
        """The run directory there."""
        return self._trial.folder / self._command / where.folder / where.run

    def begin(self, where: Surroundings) -> bool:
        """Run it where it is compared with later; whether it ended well."""
        self._expected = self.path(where)
        ended = self._start(where)
        return self._ended_well(ended, f"first {self._command}")

    def repeat(self, where: Surroundings) -> None:
        """Run it elsewhere."""
        case = f"{self._command} in {where}"
        if self._ended_well(self._start(where), case):
            found = self._differences(self._expected, self.path(where))
            self._trial.judge(case, f"{self._command} {where.channel}: same", found)

    def with_threads(self, threads: int) -> None:
        """Run it with so many threads of BLAS, and resume it with as many as there were before."""
        case = f"{self._command} with {threads} threads"
        where = Surroundings(0, "C.UTF-8", "UTC", terminal=False, folder=case, run="run")
        ended = self._start(where, threads)
        if not self._ended_well(ended, case):
            return
        path = self.path(where)
        self._trial.judge(case, f"{case}: close", _distances(self._expected, path))
        _check_record(self._trial, path, threads)
        now = recorded.environment()["blas_threads"]
        warning = f"blas_threads: {threads}, now {now}" if threads != now else None
        _cut_back(path)
        self._go_on(path, f"{case}, then resumed", warning, _distances)

    def resume(self, changed: str | None) -> None:
        """Go on from its checkpoint, which says it was made elsewhere if something is changed."""
        path = self._trial.folder / self._command / f"resumed {changed}"
        warning, case = None, f"{self._command} resumed where it was made"
        if self._command == "train":
            shutil.copytree(self._expected, path)
            _cut_back(path)
        else:
            self._stop(path)
        if changed is not None:
            case = f"{self._command} resumed with another {changed}"
            warning = f"{changed}: another, now {recorded.environment()[changed]}"
            for folder in _checkpoint_folders(path):
                _rewrite_record(folder, changed)
        self._go_on(path, case, warning, self._differences)

    def _stop(self, path: Path) -> None:
        """Start it and stop it once it has a checkpoint: a finished sweep keeps none."""
        process = subprocess.Popen(
            [*PROGRAM, self._command, *self._arguments, "--run-dir", path],
            env=environment(threads=None),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and not any(path.glob("checkpoint/*/step-*")):
            time.sleep(0.001)
        process.terminate()
        if process.wait() != 128 + signal.SIGTERM:
            raise RuntimeError(f"expected {path} to stop, got exit code {process.returncode}")

    def _go_on(
        self,
        path: Path,
        case: str,
        warning: str | None,
        differences: Callable[[Path, Path], list[str]],
    ) -> None:
        """Resume what was cut, and compare."""
        ended = run_program(
            *(self._command, "--resume", path, "--quiet"),
            folder=self._trial.folder,
            variables=environment(threads=None),
        )
        if not self._ended_well(ended, case):
            return
        found = differences(self._expected, path)
        said = " ".join(ended.err.split())
        if warning is None and "The last bits" in said:
            found.append(f"expected no warning of another environment, got {said!r}")
        if warning is not None and warning not in said:
            found.append(f"expected a warning with {warning!r}, got {said!r}")
        self._trial.judge(
            case, f"{self._command} resumed {'elsewhere' if warning else 'here'}", found
        )

    def _start(self, where: Surroundings, threads: int | None = None) -> Ended:
        path = self.path(where)
        arguments = (self._command, *self._arguments, "--run-dir", path.name)
        return run_in(where, *arguments, folder=path.parent, threads=threads)

    def _ended_well(self, ended: Ended, case: str) -> bool:
        if faults := ended.faults(0):
            self._trial.broken(case, "; ".join(faults))
        return not faults


def _cut_back(path: Path) -> None:
    """Cut a finished training back to its last checkpoint."""
    for name in _RESULTS:
        (path / name).unlink(missing_ok=True)


def _differing_bits(expected: Path, path: Path) -> list[str]:
    """Files of two trainings that are not the same; no column of the metrics is a time."""
    return [
        f"{name} has other bits"
        for name in _BITS
        if (expected / name).read_bytes() != (path / name).read_bytes()
    ]


def _differing_tables(expected: Path, path: Path) -> list[str]:
    """What differs between two sweeps: the table, or the best model."""
    found = [] if table(expected) == table(path) else ["results.csv has other rows"]
    return found + _differing_bits(expected / "best", path / "best")


def _distances(expected: Path, path: Path) -> list[str]:
    """What of two trainings is further apart than rounding may take it."""
    a, b = (_weights(directory) for directory in (expected, path))
    distance = float(np.linalg.norm(a - b) / np.linalg.norm(a))
    found = [] if distance <= _WEIGHTS_WITHIN else [f"weights are {distance:.1e} apart"]
    before, after = (read_json(directory / "summary.json") for directory in (expected, path))
    return found + [
        f"{name} is {after[name]}, not {before[name]}"
        for name in ("train_accuracy", "validation_accuracy")
        if abs(before[name] - after[name]) > _ACCURACY_WITHIN + 1e-9
    ]


def _weights(path: Path) -> "np.ndarray[Any, np.dtype[np.float64]]":
    model = load_model(path / "model.safetensors")
    return np.vstack([model.weights, model.bias]).astype(np.float64)


def _check_record(trial: Trial, path: Path, threads: int | None = None) -> None:
    """What a checkpoint says of the environment it was made in."""
    expected = recorded.environment()
    if threads is not None:
        expected["blas_threads"] = threads
    record = load_latest_checkpoint(path / "checkpoint")[0].document.get("environment")
    faults = [] if record == expected else [f"expected {expected}, got {record}"]
    trial.judge(str(path), "environment recorded", faults)


def _rewrite_record(folder: Path, changed: str) -> None:
    """Make a checkpoint say that it comes from where something is another."""
    checkpoint, _ = load_latest_checkpoint(folder)
    record = {**checkpoint.document.get("environment", {}), changed: "another"}
    document = {**checkpoint.document, "environment": record}
    save_checkpoint(folder, replace(checkpoint, document=document))


def _checkpoint_folders(path: Path) -> list[Path]:
    """Of a training, or of the stacks of a sweep."""
    return sorted((path / "checkpoint").glob("stack-*")) or [path / "checkpoint"]


CAMPAIGN = Campaign("Same seed, same bits.", _run, short=2, long=20)
