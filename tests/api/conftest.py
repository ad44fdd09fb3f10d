"""Finished runs, made with the program itself."""

from pathlib import Path

import pytest

from softmax_cli.cli.app import app
from tests.cli.conftest import QUICK


def softmax(*arguments: object) -> None:
    """Run a command of the program."""
    app([*map(str, arguments), "--quiet"], standalone_mode=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished training that was evaluated and calibrated; tests change nothing in it."""
    run = tmp_path_factory.mktemp("runs") / "first"
    softmax("train", "--config", "demo", *QUICK, "--run-dir", run)
    softmax("evaluate", run, "--calibrate")
    return run


@pytest.fixture(scope="session")
def hinge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished training with the hinge loss."""
    run = tmp_path_factory.mktemp("runs") / "hinge"
    softmax("train", "--config", "demo", "model.loss=hinge", *QUICK, "--run-dir", run)
    return run


@pytest.fixture(scope="session")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep."""
    run = tmp_path_factory.mktemp("runs") / "sweep"
    softmax("sweep", "--config", "demo-sweep", *QUICK, "--run-dir", run)
    return run
