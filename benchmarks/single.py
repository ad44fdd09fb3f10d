"""One training: the classic assignment on centred raw pixels."""

from benchmarks.contenders.jaxscan import JaxScan
from benchmarks.contenders.own import SoftmaxLoop, SoftmaxTrain
from benchmarks.contenders.plain import PlainLoop
from benchmarks.contenders.products import ProductsAlone
from benchmarks.contenders.pytorch import TorchLoop
from benchmarks.task import Images, Task
from benchmarks.timing import Announce, Comparison, Contender, Goal, agreeing, measure
from softmax_cli.config.schema import TrainConfig

GOALS = (
    Goal("softmax", ProductsAlone.name, 1.5, at_least=False),
    Goal(TorchLoop.name, "softmax", 3.0, at_least=True),
    Goal(PlainLoop.name, "softmax", 3.3, at_least=True),
)


def compare_single(
    config: TrainConfig, images: Images, *, repeats: int, tolerance: float, announce: Announce
) -> Comparison:
    """Train one model by plain SGD with every contender.

    Args:
        config: of the training; softmax loss, no momentum, no flips.
        images: the data set.
        repeats: rounds that count.
        tolerance: greatest distance of a contender's test accuracy from the median of all.
        announce: is told of each run.
    """
    task = Task([config], images)
    contenders: list[Contender] = [
        SoftmaxTrain("softmax", [config], images),
        SoftmaxLoop(task),
        PlainLoop(task),
        TorchLoop(task),
        JaxScan(task),
        ProductsAlone.of(task),
    ]
    recipe = task.recipe
    measurements = measure(contenders, images, repeats, announce)
    return Comparison(
        name="single",
        title=f"One training: {recipe.iterations} iterations, batch {recipe.batch_size}",
        measurements=agreeing(measurements, tolerance),
        goals=GOALS,
        notes=(
            (
                "softmax is everything between images in memory and a finished run directory: "
                "preprocessing, loop, validations, checkpoints, models, accuracy on all images."
            ),
            (
                "The other libraries do the loop alone, on images preprocessed beforehand and "
                "without validating; JAX has compiled beforehand."
            ),
            f"Test accuracies must agree within {100 * tolerance:g} points.",
        ),
    )
