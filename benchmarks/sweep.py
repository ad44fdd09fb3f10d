"""A sweep: many trainings that differ in learning rate and regularisation."""

from benchmarks.contenders.jaxscan import JaxScan
from benchmarks.contenders.own import SoftmaxLoop, SoftmaxSweep
from benchmarks.contenders.plain import PlainLoop
from benchmarks.contenders.products import ProductsAlone
from benchmarks.contenders.pytorch import TorchLoop
from benchmarks.task import Images, Task
from benchmarks.timing import Announce, Comparison, Contender, Goal, agreeing, measure
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.tuning.trials import make_trials

_JAX = "JAX, jitted scan with vmap"

GOALS = (
    Goal("softmax", ProductsAlone.name, 1.05, at_least=False),
    Goal(PlainLoop.name, "softmax", 10.0, at_least=True),
    Goal(_JAX, "softmax", 1.1, at_least=True),
)


def compare_sweep(
    sweep: SweepConfig,
    images: Images,
    *,
    sampled: int,
    repeats: int,
    tolerance: float,
    announce: Announce,
) -> Comparison:
    """Train all trials of a sweep with every contender.

    Contenders that train one model after another train only some of the trials, to their end, and
    their time is scaled.

    Args:
        sweep: a grid over learning rate and regularisation, as one stack.
        images: the data set.
        sampled: number of trials that stand for all; every contender is judged by these.
        repeats: rounds that count.
        tolerance: greatest distance of a contender's test accuracy from the median of all.
        announce: is told of each run.
    """
    task = Task([trial.config for trial in make_trials(sweep)], images)
    recipe = task.recipe
    members = [number * recipe.models // sampled for number in range(sampled)]
    contenders: list[Contender] = [
        SoftmaxSweep(sweep, task, members),
        SoftmaxLoop(task, members),
        PlainLoop(task, members),
        TorchLoop(task, members),
        JaxScan(task, members),
        ProductsAlone.of(task),
    ]
    measurements = measure(contenders, images, repeats, announce)
    return Comparison(
        name="sweep",
        title=f"A sweep: {recipe.models} trials of {recipe.iterations} iterations",
        measurements=agreeing(measurements, tolerance),
        goals=GOALS,
        notes=(
            (
                f"{PlainLoop.name} and {TorchLoop.name} train {sampled} of the {recipe.models} "
                f"trials to their end, and their time is multiplied by {recipe.models / sampled:g}."
            ),
            (
                f"Accuracy is the mean over these {sampled} trials for every contender; the means "
                f"on the test images must agree within {100 * tolerance:g} points."
            ),
        ),
    )
