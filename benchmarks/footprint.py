"""What using this package costs beside the arithmetic: loading, starting, memory."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.peak import run_measured
from benchmarks.task import Images, LinearModel
from benchmarks.timing import Announce, Comparison, Goal, Spread, measure
from softmax_cli.data.dataset_files import find_folder
from softmax_cli.data.datasets import DEFAULT_DATASET, find_publication

LOADING_GOALS = (Goal("softmax", "reading the same bytes", 2.0, at_least=False),)
MEMORY_GOAL = 450e6
"""Bytes at most for ``softmax train --config cs231n``."""


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
        goals=(Goal("softmax --help", "python -c 'import typer, rich'", 1.5, at_least=False),),
    )


def _run_python(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def peak_of_training(data_dir: Path, *, repeats: int, announce: Announce) -> Spread:
    """Peak memory in bytes of ``softmax train --config cs231n``, loading included."""
    peaks = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="softmax-benchmark-") as folder:
            ran = run_measured(
                [
                    *(sys.executable, "-m", "softmax_cli", "train", "--config", "cs231n"),
                    *("--data-dir", str(data_dir.resolve()), "--run-dir", f"{folder}/run"),
                    "--quiet",
                ]
            )
        announce(f"softmax train --config cs231n: {ran.peak_bytes / 1e6:.0f} MB")
        peaks.append(float(ran.peak_bytes))
    return Spread.of(peaks)
