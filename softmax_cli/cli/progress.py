"""Progress of a training: a bar on a terminal, a line every few seconds elsewhere."""

import time
from typing import TYPE_CHECKING, Self

from softmax_cli.cli import signals
from softmax_cli.cli.output import Output, percent, stderr_console

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar

    from softmax_cli.training.trainer import Progress, Trainer

_BAR_SECONDS = 0.2
_LINE_SECONDS = 5.0


class TrainingObserver:
    """Shows a training on stderr, and passes on that the user asked to stop.

    A context manager: the terminal is put back in order at its end.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console = stderr_console()
        self._bar: Bar | None = None
        self._interval = _BAR_SECONDS if self._console.is_terminal else _LINE_SECONDS
        self._next = 0.0
        self._first = 0
        self._start = 0.0
        self._latest = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def started(self, trainer: "Trainer") -> None:
        """Begin to show."""
        self._first, self._start = trainer.iteration, time.monotonic()
        self._next = self._start + self._interval
        if self._output.quiet or not self._console.is_terminal:
            return
        from rich import progress as rich_progress

        self._bar = rich_progress.Progress(
            rich_progress.BarColumn(bar_width=24),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TimeRemainingColumn(elapsed_when_finished=True),
            rich_progress.TextColumn("{task.description}"),
            console=self._console,
            # Refreshed from progressed(): a thread would take turns with the training.
            auto_refresh=False,
            transient=True,
        )
        self._bar.add_task("", total=trainer.iterations, completed=trainer.iteration)
        self._bar.start()

    def progressed(self, trainer: "Trainer", progress: "Progress") -> None:
        """Show, if it is time to."""
        if progress.measurement is not None:
            row = progress.measurement.of_model(0)
            self._latest = (
                f"loss {row['train_loss']:.4f}, validation {percent(row['validation_accuracy'])}"
            )
        now = time.monotonic()
        if self._output.quiet or (now < self._next and progress.iteration < trainer.iterations):
            return
        self._next = now + self._interval
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=progress.iteration, description=self._latest)
            self._bar.refresh()
        else:
            self._console.print(self._line(trainer, progress.iteration, now))

    def _line(self, trainer: "Trainer", iteration: int, now: float) -> str:
        rate = (iteration - self._first) / max(now - self._start, 1e-9)
        left = (trainer.iterations - iteration) / max(rate, 1e-9)
        return (
            f"iteration {iteration}/{trainer.iterations}, {self._latest or 'no validation yet'}, "
            f"{rate:.0f} iterations/s, {left:.0f} s left"
        )

    def warned(self, message: str) -> None:
        """Print a warning."""
        self._output.warning(message)

    def stop_requested(self) -> bool:
        """Whether Ctrl-C was pressed, or another signal asked to stop."""
        return signals.stop_requested()
