"""Saving fails at every place where it can, in a training, in a sweep, and when they are stopped.

A picture is an extra: where it cannot be written, that is a warning after the result.

A write that takes only a part of what it is given is no failure: the rest is written next. On a
disk without space the write that hits the end takes a part, and from then on nothing is written.
"""

import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from campaigns.campaign import Campaign, Trial
from campaigns.disk.attempts import AT_A_TIME, Attempt, run_whole, try_all
from campaigns.disk.faulty_disk import Fault, Kind, points
from campaigns.disk.subject import SWEEP, TRAINING, Case, Subject, Whole
from campaigns.processes.program import Ended

_KINDS: tuple[Kind, ...] = ("no space", "I/O error", "permission denied", "short write")
_REASONS = {
    "no space": "No space left on device",
    "I/O error": "Input/output error",
    "permission denied": "Permission denied",
}
_DONE, _FAILED, _STOPPED = 0, 1, 143
_TEMPORARY_NAME = re.compile(r"\.([^/]+)\.[0-9a-f]{12}\.tmp")


@dataclass(frozen=True)
class _Command:
    """A command whose saves are to fail.

    Attributes:
        name: in reports.
        subject: what it runs.
        whole: what is left of the subject in the end.
        stop_at: number of the operation at which SIGTERM arrives; 0 for never.
        code: exit code if nothing fails.
        operations: if nothing fails.
    """

    name: str
    subject: Subject
    whole: Whole
    stop_at: int
    code: int
    operations: list[str]

    @property
    def first_extra(self) -> float:
        """Number of the operation from which on only pictures are written."""
        pictures = (n for n, made in enumerate(self.operations, start=1) if ".png." in made)
        return next(pictures, math.inf)


def run(trial: Trial) -> None:
    """Let ``trial.count`` operations on files fail of each kind; in a long run that is all."""
    wholes = run_whole(trial.folder, (TRAINING, SWEEP))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        stopped = list(pool.map(lambda item: _stopped(trial.folder, *item), wholes.items()))
    commands = [*_unstopped(wholes), *stopped]
    attempts = [_unfailing(command) for command in stopped]
    for kind in _KINDS:
        found = [
            _attempt(command, fault) for command in commands for fault in _faults(command, kind)
        ]
        attempts += found if len(found) <= trial.count else trial.rng.sample(found, trial.count)
    try_all(trial, attempts)


def _unstopped(wholes: dict[Subject, Whole]) -> Iterator[_Command]:
    for subject, whole in wholes.items():
        yield _Command(subject.name, subject, whole, 0, _DONE, whole.operations)


def _stopped(folder: Path, subject: Subject, whole: Whole) -> _Command:
    """The command when SIGTERM arrives while its first checkpoint is written."""
    is_checkpoint = [
        operation.startswith("create: run/checkpoint") for operation in whole.operations
    ]
    stop_at = is_checkpoint.index(True) + 1
    name = f"stopped {subject.name}"
    case = Case(folder / name, subject)
    case.run(subject.start, Fault(stop_at=stop_at))
    return _Command(name, subject, whole, stop_at, _STOPPED, case.operations())


def _faults(command: _Command, kind: Kind) -> Iterator[Fault]:
    for at in points(kind, command.operations):
        if at > command.stop_at:
            yield Fault(kind, at, command.stop_at)


def _unfailing(command: _Command) -> Attempt:
    """Where nothing fails, it says that it has saved, and has."""

    def complaint(case: Case) -> str | None:
        end = case.run(command.subject.start, Fault(stop_at=command.stop_at))
        if end.code != command.code or "saved" not in end.err:
            return f"it gave {end}"
        return case.complaint(command.whole, interruptions=0)

    return Attempt(command.name, f"{command.name}: saved", command.subject, complaint)


def _attempt(command: _Command, fault: Fault) -> Attempt:
    operation = command.operations[fault.at - 1]

    def complaint(case: Case) -> str | None:
        end = case.run(command.subject.start, fault)
        if fault.kind == "short write":
            wrong = None if end.code == command.code else f"a short write gave {end}"
        else:
            is_extra = fault.at >= command.first_extra
            wrong = _not_loud(end, operation, _REASONS[str(fault.kind)], is_extra=is_extra)
            if wrong is None and any(case.run_directory.rglob(".*.tmp")):
                wrong = f"a temporary file is left: {end}"
        return wrong or case.complaint(command.whole, interruptions=1)

    name = f"{command.name}, {fault.kind} at operation {fault.at} ({operation})"
    return Attempt(name, f"{command.name}: {fault.kind}", command.subject, complaint)


def _not_loud(end: Ended, operation: str, reason: str, *, is_extra: bool) -> str | None:
    """What is wrong with how a command ended whose save failed, if anything."""
    kind, _, path = operation.partition(": ")
    if kind == "remove directory" and end.code == _DONE:
        return None  # an empty directory that stays is no loss
    said = end.out + end.err
    errors, warnings = end.err.count("Error: "), end.err.count(" was not drawn: ")
    faults = {
        f"exit code {end.code}": end.code != (_DONE if is_extra else _FAILED),
        "a traceback": "Traceback" in said,
        # On a full disk a sweep lacks both of its pictures.
        "not one message": (errors, warnings) not in ([(0, 1), (0, 2)] if is_extra else [(1, 0)]),
        "another reason": f"{reason}: " not in end.err,
        "another file": _TEMPORARY_NAME.sub(r"\1", path) not in end.err,
        "it says saved": "saved" in said.lower(),
        "a result or none": (end.out != "") != is_extra,
    }
    found = [fault for fault, is_so in faults.items() if is_so]
    return f"{', '.join(found)}: {end}" if found else None


CAMPAIGN = Campaign(promise="A failed save is loud.", run=run, short=1, long=1000)
