"""Features that take long to compute: what they will cost, and how far they are."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from softmax_cli.cli.output import Output
from softmax_cli.cli.progress import ProgressDisplay
from softmax_cli.errors import DataError

if TYPE_CHECKING:
    from softmax_cli.config.schema import TrainConfig
    from softmax_cli.training.feature_cost import FeatureCost


class FeatureProgress(ProgressDisplay):
    """Shows on stderr how many images have their features."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._completed = 0

    def extracted(self, completed: int, total: int) -> None:
        """Show, if it is time to; what is completed starts anew with each split."""
        if completed <= self._completed or not self._completed:
            self.remove()
            self.begin()
        self._completed = completed
        if self.is_due():
            self.show(completed, total, _line(completed, total), description="features")
        if completed == total:
            self.remove()

    def warned(self, message: str) -> None:
        """Print a warning."""
        self.remove()
        self._output.warning(message)


def _line(completed: int, total: int) -> Callable[[float, float], str]:
    def line(rate: float, left: float) -> str:
        return (
            f"features of {completed:,} of {total:,} images, {rate:.0f} images/s, {left:.0f} s left"
        )

    return line


def say_costs(configs: "Sequence[TrainConfig]", output: Output) -> "list[FeatureCost]":
    """Say what the features of some configurations will cost, and return it.

    Where the data set is missing, that is said, and nothing is returned.
    """
    from softmax_cli.training.feature_cost import feature_costs

    try:
        costs = feature_costs(configs)
    except DataError as error:
        output.message(f"What features will cost is not known: {error.message}")
        return []
    for cost in costs:
        what = f"{cost.kind} features of {cost.images:,} images, {cost.features:,} each"
        if cost.is_kept:
            output.message(f"{what}: kept on disk already")
        else:
            output.message(f"{what}: about {cost.seconds:.0f} s, {cost.size / 1e6:.0f} MB on disk")
    return costs
