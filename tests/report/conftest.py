"""Runs to report on: a training and a sweep of the presets demo and demo-sweep."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, _quick_training, run, trained

__all__ = ["_quick_training", "run", "trained"]


@pytest.fixture(scope="session")
def _quick_sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("swept") / "swept"
    program = [sys.executable, "-m", "softmax_cli"]
    sweep = [*program, "sweep", "-c", "demo-sweep", *QUICK, "--run-dir", str(directory)]
    subprocess.run(sweep, check=True, capture_output=True)
    subprocess.run([*program, "evaluate", directory / "best"], check=True, capture_output=True)
    return directory


@pytest.fixture
def swept(tmp_path: Path, _quick_sweep: Path) -> Path:
    """The directory ``swept`` of a quick sweep, whose best run is evaluated."""
    return Path(shutil.copytree(_quick_sweep, tmp_path / "swept"))
