"""Training and sweep are killed, and must end as undisturbed runs do when they are resumed.

They are killed at random moments, again and again while they recover, and at each of their
operations on files: before it, and in the middle of a write. A loss of power is simulated at each
of them too: a kill that takes away everything that was not synced. Where there are two processors a
training on two processes loses both of them, or the second one.
"""

import os
import signal
from collections.abc import Callable, Iterator
from itertools import cycle, islice

from campaigns.campaign import Campaign, Trial
from campaigns.disk.attempts import Attempt, run_whole, try_all
from campaigns.disk.faulty_disk import Fault, Kind, points
from campaigns.disk.subject import (
    HALVING_SWEEP,
    SWEEP,
    TRAINING,
    TRAINING_OF_TWO,
    Case,
    Subject,
    Whole,
)
from campaigns.processes.program import Ended

_LONG = 200
_KINDS: tuple[Kind, ...] = (
    "killed",
    "killed while writing",
    "power lost",
    "power lost after removals",
)
_MOST_RECOVERIES = 5
_OPERATIONS_OF_RECOVERY = 12
_KILLED = -signal.SIGKILL


def run(trial: Trial) -> None:
    """Kill ``trial.count`` trainings, half as many sweeps, and a quarter as many recoveries.

    Of the operations on files ``trial.count`` are tried, in a long run all. Of a quarter as many
    trainings on two processes both are killed, and of as many the second.
    """
    sweeps = list(islice(cycle((SWEEP, HALVING_SWEEP)), max(1, trial.count // 2)))
    has_two = len(os.sched_getaffinity(0)) > 1
    pairs = [TRAINING_OF_TWO] * (max(1, trial.count // 4) if has_two else 0)
    subjects = [TRAINING] * trial.count + sweeps + pairs
    wholes = run_whole(trial.folder, subjects)
    moments = [_kill_at_a_moment(trial, subject, wholes[subject]) for subject in subjects]
    moments += [_kill_second_process(trial, pair, wholes[pair]) for pair in pairs]
    recoveries = _kill_recoveries(trial, wholes, max(1, trial.count // 4))
    operations = [
        _kill_at_operation(subject, wholes[subject], Fault(kind, at))
        for subject in (TRAINING, SWEEP)
        for kind in _KINDS
        for at in points(kind, wholes[subject].operations)
    ]
    if trial.count < _LONG:
        operations = trial.rng.sample(operations, trial.count)
    try_all(trial, [*moments, *recoveries, *operations])


def _kill_at_a_moment(trial: Trial, subject: Subject, whole: Whole) -> Attempt:
    """Kill after the first operation on a file; before it there is nothing to be lost."""
    moment = trial.rng.uniform(0, whole.seconds)

    def complaint(case: Case) -> str | None:
        end = _killed_in_time(case, case.run_and_kill, moment)
        return _unexpected(end) or case.complaint(whole, interruptions=1)

    name = f"{subject.name} killed after {moment:.3f} s"
    return Attempt(name, f"{subject.name} killed at a moment", subject, complaint)


def _kill_second_process(trial: Trial, subject: Subject, whole: Whole) -> Attempt:
    moment = trial.rng.uniform(0, whole.seconds)

    def complaint(case: Case) -> str | None:
        end = _killed_in_time(case, case.run_and_kill_second, moment)
        faults = end.faults(1, saying="has ended (killed by signal 9)")
        return "; ".join(faults) or case.complaint(whole, interruptions=1)

    name = f"second process of {subject.name} killed after {moment:.3f} s"
    return Attempt(name, "the second of two processes killed", subject, complaint)


def _killed_in_time(
    case: Case, run_and_kill: Callable[[tuple[str, ...], float], Ended], seconds: float
) -> Ended:
    """Kill after some seconds, or after fewer where the run has ended by then."""
    while (end := run_and_kill(case.subject.start, seconds)).code == 0:
        case.clear()
        seconds *= 0.9
    return end


def _kill_recoveries(trial: Trial, wholes: dict[Subject, Whole], count: int) -> Iterator[Attempt]:
    """Kill runs, and then their resumed runs, several times in a row."""
    for subject in cycle((TRAINING, SWEEP)):
        kills = min(count, _MOST_RECOVERIES)
        yield _kill_recovery(trial, subject, wholes[subject], kills)
        count -= kills
        if count == 0:
            return


def _kill_recovery(trial: Trial, subject: Subject, whole: Whole, kills: int) -> Attempt:
    operations = len(whole.operations)
    first = Fault("killed", trial.rng.randint(operations // 4, operations // 2))
    faults = [Fault("killed", trial.rng.randint(1, _OPERATIONS_OF_RECOVERY)) for _ in range(kills)]
    moments = [trial.rng.uniform(0, whole.seconds / 8) for _ in range(kills)]
    at_moments = [trial.rng.random() < 0.5 for _ in range(kills)]
    plan = list(zip(at_moments, moments, faults, strict=True))

    def ends(case: Case, hurry: float) -> Iterator[Ended]:
        yield case.run(subject.start, first)
        for at_a_moment, moment, fault in plan:
            if at_a_moment:
                yield case.run_and_kill(subject.resume, moment * hurry)
            else:
                yield case.run(subject.resume, fault)

    def complaint(case: Case) -> str | None:
        hurry = 1.0
        found = list(ends(case, hurry))
        while any(end.code == 0 for end in found):  # too late, so once more
            case.clear()
            hurry /= 2
            found = list(ends(case, hurry))
        complaints = [text for text in map(_unexpected, found) if text]
        return next(iter(complaints), None) or case.complaint(whole, 1 + kills)

    name = f"recovery of {subject.name} killed: {first}, {plan}"
    return Attempt(
        name, f"{subject.name} killed, and {kills} of its recoveries", subject, complaint
    )


def _kill_at_operation(subject: Subject, whole: Whole, fault: Fault) -> Attempt:
    def complaint(case: Case) -> str | None:
        end = case.run(subject.start, fault)
        return _unexpected(end) or case.complaint(whole, interruptions=1)

    operation = whole.operations[fault.at - 1]
    name = f"{subject.name}, {fault.kind} at operation {fault.at} ({operation})"
    return Attempt(name, f"{subject.name} {fault.kind} at an operation", subject, complaint)


def _unexpected(end: Ended) -> str | None:
    return None if end.code == _KILLED else f"before it could be killed: {end}"


CAMPAIGN = Campaign(
    promise="A crash loses at most one checkpoint interval and corrupts nothing.",
    run=run,
    short=1,
    long=_LONG,
)
