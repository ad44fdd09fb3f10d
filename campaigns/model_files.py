"""Damaged and hostile model files and checkpoints.

A process that stays alive reads every truncation and every single-bit flip of a small model, then
``count`` alterations of it whose checksum is right, and a tenth as many of a checkpoint. What it
accepts is compared with what another reader finds in the file. A few dozen altered models of full
size go through the command line, a process each.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

from campaigns.campaign import Campaign, Trial
from campaigns.hostile import model_attack
from campaigns.hostile.models import mutated
from campaigns.hostile.sound_files import small_model
from campaigns.processes.program import environment, run_program
from softmax_cli.data.images import PIXELS
from softmax_cli.errors import ModelError
from softmax_cli.runs.model_file import load_model

_COMMAND_LINE_EVERY = 3_000
_FLIPPED_SHARE = 0.25


def run(trial: Trial) -> None:
    """Read altered files in one process, then a few by the command line."""
    _read_in_one_process(trial)
    _use_on_the_command_line(trial)


def _read_in_one_process(trial: Trial) -> None:
    folder = trial.folder / "alive"
    folder.mkdir()
    command = [sys.executable, "-m", model_attack.__name__, trial.seed, trial.count, folder]
    done = subprocess.run(
        list(map(str, command)),
        env=environment({"MALLOC_ARENA_MAX": 1}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        trial.broken("the process that reads", done.stderr[-2000:])
        return
    outcome = json.loads(done.stdout)
    trial.seen.update(outcome["seen"])
    for title, problem in outcome["failures"]:
        trial.broken(title, problem)


def _use_on_the_command_line(trial: Trial) -> None:
    path = trial.folder / "run" / "model.safetensors"
    path.parent.mkdir()
    sound = small_model(path, features=PIXELS)
    image = trial.folder / "image.ppm"
    image.write_bytes(b"P6 32 32 255\n" + bytes(3 * 32 * 32))
    commands: tuple[list[object], ...] = (
        ["predict", "run", image],
        ["evaluate", "run"],
        ["predict", "run/model.safetensors", image, "--format", "json"],
        ["visualize", "run", "--output", "pictures"],
    )
    _judge(trial, "the sound model", path, sound, commands[0], allowed={0})
    for case in range(2 + trial.count // _COMMAND_LINE_EVERY):
        if trial.rng.random() < _FLIPPED_SHARE:
            data = _with_flipped_bit(trial.rng, sound)
        else:
            data = mutated(trial.rng, sound)
        command = commands[case % len(commands)]
        allowed = {3} if _is_refused(path, data) else {0, 3}
        _judge(trial, f"case {case}, softmax {command[0]}", path, data, command, allowed=allowed)


def _with_flipped_bit(rng: random.Random, sound: bytes) -> bytes:
    data = bytearray(sound)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _is_refused(path: Path, data: bytes) -> bool:
    path.write_bytes(data)
    try:
        load_model(path)
    except ModelError:
        return True
    return False


def _judge(
    trial: Trial,
    title: str,
    path: Path,
    data: bytes,
    command: list[object],
    *,
    allowed: set[int],
) -> None:
    path.write_bytes(data)
    ended = run_program(*command, folder=trial.folder, seconds=60)
    trial.judge(title, f"exit code {ended.code}", ended.error_faults(*allowed))


CAMPAIGN = Campaign(
    promise="A hostile model file is harmless",
    run=run,
    short=2_000,
    long=100_000,
)
