import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from softmax_cli.plots.isolation import isolated

SCRIPT = """
import hashlib, os, numpy
before = {**os.environ, "MPLCONFIGDIR": "", "PWD": os.getcwd()}
from softmax_cli.plots import confusion_figure, render
figure = confusion_figure(numpy.eye(2, dtype=int), ["x", "y"])
print(hashlib.sha256(render(figure, dpi=40)).hexdigest())
# Where the home may not be written, matplotlib itself sets MPLCONFIGDIR.
assert {**os.environ, "MPLCONFIGDIR": "", "PWD": os.getcwd()} == before
"""
STYLE = "font.size: 30\naxes.grid: True\nno.such.key: 1\n"
NOT_UTF_8 = b"font.size: 30\xff\n"


def drawn(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Draw in a process that has no settings of matplotlib but those given."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "MATPLOTLIBRC")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    return drawn(tmp_path_factory.mktemp("plain")).stdout


@pytest.mark.parametrize(
    "environment",
    [
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        {"MPLBACKEND": "no such backend"},
        {"MATPLOTLIBRC": "settings/matplotlibrc"},
        {"MPLCONFIGDIR": "settings"},
        {"MPLCONFIGDIR": "file/config", "HOME": "file/home"},
    ],
    ids=lambda environment: " ".join(environment.values()),
)
def test_no_environment_shows_or_is_changed(
    plain: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "settings/stylelib").mkdir(parents=True)
    (tmp_path / "settings/matplotlibrc").write_bytes(NOT_UTF_8)
    (tmp_path / "settings/stylelib/own.mplstyle").write_bytes(NOT_UTF_8)
    done = drawn(tmp_path, **environment)

    assert done.stderr == ""
    assert done.stdout == plain


@pytest.mark.parametrize("content", [STYLE.encode(), NOT_UTF_8])
def test_no_file_in_the_working_directory_shows(plain: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "matplotlibrc").write_bytes(content)
    done = drawn(tmp_path)

    assert done.stderr == ""
    assert done.stdout == plain


def test_a_program_that_logs_still_hears_matplotlib(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("matplotlib")
    handlers = list(logger.handlers)
    with isolated():
        logger.warning("no home")

    assert caplog.messages == ["no home"]
    assert logger.handlers == handlers


def test_what_is_imported_already_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "matplotlib" in sys.modules
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "matplotlibrc").touch()
    with isolated():
        assert os.environ["MPLBACKEND"] == "agg"
        assert Path.cwd() == tmp_path
