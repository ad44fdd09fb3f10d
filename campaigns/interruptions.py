"""Signals, closed pipes, full disks and forbidden folders leave a run that can be resumed.

Each case is a process of its own. A signal comes at a random moment from the first message of a
training or a sweep on; once there is a first checkpoint, the program has 2 s to save another and to
end, not counting the time it waits for a processor. Resuming has to end in the bits of a run that
was left alone. Where this machine mounts no file systems, ``seen`` says what was not tried.
"""

import os
import random
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from campaigns.campaign import Campaign, Trial
from campaigns.processes import hindrances
from campaigns.processes.disturbed_run import (
    ARGUMENTS,
    Case,
    ended,
    resume_faults,
    start_program,
)
from campaigns.processes.program import run_program
from softmax_cli.training.stop_signals import STOP_SIGNALS

if TYPE_CHECKING:
    import subprocess

_SECONDS = 2.0


def run(trial: Trial) -> None:
    """A third of the cases are signals to a training, a third to a sweep, a third the rest."""
    wholes = {}
    for kind, arguments in ARGUMENTS.items():
        wholes[kind] = trial.folder / kind
        assert run_program(*arguments, "--run-dir", kind, folder=trial.folder).code == 0
    others = (
        hindrances.closed_pipe,
        hindrances.full_disk,
        hindrances.read_only,
        hindrances.odd_name,
        hindrances.full_output,
        hindrances.longest_file,
    )
    for number in range(trial.count):
        place = trial.folder / f"case-{number}"
        place.mkdir()
        name = f"case {number}"
        case = Case(trial, name, place, random.Random(f"{trial.seed}/{number}"), wholes)
        if number % 3 == 2:
            others[number // 3 % len(others)](case)
        else:
            _signals(case, ("train", "sweep")[number % 3])
        shutil.rmtree(place)


def _signals(case: Case, kind: str) -> None:
    """A signal, perhaps more to the resumed run, and then the end of it."""
    folder = case.place / "run"
    faults = _interrupt(case, [*ARGUMENTS[kind], "--run-dir", "run"])
    while not faults and case.rng.random() < 0.3 and not (folder / "summary.json").exists():
        faults += _interrupt(case, [kind, "--resume", "run"])
    faults += resume_faults(case, kind, folder)
    case.record(f"signals to {kind}", faults)


def _interrupt(case: Case, arguments: Sequence[str]) -> list[str]:
    """Send a signal at a random moment and look how the program ends."""
    number = case.rng.choice(STOP_SIGNALS)
    before = _checkpoints(case.place)
    # From two threads of BLAS on there is a second process, and the bits are the same.
    process = start_program(case.place, arguments, threads=case.rng.choice((1, 2)))
    early = case.rng.random() < 0.2
    while process.poll() is None:
        if (case.place / "err").stat().st_size if early else _checkpoints(case.place) - before:
            break
        time.sleep(0.005)
    time.sleep(case.rng.uniform(0, 0.5))
    under_way = bool(_checkpoints(case.place) - before)
    _send(process, number, case.rng)
    sent = time.time()
    seconds = _seconds_to_end(process)
    result = ended(process, case.place)
    if result.code == 0:
        return result.faults(0)
    if not under_way or (case.place / "run/summary.json").exists():
        # Before the first step and after the last a signal just ends the program.
        return result.faults(128 + number, -number)
    faults = result.faults(128 + number, saying="--resume run")
    faults += [f"took {seconds:.1f} s to end"] if seconds > _SECONDS else []
    # The clock of the file system may be some milliseconds behind.
    saved = [path.stat().st_mtime for path in _checkpoint_files(case.place)]
    if max(saved, default=0.0) < sent - 0.05:
        faults.append("no checkpoint was saved after the signal")
    return faults


def _send(process: "subprocess.Popen[bytes]", number: signal.Signals, rng: random.Random) -> None:
    """Send a signal to a process, or like a terminal to its group; SIGHUP perhaps again."""
    send = rng.choice((os.kill, os.killpg))
    for _ in range(rng.choice((1, 2)) if number == signal.SIGHUP else 1):
        if process.poll() is None:
            send(process.pid, number)
            time.sleep(rng.uniform(0, 0.01))  # two at once would be one


def _checkpoints(place: Path) -> set[str]:
    return {path.name for path in _checkpoint_files(place)}


def _checkpoint_files(place: Path) -> list[Path]:
    return list((place / "run").glob("checkpoint/**/step-*.safetensors"))


def _seconds_to_end(process: "subprocess.Popen[bytes]") -> float:
    """How long a process takes to end, without the time it waits for a processor."""
    start, queued_before = time.monotonic(), _seconds_queued(process.pid)
    queued = queued_before
    while process.poll() is None:
        queued = max(queued, _seconds_queued(process.pid))
        time.sleep(0.005)
    return time.monotonic() - start - (queued - queued_before)


def _seconds_queued(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


CAMPAIGN = Campaign(
    "SIGINT, SIGTERM, SIGHUP and SIGUSR1 end within 2 s of the step in flight with a checkpoint; a "
    "closed pipe is silent; a read-only directory, a full disk, any path are told clearly, and "
    "nothing is lost.",
    run,
    short=4,
    long=60,
)
