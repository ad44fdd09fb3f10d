"""Cases that are tried side by side, each in a folder of its own."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from campaigns.campaign import Trial
from campaigns.disk.subject import Case, Subject, Whole

AT_A_TIME = 2


@dataclass(frozen=True)
class Attempt:
    """A case to be tried.

    Attributes:
        name: of the case, as a report calls it.
        outcome: what it counts as if the promise is kept.
        subject: what is run.
        complaint: disturbs the subject; says how the promise was broken, or None.
    """

    name: str
    outcome: str
    subject: Subject
    complaint: Callable[[Case], str | None]


def try_all(trial: Trial, attempts: Sequence[Attempt]) -> None:
    """Try cases and record each."""
    folders = [trial.folder / f"case-{number}" for number in range(len(attempts))]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        complaints = pool.map(_complaint, attempts, folders)
        for attempt, complaint in zip(attempts, complaints, strict=True):
            trial.judge(attempt.name, attempt.outcome, [complaint] if complaint else [])


def run_whole(folder: Path, subjects: Iterable[Subject]) -> dict[Subject, Whole]:
    """Undisturbed runs."""
    different = list(dict.fromkeys(subjects))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        wholes = pool.map(
            lambda subject: Case(folder / subject.name, subject).run_whole(), different
        )
        return dict(zip(different, wholes, strict=True))


def _complaint(attempt: Attempt, folder: Path) -> str | None:
    case = Case(folder, attempt.subject)
    try:
        return attempt.complaint(case)
    finally:
        shutil.rmtree(folder)
