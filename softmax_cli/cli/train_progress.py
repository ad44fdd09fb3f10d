"""Progress of a training."""

from typing import TYPE_CHECKING

from softmax_cli.cli.output import Output, percent
from softmax_cli.cli.progress import ProgressDisplay

if TYPE_CHECKING:
    from softmax_cli.training.trainer import Progress, Trainer


class TrainingObserver(ProgressDisplay):
    """Shows a training on stderr."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._latest = ""

    def started(self, trainer: "Trainer") -> None:
        """Begin to show."""
        self.begin(trainer.iteration)

    def progressed(self, trainer: "Trainer", progress: "Progress") -> None:
        """Show, if it is time to."""
        if progress.measurement is not None:
            row = progress.measurement.of_model(0)
            self._latest = (
                f"loss {row['train_loss']:.4f}, validation {percent(row['validation_accuracy'])}"
            )
            if progress.gradient_norm is not None:
                self._latest += f", gradient {progress.gradient_norm:.1e}"
        iteration, iterations = progress.iteration, trainer.iterations
        if self.is_due(last=iteration >= iterations):

            def line(rate: float, left: float) -> str:
                if progress.gradient_norm is not None:  # how far the optimum is nobody knows
                    return f"iteration {iteration}, {self._latest}"
                return (
                    f"iteration {iteration}/{iterations}, {self._latest or 'no validation yet'}, "
                    f"{rate:.0f} iterations/s, {left:.0f} s left"
                )

            self.show(iteration, iterations, line, description=self._latest)
