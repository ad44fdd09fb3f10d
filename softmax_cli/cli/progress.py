"""How progress is shown: a bar on a terminal, a line every few seconds elsewhere."""

import time
from typing import TYPE_CHECKING, Literal, Self

from softmax_cli.cli import signals
from softmax_cli.cli.output import Output, stderr_console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType
    from rich.progress import Progress, ProgressColumn

Unit = Literal["steps", "bytes"]

_LINE_SECONDS = 5.0
_BAR_WIDTH = 24


class ProgressDisplay:
    """Progress on stderr, and what else an observer of a run needs.

    It is a context manager that leaves the terminal in order.

    Args:
        output: says whether to be quiet.
        unit: what is counted.
        bar_seconds: from one refresh of the bar to the next.
    """

    def __init__(self, output: Output, unit: Unit = "steps", *, bar_seconds: float = 0.2) -> None:
        self._output = output
        self._unit = unit
        self._console = stderr_console()
        self._interval = bar_seconds if self._console.is_terminal else _LINE_SECONDS
        self._bar: Progress | None = None
        self._below: RenderableType | None = None
        self._next = 0.0
        self._start = 0.0
        self._first = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def warned(self, message: str) -> None:
        """Print a warning."""
        self._output.warning(message)

    def stop_requested(self) -> bool:
        """Whether Ctrl-C was pressed, or another signal asked to stop."""
        return signals.stop_requested()

    def begin(self, completed: int = 0) -> None:
        """Start to count: what is completed by now took no time."""
        self._first, self._start = completed, time.monotonic()
        self._next = self._start + self._interval

    def is_due(self, *, last: bool = False) -> bool:
        """Whether it is time to show something; always for what comes last, never if quiet."""
        return not self._output.quiet and (last or time.monotonic() >= self._next)

    def show(
        self,
        completed: int,
        total: int,
        line: "Callable[[float, float], str]",
        *,
        description: str = "",
        below: "RenderableType | None" = None,
    ) -> None:
        """Refresh the bar, or print a line.

        Args:
            completed: how much is done.
            total: of how much.
            line: what to print where there is no terminal, given how much was done in a second and
                how many seconds are left.
            description: beside the bar.
            below: what to draw below it.
        """
        now = time.monotonic()
        self._next = now + self._interval
        if not self._console.is_terminal:
            rate = (completed - self._first) / max(now - self._start, 1e-9)
            self._output.message(line(rate, (total - completed) / max(rate, 1e-9)))
            return
        self._below = below
        if self._bar is None:
            self._bar = self._new_bar()
            # What was there before would count as done in no time.
            self._bar.add_task("", total=total, completed=self._first)
            self._bar.start()
        task = self._bar.task_ids[0]
        self._bar.update(task, completed=completed, total=total, description=description)
        self._bar.refresh()

    def remove(self) -> None:
        """Take the bar off the terminal, so that other lines can be printed."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _new_bar(self) -> "Progress":
        from rich.progress import Progress

        display = self

        class Bar(Progress):
            def get_renderables(self) -> "Iterator[RenderableType]":
                # The bar first: a narrow terminal may be too low for all of what is below.
                yield from super().get_renderables()
                if display._below is not None:
                    yield display._below

        # Refreshed from show(): a thread would take turns with the training.
        return Bar(*self._columns(), console=self._console, auto_refresh=False, transient=True)

    def _columns(self) -> "Iterator[ProgressColumn]":
        from rich import progress

        yield progress.BarColumn(bar_width=_BAR_WIDTH)
        if self._unit == "bytes":
            yield progress.DownloadColumn()
            yield progress.TransferSpeedColumn()
        else:
            yield progress.MofNCompleteColumn()
        yield progress.TimeRemainingColumn(elapsed_when_finished=self._unit == "steps")
        yield progress.TextColumn("{task.description}")
