"""Signals that ask a run to stop: noted or stopping at once, and a terminal that is closed."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from softmax_cli.cli import signals
from tests.cli.conftest import Start
from tests.hangup import hangups

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

INT, TERM = signal.SIGINT, signal.SIGTERM
HUP, USR1 = (getattr(signal, name, INT) for name in ("SIGHUP", "SIGUSR1"))


@pytest.fixture(autouse=True)
def _as_started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a program that has just been started: nothing received, nothing ignored."""
    monkeypatch.setattr(signals, "_received", [])
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (TERM, HUP, USR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def receive(*numbers: int) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


def test_the_first_signal_is_noted_and_is_the_exit_code(stop_signal: signal.Signals) -> None:
    with signals.stopping_gracefully():
        assert not signals.stop_requested()
        receive(stop_signal)
        assert signals.stop_requested()
    assert signals.exit_code() == 128 + stop_signal


def test_handlers_are_put_back() -> None:
    numbers = (INT, TERM, HUP, USR1)
    before = [signal.getsignal(number) for number in numbers]
    with signals.stopping_gracefully():
        assert signal.getsignal(HUP) not in before
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize("numbers", [(INT, INT), (TERM, INT), (INT, TERM), (USR1, INT, HUP, INT)])
def test_ctrl_c_or_sigterm_once_more_stops_at_once(numbers: tuple[int, ...]) -> None:
    *earlier, last = numbers
    with signals.stopping_gracefully():
        receive(*earlier)
        with pytest.raises(KeyboardInterrupt):
            receive(last)


@pytest.mark.parametrize("numbers", [(HUP, HUP), (HUP, TERM), (USR1, TERM), (INT, HUP, HUP)])
def test_what_follows_by_itself_does_not_keep_a_run_from_saving(numbers: tuple[int, ...]) -> None:
    with signals.stopping_gracefully():
        receive(*numbers)
        assert signals.stop_requested()
    assert signals.exit_code() == 128 + numbers[0]


@pytest.mark.parametrize("number", [HUP, USR1])
def test_a_signal_that_is_ignored_stays_ignored(number: int) -> None:
    signal.signal(number, signal.SIG_IGN)
    with signals.stopping_gracefully():
        receive(number)
        assert not signals.stop_requested()
    assert signal.getsignal(number) is signal.SIG_IGN


RARELY = (
    "training.iterations=1000000",
    "training.validate_every=100",
    "training.checkpoint_every=200",
)


def newest_step(run: Path) -> int:
    steps = (int(path.stem.removeprefix("step-")) for path in run.glob("checkpoint/step-*"))
    return max(steps, default=0)


def wait_for_step(run: Path, step: int) -> None:
    deadline = time.monotonic() + 60
    while newest_step(run) < step:
        assert time.monotonic() < deadline, f"step {step} was not reached"
        time.sleep(0.02)


def test_a_run_that_nohup_started_survives_its_terminal(start: Start, tmp_path: Path) -> None:
    run = tmp_path / "here"
    process = start("train", "-c", "demo", *RARELY, "--run-dir", "here", nohup=True)
    wait_for_step(run, 200)
    process.send_signal(HUP)
    wait_for_step(run, newest_step(run) + 400)
    process.send_signal(TERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err


ON_A_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("softmax_cli", run_name="__main__")
"""


def test_a_terminal_that_is_closed_ends_a_training_that_saves_first(tmp_path: Path) -> None:
    try:
        terminal, its_end = os.openpty()
    except OSError as error:
        pytest.skip(f"there are no terminals here: {error}")
    run = tmp_path / "here"
    with hangups(ignored=False):
        process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, "train", "-c", "demo", *RARELY, "--run-dir", run],
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            start_new_session=True,
        )
    os.close(its_end)
    deadline = time.monotonic() + 60
    while newest_step(run) == 0:
        assert time.monotonic() < deadline
        # Nobody but this test reads what the program shows.
        if select.select([terminal], [], [], 0.02)[0]:
            os.read(terminal, 1 << 16)
    before = newest_step(run)
    os.close(terminal)
    assert process.wait(timeout=60) == 129
    assert newest_step(run) > before


STUBS = {
    "softmax": 'exec "$PYTHON" -m softmax_cli "$@"',
    "srun": 'echo $$ >job; exec "$@"',
    "scontrol": 'echo "$@" >>requeued',
}
WIDE = """
train:
  data: {dataset: synthetic, train_size: 500}
  preprocessing: {scale: unit}
  optimizer: {regularization: 0.01}
  training: {iterations: 2000, checkpoint_every: 200, batch_size: 20}
parameters: {optimizer.learning_rate: [0.001, 0.01]}
"""


def test_the_batch_script_of_the_document_goes_on_from_job_to_job(tmp_path: Path) -> None:
    document = (Path(__file__).parents[2] / "docs/clusters.md").read_text(encoding="utf-8")
    (script,) = (block for block in document.split("```") if "#SBATCH" in block)
    for name, command in STUBS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{command}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "wide.yaml").write_text(WIDE)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    job = {**os.environ, "PATH": path, "PYTHON": sys.executable, "SLURM_JOB_ID": "17"}

    def submit() -> "subprocess.Popen[bytes]":
        command = ["/bin/sh", "-c", script.removeprefix("sh\n")]
        return subprocess.Popen(command, cwd=tmp_path, env=job)

    first = submit()
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/wide/checkpoint/*/step-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(int((tmp_path / "job").read_text()), USR1)
    assert first.wait(timeout=60) == 0
    assert (tmp_path / "requeued").read_text() == "requeue 17\n"
    assert not (tmp_path / "runs/wide/summary.json").exists()
    assert submit().wait(timeout=60) == 0
    assert (tmp_path / "runs/wide/summary.json").exists()
    assert (tmp_path / "requeued").read_text() == "requeue 17\n"
