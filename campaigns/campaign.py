"""What a campaign is, and one run of it."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


class Trial:
    """One run of a campaign: its random numbers, its folder, and what was seen.

    Args:
        seed: of ``rng``; the same seed and count repeat the same faults.
        count: how many faults to inject, in the campaign's own measure.
        folder: empty, for the files that the campaign writes.

    Attributes:
        seen: how many cases came out how; every case that was tried is in here.
        failures: a line for each broken promise, saying how to see it again.
    """

    def __init__(self, seed: int, count: int, folder: Path) -> None:
        self.seed = seed
        self.count = count
        self.folder = folder
        self.rng = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.failures: list[str] = []

    def kept(self, outcome: str) -> None:
        """A case in which the promise was kept, and how it came out."""
        self.seen[outcome] += 1

    def broken(self, case: str, why: str) -> None:
        """A case in which it was not."""
        self.seen["broken"] += 1
        self.failures.append(f"seed {self.seed}, {case}: {why}")

    def judge(self, case: str, outcome: str, faults: Sequence[str]) -> None:
        """A case in which it was kept, and how that came out, if nothing is wrong."""
        if faults:
            self.broken(case, "; ".join(faults))
        else:
            self.kept(outcome)


@dataclass(frozen=True)
class Campaign:
    """A promise and what puts it to the test.

    Attributes:
        promise: in a sentence.
        run: injects ``trial.count`` faults and records each case.
        short: count of the run among the tests.
        long: count of a run whose figures are written down.
    """

    promise: str
    run: Callable[[Trial], None]
    short: int
    long: int


@dataclass(frozen=True)
class Outcome:
    """The result of one run.

    Attributes:
        seen: number of cases by how they came out.
        failures: a line for each broken promise.
        seconds: time it took.
    """

    name: str
    seed: int
    count: int
    seen: dict[str, int]
    failures: list[str]
    seconds: float


def carry_out(name: str, campaign: Campaign, seed: int, count: int, folder: Path) -> Outcome:
    """Run a campaign in an empty folder."""
    trial = Trial(seed, count, folder)
    start = time.perf_counter()
    campaign.run(trial)
    seconds = time.perf_counter() - start
    return Outcome(name, seed, count, dict(sorted(trial.seen.items())), trial.failures, seconds)
