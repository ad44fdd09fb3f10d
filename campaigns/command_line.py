"""The command line ends with a documented exit code and message on any arguments and files.

Most commands run in a process that stays alive and forks for each (see ``living_process``), one in
a hundred as a process of its own. Each has to end within its time, with an exit code that follows
from what is wrong with it, without a traceback, with a message that quotes what is wrong and says
what was expected or what to do; no file that was there before may be lost or altered but the ones
that the command is there to replace.
"""

import json
import os
import random
import re
import shlex
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from campaigns.campaign import Campaign, Trial
from campaigns.commands.invocations import Invocation, Mix
from campaigns.commands.living_process import Command, living_process
from campaigns.commands.playground import Playground
from campaigns.processes.fork_server import SECONDS, ForkServer
from campaigns.processes.permissions import bind_permissions
from campaigns.processes.program import CHECKOUT, PROGRAM, is_noise, text_of

_DOCUMENTED = {0, 1, 2, 3, 4, 5}
_PICTURE = re.compile(r"(curves|weights|confusion_matrix|reliability|mistakes|heatmap)\.\w+")
_ADVICE = re.compile(r"expected|requires|\n")
_KEPT = ("notes.txt", "thesis.txt")
_STDIN = ("/dev/null", "/dev/null", "/dev/null", None, "cat.png", "binary")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote; ``error`` is None if it could not be read."""

    code: int | None
    output: str | None
    error: str | None


def run(trial: Trial) -> None:
    """Run random commands, one after another, each in the same folder as it was made."""
    ground = Playground(trial.folder)
    with living_process(trial.folder) as process:
        for number in range(trial.count):
            rng = random.Random(f"{trial.seed}/{number}")
            mix = Mix(rng)
            invocation = mix.invocation()
            command = _command(mix, invocation, ground.place, trial.folder)
            ended = _run(process, command, alive=number % 100 != 7)
            faults = [*_faults(invocation, command, ended), *_losses(invocation, ended, ground)]
            name = invocation.arguments[0] if invocation.arguments else ""
            trial.judge(_case(number, command), f"{name} -> {ended.code}", faults)


def _command(mix: Mix, invocation: Invocation, place: Path, folder: Path) -> Command:
    rng = mix.rng
    stdin = rng.choice(_STDIN)
    odd = (None, "|", "/dev/full")
    output = rng.choice(odd) if rng.random() < 0.1 else str(folder / "out")
    error = rng.choice(odd) if rng.random() < 0.03 else str(folder / "err")
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(place),
        # Should a command ask for the network after all, it gets no further than this.
        "https_proxy": "http://127.0.0.1:1",
        **mix.environment(),
    }
    return Command(
        invocation.arguments,
        str(place),
        environment,
        (stdin and str(place / stdin), output, error),
        encoding=rng.choice(("ascii", "latin-1")) if rng.random() < 0.05 else "utf-8",
    )


def _run(process: ForkServer, command: Command, *, alive: bool) -> Ended:
    code = process.run(asdict(command)) if alive else _run_alone(command)
    return Ended(code, _text(command.streams[1]), _text(command.streams[2]))


def _text(path: str | None) -> str | None:
    if path is None or not Path(path).is_file():
        return None
    return text_of(Path(path).read_bytes())


def _run_alone(command: Command) -> int | None:
    """A process of its own; streams that cannot be had in Python are a matter of the shell."""
    redirections = []
    for number, path in enumerate(command.streams):
        sign = "<" if number == 0 else ">"
        target = "&-" if path is None else shlex.quote("/dev/null" if path == "|" else path)
        redirections.append(f"{number}{sign}{target}")
    script = f'exec {shlex.join(PROGRAM)} "$@" {" ".join(redirections)}'
    settings = {"PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": command.encoding}
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", script, "softmax", *command.arguments],
            cwd=command.directory,
            env={**command.environment, **settings},
            timeout=SECONDS,
            check=False,
            preexec_fn=bind_permissions,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode


def _case(number: int, command: Command) -> str:
    odd = {k: v for k, v in command.environment.items() if k not in ("PATH", "HOME", "https_proxy")}
    return (
        f"case {number}: softmax {command.arguments!a} with {odd}, "
        f"streams {[name and Path(name).name for name in command.streams]}, {command.encoding}"
    )


def _faults(invocation: Invocation, command: Command, ended: Ended) -> list[str]:
    """What is wrong with how a command ended."""
    if ended.code is None:
        return [f"did not end within {SECONDS:.0f} s"]
    said = ascii(ended.error)
    faults = []
    expected = _expected(invocation, command)
    if ended.code not in expected or ended.code not in _DOCUMENTED:
        faults.append(f"expected exit code {sorted(expected)}, got {ended.code}: {said}")
    if ended.error is not None and is_noise(ended.error):
        faults.append(f"stderr: {said}")
    if ended.error is not None and (complaint := _complaint(invocation, command, ended)):
        faults.append(f"{complaint}: {said}")
    if (
        invocation.broken_images
        and invocation.codes == {1}
        and None not in (ended.error, ended.output)
    ):
        reported = (ended.error or "").count("Error: ")
        if reported != invocation.broken_images:
            faults.append(f"expected {invocation.broken_images} images reported, got {said}")
    if invocation.wants_json and ended.code == 0 and ended.output is not None:
        faults += _json_faults(ended.output)
    return faults


def _expected(invocation: Invocation, command: Command) -> set[int]:
    codes = set(invocation.codes) or {0}
    _, output, error = command.streams
    if output == "|":
        codes.add(1)
    if output == "/dev/full" and (0 in codes or invocation.prints_findings):
        codes = codes - {0} | {1}
    if error in ("|", "/dev/full"):
        codes |= {0, 1}
    return codes


def _complaint(invocation: Invocation, command: Command, ended: Ended) -> str | None:
    """What a message on stderr lacks."""
    assert ended.error is not None
    if ended.code == 0:
        return "an error is reported, and the exit code is 0" if "Error:" in ended.error else None
    if command.streams[1] in ("|", "/dev/full") and ended.code == 1:
        return None
    if not invocation.arguments:
        return None
    at = ended.error.find("Error:")
    if at < 0:
        return "no message that begins with Error:"
    message = ended.error[at:].strip()
    if not any(word in message for word in invocation.words):
        return f"a message that quotes none of {invocation.words}"
    helps = "Try 'softmax" in ended.error or _ADVICE.search(message)
    return None if helps or ended.code == 1 else "a message that says not what to do"


def _json_faults(output: str) -> list[str]:
    try:
        json.loads(output)
    except ValueError as error:
        return [f"stdout is not one JSON document ({error}): {output[:200]!r}"]
    return []


def _losses(invocation: Invocation, ended: Ended, ground: Playground) -> list[str]:
    """Files that a command should have left as they were, and such as it should not have left."""
    folder = invocation.folder and os.path.realpath(ground.place / invocation.folder)
    faults = []
    for path, change in ground.changes().items():
        if change == "new":
            if path.endswith(".tmp"):
                faults.append(f"{path!r} is left behind")
        elif not _may_change(invocation, ended, str(ground.place / path), folder):
            faults.append(f"{path!r} is {change}")
    return faults


def _may_change(invocation: Invocation, ended: Ended, path: str, folder: str | None) -> bool:
    """Whether a file that was there before may be replaced or removed."""
    name = Path(path).name
    command = invocation.arguments[0] if invocation.arguments else ""
    if command == "visualize":
        return _PICTURE.fullmatch(name) is not None
    if folder is None or not path.startswith(folder + os.sep) or name in _KEPT:
        return False
    if command == "evaluate":
        return name in ("evaluation.json", "calibration.json")
    return command in ("train", "sweep") and ended.code not in (2, 3)


CAMPAIGN = Campaign("The command line always behaves.", run, short=30, long=5000)
