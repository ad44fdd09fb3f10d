"""Running the program as its user would."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from softmax_cli import threads
from softmax_cli.blas import blas_threads, limited_to
from softmax_cli.cli.main import main
from softmax_cli.data.cifar10 import CIFAR10
from softmax_cli.data.dataset import Publication
from softmax_cli.data.datasets import DATASETS
from softmax_cli.training.stop_signals import STOP_SIGNALS
from tests.data.conftest import SmallCifar100, SmallDataSet
from tests.data.expectation import cifar100_specs_of, downloaded_as, spec_of
from tests.hangup import hangups


@dataclass(frozen=True)
class Result:
    """The result of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]

QUICK = (
    "training.iterations=60",
    "training.validate_every=20",
    "training.checkpoint_every=20",
    "data.train_size=500",
)
"""Overrides that make a training of the preset demo take a fraction of a second."""

TINY = (
    "data.validation_size=10",
    "training.iterations=2",
    "training.batch_size=5",
    "training.checkpoint_every=1",
)
"""Overrides that fit a training to the data set of :func:`small_cifar10`."""


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """``run("train", "--config", "demo")`` in this process, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(threads, "_overridden", threads._overridden)
    for name in ("SOFTMAX_DATA_DIR", "SOFTMAX_DEBUG", "SOFTMAX_CIFAR10_URL", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def execute(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["softmax", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        assert "Traceback" not in captured.err
        return Result(code, captured.out, captured.err)

    with limited_to(blas_threads()):  # --threads holds for a process, which others share here
        yield execute


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """``start("train", ...)`` as a process of its own, in the test's directory.

    With ``nohup=True`` it ignores SIGHUP, as one that ``nohup`` starts.
    """

    def popen(*arguments: object, nohup: bool = False) -> "subprocess.Popen[str]":
        with hangups(ignored=nohup):
            return subprocess.Popen(
                [sys.executable, "-m", "softmax_cli", *map(str, arguments)],
                cwd=tmp_path,
                env={**os.environ, "SOFTMAX_DEBUG": "0"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    return popen


@pytest.fixture(params=STOP_SIGNALS, ids=lambda number: number.name)
def stop_signal(request: pytest.FixtureRequest) -> signal.Signals:
    """Each of the signals that ask a run to save and stop."""
    number: signal.Signals = request.param
    return number


@pytest.fixture(scope="session")
def _quick_training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("trained") / "here"
    command = [sys.executable, "-m", "softmax_cli", "train", "-c", "demo", *QUICK, "--run-dir"]
    subprocess.run([*command, directory], check=True, capture_output=True)
    return directory


@pytest.fixture
def trained(tmp_path: Path, _quick_training: Path) -> Path:
    """The run directory ``here`` of a quick training of the preset demo."""
    return Path(shutil.copytree(_quick_training, tmp_path / "here"))


@pytest.fixture
def small_cifar10(monkeypatch: pytest.MonkeyPatch) -> SmallDataSet:
    """A data set of a few images that counts as CIFAR-10 for every command of this process."""
    small = SmallDataSet()
    monkeypatch.setitem(DATASETS, CIFAR10.name, spec_of(_in_archive(small)))
    return small


@pytest.fixture
def small_cifar100(monkeypatch: pytest.MonkeyPatch) -> SmallCifar100:
    """A data set of a few images that counts as CIFAR-100."""
    small = SmallCifar100()
    for name, spec in cifar100_specs_of(_in_archive(small)).items():
        monkeypatch.setitem(DATASETS, name, spec)
    return small


def _in_archive(small: SmallDataSet) -> Publication:
    content = small.archive()
    digest = hashlib.sha256(content).hexdigest()
    return downloaded_as(small.publication, "small.tar", len(content), digest)
