"""A linear probe: many settings for rows of numbers such as the embeddings of a network.

The rows are made from a seed. Their noise has a standard deviation of ``1/sqrt(j)`` along the j-th
direction of a random orthonormal basis, as the spectrum of embeddings falls, too; each class has a
mean of its own, whose distance from the others is the same share of that deviation in every
direction. So classes overlap, and what tells them apart lies in steep and in flat directions alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from benchmarks.contenders.jaxscan import JaxScan
from benchmarks.contenders.optimum import LbfgsOneByOne, ScikitOptimum, StackedLbfgs
from benchmarks.contenders.own import SoftmaxLoop, SoftmaxOneByOne, SoftmaxSweep
from benchmarks.contenders.products import ProductsAlone
from benchmarks.optimum import compare_optima, optimum_settings, optimum_task, spread_members
from benchmarks.task import ARRAYS, Images, Task
from benchmarks.timing import Announce, Comparison, Contender, Goal, agreeing, measure
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.data.images import ImageSet
from softmax_cli.tuning.trials import make_trials

_JAX = "JAX, jitted scan with vmap"
SGD_GOALS = (Goal(_JAX, "softmax", 1.1, at_least=True),)
OPTIMUM_GOALS = (Goal(ScikitOptimum.name, StackedLbfgs.name, 10.0, at_least=True),)
JUDGED_CLASSES = 10
"""The goals are for so many classes; others are reported."""

_WORTH = 1.1
"""Stacking pays where models one by one take so many times as long, or longer."""


@dataclass(frozen=True)
class ProbeSizes:
    """How much is measured.

    Attributes:
        classes: of each data set.
        examples: that are trained on.
        validation: further ones.
        test: further ones.
        features: numbers of an example.
        separation: standard deviation of the classes' means over that of the noise, in every
            direction; of 768 with 0.1 the best classifier gets 87 % of ten classes right, and 60 %
            of a hundred.
        rates: learning rates, each with all decays.
        decays: values of lambda for SGD.
        lambdas: values of lambda whose optimum is sought.
        iterations: of SGD.
        sampled: models that stand for all where they are trained one after another.
        fitted: values of lambda that are solved one after another.
    """

    classes: tuple[int, ...] = (10, 100)
    examples: int = 50_000
    validation: int = 1000
    test: int = 10_000
    features: int = 768
    separation: float = 0.1
    rates: int = 6
    decays: int = 4
    lambdas: int = 24
    iterations: int = 1000
    sampled: int = 2
    fitted: int = 3


def make_arrays(classes: int, sizes: ProbeSizes, seed: int = 0) -> Images:
    """Rows of numbers with labels, as the module describes them.

    Args:
        classes: C.
        sizes: how many of what.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    width = sizes.features
    basis, _ = np.linalg.qr(rng.standard_normal((width, width)))
    directions = basis / np.sqrt(np.arange(1, width + 1))[:, None]  # (D, D)
    means = np.float32(sizes.separation) * rng.standard_normal((classes, width), np.float32)
    names = tuple(f"class {number}" for number in range(classes))

    def make(part: str, count: int) -> ImageSet:
        labels = rng.integers(classes, size=count)
        rows = rng.standard_normal((count, width), np.float32)
        rows += means[labels]
        rows = rows @ directions.astype(np.float32)
        return ImageSet(rows, labels, names, f"probe {part} {classes}", is_pictures=False)

    train = make("train", sizes.examples + sizes.validation)
    return Images(train, make("test", sizes.test), sizes.validation)


def compare_probes(
    sizes: ProbeSizes, *, gradient: float, repeats: int, tolerance: float, announce: Announce
) -> tuple[Comparison, ...]:
    """A linear probe by SGD and to the optimum, for each number of classes.

    Args:
        sizes: how much.
        gradient: its greatest component at an optimum.
        repeats: rounds of SGD that count.
        tolerance: of test accuracies.
        announce: is told of each run.
    """
    comparisons = []
    for classes in sizes.classes:
        announce(f"making {sizes.examples:,} x {sizes.features} numbers of {classes} classes")
        images = make_arrays(classes, sizes)
        comparisons += [
            compare_sgd(images, sizes, repeats=repeats, tolerance=tolerance, announce=announce),
            compare_probe_optima(images, sizes, gradient=gradient, announce=announce),
        ]
    return tuple(comparisons)


def compare_sgd(
    images: Images, sizes: ProbeSizes, *, repeats: int, tolerance: float, announce: Announce
) -> Comparison:
    """All settings of plain SGD in one stack, one by one, and by JAX.

    Args:
        images: rows of numbers.
        sizes: how much.
        repeats: rounds that count.
        tolerance: greatest distance of a contender's test accuracy from the median of all.
        announce: is told of each run.
    """
    sweep = load_sweep_config(
        "cs231n-sweep",
        [
            *ARRAYS,
            f"data.validation_size={sizes.validation}",
            "training.batch_size=256",
            f"training.iterations={sizes.iterations}",
            "training.validate_every=500",
            f"parameters.optimizer.learning_rate={_grid(3e-3, 3e-2, sizes.rates)}",
            f"parameters.optimizer.regularization={_grid(1e-4, 1e-1, sizes.decays)}",
        ],
    )
    task = Task([trial.config for trial in make_trials(sweep)], images)
    recipe = task.recipe
    members = spread_members(task, sizes.sampled)
    stack, alone = SoftmaxLoop(task, members), SoftmaxOneByOne(task, members)
    contenders: list[Contender] = [
        SoftmaxSweep(sweep, task, members),
        stack,
        alone,
        JaxScan(task, members),
        ProductsAlone.of(task),
    ]
    measured = agreeing(measure(contenders, images, repeats, announce), tolerance, task.classes)
    seconds = {measurement.name: median(measurement.seconds) for measurement in measured}
    return Comparison(
        name=f"arrays, {task.classes} classes",
        title=(
            f"A linear probe, {task.classes} classes: {recipe.models} settings, "
            f"{recipe.iterations} iterations, batch {recipe.batch_size}"
        ),
        measurements=measured,
        goals=SGD_GOALS if task.classes == JUDGED_CLASSES else _reported(SGD_GOALS),
        notes=(
            _data_note(images, sizes),
            (
                f"One by one {len(members)} of the {recipe.models} are trained to their end, and "
                "the time is scaled; JAX compiles beforehand, and does the loop alone."
            ),
            stacking_note(seconds[stack.name], seconds[alone.name], recipe.models, task.classes),
        ),
    )


def compare_probe_optima(
    images: Images, sizes: ProbeSizes, *, gradient: float, announce: Announce
) -> Comparison:
    """The optimum for many values of lambda in one stack, one by one, and by scikit-learn.

    Args:
        images: rows of numbers.
        sizes: how much.
        gradient: its greatest component at an optimum.
        announce: is told of each run.
    """
    settings = optimum_settings(sizes.lambdas, gradient)
    task = optimum_task(images, [*settings, *ARRAYS, f"data.validation_size={sizes.validation}"])
    members = spread_members(task, sizes.fitted)
    comparison = compare_optima(
        task,
        [StackedLbfgs(task)],
        [LbfgsOneByOne(task, members), ScikitOptimum(task, members)],
        name=f"arrays, optimum, {task.classes} classes",
        what=f"the probe of {task.classes} classes",
        goals=OPTIMUM_GOALS if task.classes == JUDGED_CLASSES else _reported(OPTIMUM_GOALS),
        sampled=sizes.fitted,
        announce=announce,
    )
    stack, alone, _ = (sum(measured.seconds) for measured in comparison.measurements)
    note = stacking_note(stack, alone, sizes.lambdas, task.classes)
    return replace(comparison, notes=(*comparison.notes, note))


def stacking_note(stack: float, alone: float, models: int, classes: int) -> str:
    """Whether it pays to train models side by side, in a sentence.

    Args:
        stack: seconds side by side.
        alone: seconds one by one.
        models: how many.
        classes: of the data set.
    """
    ratio = alone / stack
    verdict = "stacking pays" if ratio >= _WORTH else "stacking does not pay"
    return (
        f"{models} models of {classes} classes one by one take {ratio:.2f} times as long as in a "
        f"stack: here {verdict}."
    )


def _reported(goals: Sequence[Goal]) -> tuple[Goal, ...]:
    """The same ratios without a bound."""
    return tuple(replace(goal, bound=None) for goal in goals)


def _grid(low: float, high: float, number: int) -> str:
    return f"{{low: {low}, high: {high}, num: {number}, scale: log}}"


def _data_note(images: Images, sizes: ProbeSizes) -> str:
    return (
        f"{sizes.examples:,} rows of {sizes.features} numbers of {len(images.train.class_names)} "
        "classes, made from a seed: a mean for each class and noise whose deviation falls from "
        f"1 to {sizes.features**-0.5:.3f} along the directions of a random basis. The means have "
        f"{sizes.separation:g} of that deviation in each direction, so that the classes overlap."
    )
