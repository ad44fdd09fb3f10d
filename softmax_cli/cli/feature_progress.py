"""Progress of features that take long to compute."""

from collections.abc import Callable

from softmax_cli.cli.output import Output
from softmax_cli.cli.progress import ProgressDisplay


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
