import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK

pytestmark = pytest.mark.posix("a shell of its own")

PROGRAM = f"{shlex.quote(sys.executable)} -m softmax_cli"


def shell(script: str, place: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    # Unbuffered, nothing would be left for the interpreter to flush at exit.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=place,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("streams", ["<&-", ">&-", "<&- >&-"])
def test_closed_streams_are_no_error(tmp_path: Path, streams: str) -> None:
    done = shell(f"{PROGRAM} presets demo {streams}", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_closed_stderr_leaves_the_exit_code(tmp_path: Path) -> None:
    assert shell(f"{PROGRAM} presets nope 2>&-", tmp_path).returncode == 2


def test_a_closed_stderr_takes_names_that_are_no_text(tmp_path: Path) -> None:
    source = "$(printf 'no-text-\\377')"
    done = shell(f'{PROGRAM} download --data-dir data --from "{source}" 2>&-', tmp_path)
    assert done.returncode == 3


@pytest.mark.parametrize("arguments", ["presets", "presets cs231n", "--help"])
def test_a_pipe_that_nobody_reads_is_silent(tmp_path: Path, arguments: str) -> None:
    done = shell(f"{{ {PROGRAM} {arguments}; echo $? > code; }} | true", tmp_path)
    assert done.stderr == ""
    assert (tmp_path / "code").read_text() == "1\n"


TRAIN = f"{PROGRAM} train -c demo {' '.join(QUICK)} --run-dir here --verbose"


def test_messages_that_nobody_reads_do_not_end_a_training(tmp_path: Path) -> None:
    shell(f"{{ {TRAIN} 2>&1 >out; echo $? >code; }} | true", tmp_path)
    assert (tmp_path / "code").read_text() == "0\n"
    assert "here/model.safetensors" in (tmp_path / "out").read_text()


@pytest.mark.linux("/dev/full")
def test_messages_that_cannot_be_written_do_not_end_a_training(tmp_path: Path) -> None:
    done = shell(f"{TRAIN} 2>/dev/full", tmp_path)
    assert done.returncode == 0
    assert "here/model.safetensors" in done.stdout


@pytest.mark.parametrize(("streams", "reader"), [("2>&-", ""), ("2>&1 >out", "| true")])
def test_a_run_saves_when_asked_to_stop_though_nobody_reads_its_messages(
    tmp_path: Path, streams: str, reader: str
) -> None:
    endless = TRAIN.replace("iterations=60", "iterations=1000000")
    script = f"{{ {endless} {streams} & echo $! >pid; wait $!; echo $? >code; }} {reader}"
    process = subprocess.Popen(["/bin/sh", "-c", script], cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("here/checkpoint/step-*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    process.wait(timeout=60)
    assert (tmp_path / "code").read_text() == "143\n"


@pytest.mark.linux("/dev/full")
@pytest.mark.parametrize("arguments", ["presets", "presets demo", "--help"])
def test_results_that_cannot_be_written_are_one_error(tmp_path: Path, arguments: str) -> None:
    done = shell(f"{PROGRAM} {arguments} > /dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: No space left on device")
    assert "ignored" not in done.stderr


def test_what_an_encoding_lacks_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "größer.yaml").write_text("data: {dataset: synthetic, dir: größer 図}")
    command = f"{PROGRAM} train -c größer.yaml --dry-run"
    table = shell(command, tmp_path, PYTHONIOENCODING="ascii")
    assert table.returncode == 0
    assert "gr\\xf6\\xdfer \\u56f3" in table.stdout
    document = shell(f"{command} --format json", tmp_path, PYTHONIOENCODING="ascii")
    assert json.loads(document.stdout)["settings"]["data"]["dir"] == "größer 図"


def test_a_terminal_of_no_width_shows_messages(tmp_path: Path) -> None:
    done = shell(f"{PROGRAM} evaluate nowhere", tmp_path, COLUMNS="0")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
