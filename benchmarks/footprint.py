"""What using this package costs beside the arithmetic: loading, starting, memory."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.peak import run_measured
from benchmarks.task import Images, LinearModel
from benchmarks.timing import Announce, Comparison, Figure, Goal, Spread, measure
from softmax_cli.data.dataset_files import find_folder
from softmax_cli.data.datasets import DEFAULT_DATASET, find_publication
from softmax_cli.data.images import PIXELS

LOADING_GOALS = (Goal("softmax", "reading the same bytes", 2.0, at_least=False),)
_TRAINING_PEAK = 260.0
"""Megabytes at most for ``softmax train --config cs231n``."""
_OPTIMUM_PEAK = 1.5
"""Memory at most for the optimum, over that of all training features as float32."""


class Call:
    """A contender that calls a function and learns nothing.

    What the function returns is kept until the end of the next call, as a user would keep it.
    """

    share = 1.0

    def __init__(self, name: str, function: Callable[[], object]) -> None:
        self.name = name
        self._function = function

    def setup(self) -> None:
        self._kept: object = None

    def run(self) -> None:
        self._kept = self._function()

    def learned(self) -> Sequence[LinearModel]:
        self._kept = None
        return ()


def compare_loading(data_dir: Path, *, repeats: int, announce: Announce) -> Comparison:
    """Load and verify both splits, against reading the same files into memory."""
    publication = find_publication(DEFAULT_DATASET)
    folder = find_folder(data_dir, publication)
    contenders = [
        Call("softmax", lambda: Images.load(data_dir)),
        Call(
            "reading the same bytes",
            lambda: [(folder / file.name).read_bytes() for file in publication.files],
        ),
    ]
    return Comparison(
        name="loading",
        title=f"Loading {publication.title}, both splits",
        measurements=tuple(measure(contenders, None, repeats, announce)),
        goals=LOADING_GOALS,
        notes=("The files are in the page cache. softmax hashes every byte.",),
    )


def compare_start(*, repeats: int, announce: Announce) -> Comparison:
    """``softmax --help`` against importing the two libraries that draw it."""
    imports, help_ = ["-c", "import typer, rich"], ["-m", "softmax_cli", "--help"]
    contenders = [
        Call("softmax --help", lambda: _run_python(help_)),
        Call("python -c 'import typer, rich'", lambda: _run_python(imports)),
    ]
    return Comparison(
        name="start",
        title="Starting",
        measurements=tuple(measure(contenders, None, repeats, announce)),
        goals=(Goal("softmax --help", "python -c 'import typer, rich'", 1.3, at_least=False),),
    )


def _run_python(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def peak_of_training(data_dir: Path, *, repeats: int, announce: Announce) -> Figure:
    """Peak memory of ``softmax train --config cs231n``, loading included."""
    command = softmax_command(data_dir, "train", "--config", "cs231n")
    peaks = Spread.of([peak / 1e6 for peak in _peaks(command, repeats, announce)])
    name = "peak memory of softmax train --config cs231n"
    return Figure(name, peaks, _TRAINING_PEAK, at_least=False, unit="MB")


def peak_of_optimum(
    data_dir: Path, settings: Sequence[str], *, trained: int, repeats: int, announce: Announce
) -> Figure:
    """Peak memory of ``softmax sweep --config optimum-sweep`` over that of its features.

    Args:
        data_dir: where CIFAR-10 is.
        settings: overrides of the preset.
        trained: training images.
        repeats: how often it is run.
        announce: is told of each run.
    """
    features = trained * PIXELS * np.dtype(np.float32).itemsize
    wanted = [*settings, f"data.train_size={trained}"]
    command = softmax_command(data_dir, "sweep", "--config", "optimum-sweep", *wanted)
    peaks = Spread.of([peak / features for peak in _peaks(command, repeats, announce)])
    name = "optimum: peak memory of the sweep / that of its features as float32"
    return Figure(name, peaks, _OPTIMUM_PEAK, at_least=False)


def softmax_command(data_dir: Path, *arguments: str) -> list[str]:
    """The command line of a training or a sweep; the run directory comes behind it."""
    command = [sys.executable, "-m", "softmax_cli", *arguments, "--quiet"]
    return [*command, "--data-dir", str(data_dir.resolve()), "--run-dir"]


def _peaks(command: list[str], repeats: int, announce: Announce) -> list[int]:
    """Peak memory in bytes of each run of a command that ends before its run directory."""
    peaks = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="softmax-benchmark-") as folder:
            ran = run_measured([*command, f"{folder}/run"])
        announce(f"{' '.join(command[2:6])}: {ran.peak_bytes / 1e6:.0f} MB")
        peaks.append(ran.peak_bytes)
    return peaks
