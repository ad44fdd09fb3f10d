"""Time to a given accuracy on the test images, from their pixels.

Everything about a training comes from the presets but its length. How long a contender has to train
is found by trying: the least budget with which it reaches the target.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.contenders.own import SoftmaxTrain
from benchmarks.contenders.scikit import LogisticRegression, SGDClassifier
from benchmarks.task import Images, Task
from benchmarks.timing import (
    Announce,
    Comparison,
    Contender,
    Goal,
    Measurement,
    judged,
    measure,
    seconds_of,
)
from softmax_cli.config.loading import load_train_config

SEEDS = 3
"""Trainings that a budget is judged by, where chance has a part, by their median."""

VARIANTS: dict[str, tuple[str, ...]] = {
    "softmax": (),
    "softmax, random flips": ("augmentation.horizontal_flip=true",),
    "softmax, no flips": ("augmentation.horizontal_flip=false",),
}
"""Name of a contender, and how it differs from the preset ``linear``."""
OPTIMUM = "softmax, lbfgs"
"""The preset ``optimum``: one lambda, folded."""

GOALS = (Goal(LogisticRegression.name, "softmax", 8.0, at_least=True),)


@dataclass(frozen=True)
class Budgets:
    """The budgets that are tried, least first: passes over the images, or iterations of L-BFGS.

    Attributes:
        softmax: passes of SGD.
        optimum: iterations of this package's L-BFGS.
        lbfgs: of scikit-learn's.
        sgd: passes of scikit-learn's SGD.
    """

    softmax: tuple[float, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25)
    optimum: tuple[float, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 15)
    lbfgs: tuple[float, ...] = (20, 40, 60, 70, 80, 100, 150)
    sgd: tuple[float, ...] = (1, 2, 5, 10, 20)


@dataclass(frozen=True)
class Rung:
    """What a contender did with one budget.

    Attributes:
        budget: passes over the images, or iterations of L-BFGS.
        seconds: median over seeds.
        validation_accuracy: the same.
        test_accuracy: the same.
    """

    budget: float
    seconds: float
    validation_accuracy: float
    test_accuracy: float


@dataclass(frozen=True)
class Ladder:
    """A contender that can be given more or less time.

    Attributes:
        name: of the contender.
        unit: of its budgets.
        budgets: what is tried, least first.
        seeds: runs of each budget; every run of a contender uses another seed.
        contender: the contender with a budget.
        follows: another ladder, whose budget it takes instead of trying any; empty for none.
    """

    name: str
    unit: str
    budgets: tuple[float, ...]
    seeds: int
    contender: Callable[[float], Contender]
    follows: str = ""


Curves = dict[str, tuple[Rung, ...]]
"""What each contender did with each budget up to the one that was enough."""


def compare_accuracy(
    images: Images,
    budgets: Budgets,
    *,
    overrides: Sequence[str] = (),
    target: float,
    repeats: int,
    announce: Announce,
) -> tuple[Comparison, Curves]:
    """Find the least budget of each contender that reaches the target, then time these in turn.

    Args:
        images: the data set.
        budgets: what is tried.
        overrides: further settings of this package's trainings.
        target: accuracy on the test images to be reached.
        repeats: rounds that count.
        announce: is told of each run.

    """
    comparison, curves = compare_ladders(
        _ladders(images, budgets, overrides), images, target, repeats, announce
    )
    note = (
        "softmax is the preset linear with another number of epochs, judged by the median "
        f"of {SEEDS} seeds, and {OPTIMUM} the preset optimum with as many iterations. Their times "
        "include preprocessing, validations and files; scikit-learn gets images preprocessed "
        "beforehand."
    )
    return replace(
        comparison,
        name="accuracy",
        title=f"{comparison.title} on pixels",
        goals=GOALS,
        notes=(*comparison.notes, note),
    ), curves


def compare_ladders(
    ladders: Sequence[Ladder], images: Images, target: float, repeats: int, announce: Announce
) -> tuple[Comparison, Curves]:
    """Find the least budget of each ladder that reaches the target, then time these in turn.

    Args:
        ladders: those that follow another one come after it.
        images: judge what is learned.
        target: accuracy on the test images to be reached.
        repeats: rounds that count.
        announce: is told of each run.
    """
    curves: Curves = {
        ladder.name: climb(ladder, images, target, announce)
        for ladder in ladders
        if not ladder.follows
    }
    tried = {ladder.name: curves[ladder.follows or ladder.name] for ladder in ladders}
    contenders = [ladder.contender(best_rung(tried[ladder.name]).budget) for ladder in ladders]
    measurements = measure(contenders, images, repeats, announce)
    comparison = Comparison(
        name="accuracy",
        title=f"Time to {100 * target:.1f} % test accuracy",
        measurements=reaching(measurements, tried, target),
        notes=(
            "Each contender has the least budget that reaches the target, or else the best one: "
            + "; ".join(_budget_text(ladder, tried[ladder.name]) for ladder in ladders)
            + ".",
        ),
    )
    return comparison, curves


def _ladders(images: Images, budgets: Budgets, overrides: Sequence[str]) -> list[Ladder]:
    config = load_train_config("linear", ["augmentation.horizontal_flip=false", *overrides])
    own = [
        Ladder(name, "epochs", budgets.softmax, SEEDS, _training(name, images, changes, overrides))
        for name, changes in VARIANTS.items()
    ]
    optimum = Ladder(OPTIMUM, "iterations", budgets.optimum, 1, _optimum(images, overrides))
    return [*own, optimum, *scikit_ladders(Task([config], images), budgets)]


def scikit_ladders(task: Task, budgets: Budgets) -> list[Ladder]:
    """scikit-learn's classifiers on the features of a task."""
    return [
        Ladder(
            LogisticRegression.name,
            "iterations of L-BFGS",
            budgets.lbfgs,
            1,
            lambda budget: LogisticRegression(task, int(budget)),
        ),
        Ladder(
            SGDClassifier.name,
            "epochs",
            budgets.sgd,
            1,
            lambda budget: SGDClassifier(task, int(budget)),
        ),
    ]


def _optimum(images: Images, overrides: Sequence[str]) -> Callable[[float], Contender]:
    # What SGD alone has to be told means nothing here.
    settings = [text for text in overrides if not text.startswith("training.")]

    def contender(iterations: float) -> Contender:
        limit = f"optimizer.max_iterations={int(iterations)}"
        return SoftmaxTrain(OPTIMUM, [load_train_config("optimum", [*settings, limit])], images)

    return contender


def _training(
    name: str, images: Images, changes: Sequence[str], overrides: Sequence[str]
) -> Callable[[float], Contender]:
    def contender(epochs: float) -> Contender:
        settings = [*changes, *overrides, f"training.epochs={epochs:g}"]
        configs = [load_train_config("linear", [*settings, f"seed={s}"]) for s in range(SEEDS)]
        return SoftmaxTrain(name, configs, images)

    return contender


def climb(ladder: Ladder, images: Images, target: float, announce: Announce) -> tuple[Rung, ...]:
    """Try budgets until one is enough; all of them if none is."""
    rungs: list[Rung] = []
    for budget in ladder.budgets:
        contender = ladder.contender(budget)
        contender.setup()
        runs = []
        for _ in range(ladder.seeds):
            seconds = seconds_of(contender.run)
            (validation,), (test,) = judged(contender.learned(), images)
            runs.append((seconds, validation, test))
        rungs.append(Rung(budget, *(median(column) for column in zip(*runs, strict=True))))
        announce(
            f"trying: {ladder.name}, {budget:g} {ladder.unit}: "
            f"{100 * rungs[-1].test_accuracy:.2f} % in {rungs[-1].seconds:.3g} s"
        )
        if rungs[-1].test_accuracy >= target:
            break
    return tuple(rungs)


def best_rung(rungs: Sequence[Rung]) -> Rung:
    """The one with the highest test accuracy, which is the last one if it was enough."""
    return max(rungs, key=lambda rung: rung.test_accuracy)


def reaching(
    measurements: Sequence[Measurement], curves: Mapping[str, Sequence[Rung]], target: float
) -> tuple[Measurement, ...]:
    """Mark the contenders as invalid that reach the target with none of their budgets."""
    marked = []
    for measurement in measurements:
        best = best_rung(curves[measurement.name]).test_accuracy
        missed = f"did not reach the target: {100 * best:.1f} % at best"
        marked.append(measurement if best >= target else replace(measurement, complaint=missed))
    return tuple(marked)


def _budget_text(ladder: Ladder, rungs: Sequence[Rung]) -> str:
    best = best_rung(rungs)
    return f"{ladder.name} {best.budget:g} {ladder.unit}"
