"""The optimum for a grid of lambdas: side by side with a preconditioner, without, one by one."""

from collections.abc import Sequence

import numpy as np

from benchmarks.contenders.optimum import (
    MOST_ITERATIONS,
    PlainStackedLbfgs,
    ScikitOptimum,
    StackedLbfgs,
)
from benchmarks.task import Images, Task
from benchmarks.timing import (
    Announce,
    Comparison,
    Contender,
    Goal,
    Measurement,
    judged,
    seconds_of,
)
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.tuning.trials import make_trials

GOALS = (
    Goal(ScikitOptimum.name, StackedLbfgs.name, 60.0, at_least=True),
    Goal(PlainStackedLbfgs.name, StackedLbfgs.name, 3.0, at_least=True),
)


def compare_optimum(
    sweep: SweepConfig, images: Images, *, sampled: int, announce: Announce
) -> Comparison:
    """Solve all trials of a sweep to its tolerance with every contender, once.

    Args:
        sweep: a grid over lambda with the method lbfgs, as one stack.
        images: the data set.
        sampled: trials that scikit-learn fits, at least 2: the least lambda, the greatest, and
            others between them.
        announce: is told of each run.
    """
    trials = sorted(make_trials(sweep), key=lambda trial: trial.config.optimizer.regularization)
    task = Task([trial.config for trial in trials], images)
    members = np.linspace(0, len(trials) - 1, sampled).round().astype(int).tolist()
    scikit = ScikitOptimum(task, members)
    own: list[StackedLbfgs] = [StackedLbfgs(task), PlainStackedLbfgs(task)]
    measurements = [_measured(contender, images, announce) for contender in own]
    measurements.append(_fitted_one_by_one(scikit, task, members, images, announce))
    lambdas = [config.optimizer.regularization for config in task.configs]
    return Comparison(
        name="optimum",
        title=f"The optimum for {len(trials)} values of lambda, to the same gradient",
        measurements=tuple(measurements),
        goals=GOALS,
        notes=(
            (
                f"lambda is {', '.join(f'{value:.2g}' for value in lambdas)}; all end when no "
                f"component of the gradient is above {task.configs[0].optimizer.tolerance:g}."
            ),
            (
                f"scikit-learn fits {len(members)} of the {len(trials)}; the times of the others "
                "are interpolated, linearly in the logarithms. Where it has not converged after "
                f"{MOST_ITERATIONS} iterations, its time until then counts."
            ),
            *map(_note, own),
            _note(scikit),
        ),
    )


def _measured(contender: Contender, images: Images, announce: Announce) -> Measurement:
    announce(f"setting up: {contender.name}")
    contender.setup()
    seconds = seconds_of(contender.run)
    announce(f"{contender.name}: {seconds:.3g} s")
    return _measurement(contender, seconds, images)


def _fitted_one_by_one(
    scikit: ScikitOptimum, task: Task, members: Sequence[int], images: Images, announce: Announce
) -> Measurement:
    """Time some fits, and interpolate the time of the others."""
    announce(f"setting up: {scikit.name}")
    scikit.setup()
    times = []
    for member in members:
        times.append(seconds_of(lambda member=member: scikit.fit(member)))  # type: ignore[misc]
        decay = task.configs[member].optimizer.regularization
        announce(f"{scikit.name}: lambda {decay:.2g}: {times[-1]:.3g} s")
    decays = np.log([config.optimizer.regularization for config in task.configs])
    everything = np.exp(np.interp(decays, decays[list(members)], np.log(times)))
    scikit.share = len(members) / len(decays)
    return _measurement(scikit, float(everything.sum()), images)


def _measurement(contender: Contender, seconds: float, images: Images) -> Measurement:
    models = contender.learned()
    validation, test = judged(models, images)
    return Measurement(contender.name, (seconds,), contender.share, len(models), validation, test)


def _note(contender: StackedLbfgs | ScikitOptimum) -> str:
    iterations = ", ".join(map(str, contender.iterations))
    objectives = ", ".join(f"{value:.6f}" for value in contender.objectives)
    return f"{contender.name}: iterations {iterations}; objectives {objectives}."
