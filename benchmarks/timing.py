"""The loop that times contenders, in turn, and checks that they learned equally well."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Protocol

from benchmarks.task import Images, LinearModel
from softmax_cli.training import timing

Announce = Callable[[str], None]

_PAUSE_SECONDS = 0.3
"""Between runs: the threads of a library spin for a while before they sleep, on others' cores."""

_MIN_LEARNED = 2.0
"""Accuracy over chance: less is not learning."""


class Contender(Protocol):
    """Something that does the work of a comparison.

    Attributes:
        name: in tables.
        share: of the work that one run does. Times are divided by it.
    """

    name: str
    share: float

    def setup(self) -> None:
        """Everything that is not timed: imports, copies of the data, compilation."""

    def run(self) -> None:
        """What is timed."""

    def learned(self) -> Sequence[LinearModel]:
        """The models of the last run, asked for once; none if the work is not about learning."""


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of repeated measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one value."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Measurement:
    """The times and accuracies of one contender.

    Attributes:
        name: of the contender.
        seconds: of the whole work, one for each round.
        share: of the work that was run; the seconds are what it took, divided by this.
        models: number of models judged.
        validation_accuracy: mean over these models, one for each round; empty without models.
        test_accuracy: the same on the test images.
        complaint: why the time of this contender is not valid; empty if it is.
    """

    name: str
    seconds: tuple[float, ...]
    share: float
    models: int
    validation_accuracy: tuple[float, ...]
    test_accuracy: tuple[float, ...]
    complaint: str = ""


@dataclass(frozen=True)
class Goal:
    """A ratio of two contenders' times that this project has set itself.

    Attributes:
        over: contender whose time is divided.
        under: contender by whose time.
        bound: of the ratio; None if it is only reported.
        at_least: whether the ratio should be at least or at most that.
    """

    over: str
    under: str
    bound: float | None
    at_least: bool


@dataclass(frozen=True)
class Figure:
    """A number other than a ratio of times, and the bound that this project has set itself.

    Attributes:
        name: what the number is.
        spread: of the measurements.
        bound: of the median.
        at_least: whether it should be at least or at most that.
        unit: behind the number, such as MB.
    """

    name: str
    spread: Spread
    bound: float
    at_least: bool
    unit: str = ""


@dataclass(frozen=True)
class Comparison:
    """Contenders that did the same work.

    Attributes:
        name: short.
        title: what the work was.
        measurements: one for each contender.
        goals: ratios of interest.
        notes: what a reader has to know to trust the figures.
        column: heading of its medians in the table that it shares with the comparisons next to it;
            empty if it has a table of its own.
    """

    name: str
    title: str
    measurements: tuple[Measurement, ...]
    goals: tuple[Goal, ...] = ()
    notes: tuple[str, ...] = ()
    column: str = ""

    def ratio(self, goal: Goal) -> Spread | None:
        """The ratio of a goal, from the times of each round; None if a contender is invalid."""
        over, under = self._find(goal.over), self._find(goal.under)
        if over.complaint or under.complaint:
            return None
        pairs = zip(over.seconds, under.seconds, strict=True)
        return Spread.of([first / second for first, second in pairs])

    def ratios(self) -> list[tuple[Goal, Spread | None]]:
        """Every goal with its ratio."""
        return [(goal, self.ratio(goal)) for goal in self.goals]

    def _find(self, name: str) -> Measurement:
        return next(measured for measured in self.measurements if measured.name == name)


def measure(
    contenders: Sequence[Contender], images: Images | None, repeats: int, announce: Announce
) -> list[Measurement]:
    """Run all contenders in turn, A B C A B C; the first round is not counted.

    Args:
        contenders: what is compared; names differ.
        images: what is learned is judged by the validation and the test images; None if nothing
            is learned.
        repeats: rounds that count.
        announce: is told of each run.
    """
    for contender in contenders:
        announce(f"setting up: {contender.name}")
        contender.setup()
    results: dict[str, list[Measurement]] = {contender.name: [] for contender in contenders}
    for number in range(repeats + 1):
        what = f"round {number} of {repeats}" if number else "burn-in"
        for contender in contenders:
            result = _run_once(contender, images)
            announce(f"{what}: {contender.name}: {result.seconds[0]:.3g} s")
            results[contender.name].append(result)
    return [_joined(rounds[1:]) for rounds in results.values()]


def seconds_of(run: Callable[[], object]) -> float:
    """Wall time of one run, after garbage is collected and others' threads have gone to sleep."""
    gc.collect()
    time.sleep(_PAUSE_SECONDS)
    return timing.seconds_of(run)


def _run_once(contender: Contender, images: Images | None) -> Measurement:
    seconds = seconds_of(contender.run) / contender.share
    models = contender.learned()
    validation, test = judged(models, images) if images and models else ((), ())
    return Measurement(contender.name, (seconds,), contender.share, len(models), validation, test)


def judged(
    models: Sequence[LinearModel], images: Images
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean accuracy of models on validation and on test images, as a tuple of one each."""
    first, second = (
        sum(model.accuracy(split) for model in models) / len(models)
        for split in (images.validation, images.test)
    )
    return (first,), (second,)


def _joined(rounds: Sequence[Measurement]) -> Measurement:
    """The measurements of one contender's rounds as one."""
    return replace(
        rounds[0],
        seconds=sum((result.seconds for result in rounds), ()),
        validation_accuracy=sum((result.validation_accuracy for result in rounds), ()),
        test_accuracy=sum((result.test_accuracy for result in rounds), ()),
    )


def agreeing(
    measurements: Sequence[Measurement], tolerance: float, classes: int = 10
) -> tuple[Measurement, ...]:
    """Mark contenders as invalid whose test accuracy is not that of the others.

    Args:
        measurements: of one comparison; those that learn nothing are left as they are.
        tolerance: greatest distance from the median of the contenders.
        classes: of the data set.
    """
    least = _MIN_LEARNED / classes
    accuracies = [median(m.test_accuracy) for m in measurements if m.test_accuracy]
    expected = median(accuracies) if accuracies else 0.0
    return tuple(
        replace(m, complaint=_complaint(median(m.test_accuracy), expected, tolerance, least))
        if m.test_accuracy
        else m
        for m in measurements
    )


def _complaint(accuracy: float, expected: float, tolerance: float, least: float) -> str:
    if not accuracy >= least:
        return f"did not learn: {100 * accuracy:.1f} % of the test images"
    if abs(accuracy - expected) > tolerance:
        return (
            f"did not learn the same: {100 * accuracy:.1f} % of the test images, "
            f"the others {100 * expected:.1f} %"
        )
    return ""
