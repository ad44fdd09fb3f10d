"""The optimum for a grid of lambdas: side by side with a preconditioner, without, one by one."""

from collections.abc import Sequence

import numpy as np

from benchmarks.contenders.optimum import (
    MOST_ITERATIONS,
    OneByOne,
    PlainStackedLbfgs,
    ScikitOptimum,
    StackedLbfgs,
)
from benchmarks.task import ARRAYS, Images, Task
from benchmarks.timing import (
    Announce,
    Comparison,
    Contender,
    Figure,
    Goal,
    Measurement,
    Spread,
    judged,
    seconds_of,
)
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.tuning.trials import make_trials

PIXEL_GOALS = (
    Goal(ScikitOptimum.name, StackedLbfgs.name, 60.0, at_least=True),
    Goal(PlainStackedLbfgs.name, StackedLbfgs.name, 3.0, at_least=True),
)
HOG_GOALS = (Goal(ScikitOptimum.name, StackedLbfgs.name, 3.0, at_least=True),)
DIFFERENCE = 1e-6
"""Of objectives, relative, at most."""


def optimum_settings(lambdas: int, gradient: float) -> list[str]:
    """Overrides of the preset optimum-sweep: the grid of lambda, without mirror images.

    Args:
        lambdas: how many values, from 1e-4 to 1.
        gradient: its greatest component at an optimum.
    """
    return [
        f"parameters.optimizer.regularization={{low: 1e-4, high: 1, num: {lambdas}, scale: log}}",
        "augmentation.horizontal_flip=false",
        f"optimizer.tolerance={gradient}",
    ]


def optimum_task(images: Images, settings: Sequence[str]) -> Task:
    """A task with the trials of the preset optimum-sweep, from the least lambda to the greatest.

    Args:
        images: the data set.
        settings: overrides of the preset.
    """
    trials = make_trials(load_sweep_config("optimum-sweep", settings))
    configs = [trial.config for trial in trials]
    return Task(sorted(configs, key=lambda config: config.optimizer.regularization), images)


def spread_members(task: Task, sampled: int) -> list[int]:
    """Some models of a task: the first, the last, and others evenly between them."""
    return [int(index) for index in np.linspace(0, len(task.configs) - 1, sampled).round()]


def compare_pixels(
    images: Images, settings: Sequence[str], *, sampled: int, announce: Announce
) -> tuple[Comparison, Figure]:
    """The optimum on standardised pixels, beside scikit-learn and the plain method.

    Args:
        images: the data set.
        settings: overrides of the preset optimum-sweep.
        sampled: values of lambda that scikit-learn fits, at least 2.
        announce: is told of each run.
    """
    task = optimum_task(images, settings)
    stacked, scikit = StackedLbfgs(task), ScikitOptimum(task, spread_members(task, sampled))
    comparison = compare_optima(
        task,
        [stacked, PlainStackedLbfgs(task)],
        [scikit],
        name="optimum",
        what="standardised pixels",
        goals=PIXEL_GOALS,
        sampled=sampled,
        announce=announce,
    )
    return comparison, difference_of_objectives(stacked, scikit, spread_members(task, sampled))


def compare_hog(
    images: Images, settings: Sequence[str], *, sampled: int, announce: Announce
) -> Comparison:
    """The optimum on the features of the preset hog, beside scikit-learn.

    Args:
        images: the data set.
        settings: overrides of the preset optimum-sweep.
        sampled: values of lambda that scikit-learn fits, at least 2.
        announce: is told of each run.
    """
    held_out = f"data.validation_size={images.validation_size}"
    features = images.features(
        load_train_config("hog", [held_out, "augmentation.horizontal_flip=false"])
    )
    task = optimum_task(features, [*settings, held_out, *ARRAYS])
    return compare_optima(
        task,
        [StackedLbfgs(task)],
        [ScikitOptimum(task, spread_members(task, sampled))],
        name="optimum, hog",
        what="the features of hog",
        goals=HOG_GOALS,
        sampled=sampled,
        announce=announce,
    )


def compare_optima(
    task: Task,
    stacked: Sequence[StackedLbfgs],
    one_by_one: Sequence[OneByOne],
    *,
    name: str,
    what: str,
    goals: tuple[Goal, ...],
    sampled: int,
    announce: Announce,
) -> Comparison:
    """Solve all models of a task to its tolerance with every contender, once.

    Args:
        task: models that differ in lambda, in its order.
        stacked: contenders that solve all models at once.
        one_by_one: those that solve one after another, and only as many as are sampled.
        name: of the comparison.
        what: what is classified.
        goals: of the comparison.
        sampled: models that are solved one by one, as :func:`spread_members` chooses them.
        announce: is told of each run.
    """
    members = spread_members(task, sampled)
    measurements = [_measured(contender, task.images, announce) for contender in stacked]
    measurements += [_interpolated(each, task, members, announce) for each in one_by_one]
    lambdas = [config.optimizer.regularization for config in task.configs]
    return Comparison(
        name=name,
        title=f"The optimum for {len(lambdas)} values of lambda on {what}",
        measurements=tuple(measurements),
        goals=goals,
        notes=(
            (
                f"lambda is {', '.join(f'{value:.2g}' for value in lambdas)}; all end when no "
                f"component of the gradient is above {task.configs[0].optimizer.tolerance:g}."
            ),
            (
                f"{' and '.join(each.name for each in one_by_one)}: {len(members)} of the "
                f"{len(lambdas)} are solved, the smallest and the largest among them; the times of "
                "the others are interpolated, linearly in the logarithms. Where scikit-learn has "
                f"not converged after {MOST_ITERATIONS} iterations, its time until then counts."
            ),
            *(_note(each) for each in stacked),
            *(_note(each) for each in one_by_one),
        ),
    )


def difference_of_objectives(
    stacked: StackedLbfgs, scikit: ScikitOptimum, members: Sequence[int]
) -> Figure:
    """The greatest relative difference of objectives where scikit-learn has converged.

    Args:
        stacked: has solved all models.
        scikit: has solved some.
        members: which these are.
    """
    pairs = zip(members, scikit.objectives, scikit.iterations, strict=True)
    differences = [
        abs(stacked.objectives[member] - objective) / abs(objective)
        for member, objective, iterations in pairs
        if iterations < MOST_ITERATIONS
    ]
    return Figure(
        "optimum: relative difference of objectives to scikit-learn, where it converged",
        Spread.of([max(differences, default=0.0)]),
        DIFFERENCE,
        at_least=False,
    )


def _measured(contender: Contender, images: Images, announce: Announce) -> Measurement:
    announce(f"setting up: {contender.name}")
    contender.setup()
    seconds = seconds_of(contender.run)
    announce(f"{contender.name}: {seconds:.3g} s")
    return _measurement(contender, seconds, images)


def _interpolated(
    contender: OneByOne, task: Task, members: Sequence[int], announce: Announce
) -> Measurement:
    """Time some fits, and interpolate the time of the others."""
    announce(f"setting up: {contender.name}")
    contender.setup()
    times = []
    for member in members:
        times.append(seconds_of(lambda member=member: contender.fit(member)))  # type: ignore[misc]
        decay = task.configs[member].optimizer.regularization
        announce(f"{contender.name}: lambda {decay:.2g}: {times[-1]:.3g} s")
    decays = np.log([config.optimizer.regularization for config in task.configs])
    everything = np.exp(np.interp(decays, decays[list(members)], np.log(times)))
    return _measurement(contender, float(everything.sum()), task.images)


def _measurement(contender: Contender | OneByOne, seconds: float, images: Images) -> Measurement:
    models = contender.learned()
    validation, test = judged(models, images)
    return Measurement(contender.name, (seconds,), contender.share, len(models), validation, test)


def _note(contender: StackedLbfgs | OneByOne) -> str:
    """What each model ended with."""
    iterations = ", ".join(map(str, contender.iterations))
    objectives = ", ".join(f"{value:.6f}" for value in contender.objectives)
    return (
        f"{contender.name}: iterations {iterations}; objectives {objectives}; "
        f"components of gradients up to {max(contender.gradients):.1e}."
    )
