"""Progress of a sweep: a bar with the leaders beside it on a terminal, lines elsewhere."""

import time
from typing import TYPE_CHECKING

from softmax_cli.cli import signals
from softmax_cli.cli.output import Output, percent, stderr_console
from softmax_cli.cli.sweep_table import leaders_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from rich.console import RenderableType
    from rich.live import Live
    from rich.progress import Progress as Bar

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.training.trainer import Progress, Trainer
    from softmax_cli.tuning.outcomes import Outcome
    from softmax_cli.tuning.stack_run import StackTask

_LIVE_SECONDS = 0.5
_LINE_SECONDS = 5.0
_LEADERS = 8


class SweepProgress:
    """Shows a sweep on stderr, and passes on that the user asked to stop; a context manager."""

    def __init__(self, output: Output, settings: "SweepConfig") -> None:
        self._output = output
        self._settings = settings
        self._console = stderr_console()
        self._live: Live | None = None
        self._bar: Bar | None = None
        self._interval = _LIVE_SECONDS if self._console.is_terminal else _LINE_SECONDS
        self._next = 0.0
        self._trials = 0
        self._stacks: list[str] = []
        self._stacks_done = 0
        self._recorded: list[Outcome] = []
        self._leaders: list[Outcome] = []

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def planned(self, trials: int, done: int) -> None:
        """Say what is ahead."""
        self._trials = trials
        found = f", {done} of them done already" if done else ""
        self._output.message(f"{trials} trials{found}")
        if not self._output.quiet and self._console.is_terminal:
            self._start_live()

    def stage_started(self, tasks: "Sequence[StackTask]") -> None:
        """Say how many stacks this stage has."""
        self._stacks, self._stacks_done = [task.name for task in tasks], 0
        for number, task in enumerate(tasks, start=1):
            until = "the end" if task.until is None else f"iteration {task.until}"
            self._output.detail(
                f"stack {number} of {len(tasks)}: {task.stack.models} models, to {until}"
            )
        self._show_bar("stacks", 0, len(tasks))

    def progressed(self, task: "StackTask", trainer: "Trainer", progress: "Progress") -> None:
        """Show, if it is time to."""
        if progress.measurement is not None:
            self._leaders = self._standing(task, trainer)
        now = time.monotonic()
        if self._output.quiet or now < self._next:
            return
        self._next = now + self._interval
        end, name = task.until or trainer.iterations, self._name(task)
        if self._live is not None:
            self._show_bar(name, progress.iteration, end)
        else:
            self._output.message(f"{name}, iteration {progress.iteration}/{end}{self._best()}")

    def recorded(self, leaders: "Sequence[Outcome]") -> None:
        """Show the standings after a stack."""
        self._stacks_done += 1
        self._recorded = self._leaders = list(leaders)
        if self._live is not None:
            self._show_bar("stacks", self._stacks_done, len(self._stacks))
        else:
            self._output.message(f"{len(leaders)} of {self._trials} trials done{self._best()}")

    def warned(self, message: str) -> None:
        """Print a warning."""
        self._output.warning(message)

    def stop_requested(self) -> bool:
        """Whether Ctrl-C was pressed, or another signal asked to stop."""
        return signals.stop_requested()

    def _best(self) -> str:
        best = next(iter(self._leaders), None)
        if best is None or not best.has_figures:
            return ""
        return f", best {percent(best.validation_accuracy)}"

    def _name(self, task: "StackTask") -> str:
        if task.name not in self._stacks:
            return "the best trial"
        return f"stack {self._stacks.index(task.name) + 1}/{len(self._stacks)}"

    def _standing(self, task: "StackTask", trainer: "Trainer") -> "list[Outcome]":
        """Where the trials stand: those of a stack in the middle of its training, and the rest."""
        from softmax_cli.tuning.outcomes import outcomes_of, ranked

        trials = [(trial.id, trial.parameters) for trial in task.stack.trials]
        standing = {o.id: o for o in outcomes_of(trials, task.stack.folds, trainer, seconds=0.0)}
        standing |= {outcome.id: outcome for outcome in self._recorded}
        found = ranked(standing.values(), self._settings.metric)
        return [outcome for outcome in found if outcome.has_figures]

    def _start_live(self) -> None:
        from rich import progress as rich_progress
        from rich.live import Live

        self._bar = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(bar_width=24),
            rich_progress.MofNCompleteColumn(),
            rich_progress.TimeRemainingColumn(),
            auto_refresh=False,
        )
        self._bar.add_task("", total=None)
        self._live = Live(
            self._picture(), console=self._console, auto_refresh=False, transient=True
        )
        self._live.start()

    def _show_bar(self, description: str, completed: int, total: int) -> None:
        if self._bar is not None and self._live is not None:
            self._bar.update(
                self._bar.task_ids[0], total=total, completed=completed, description=description
            )
            self._live.update(self._picture(), refresh=True)

    def _picture(self) -> "RenderableType":
        from rich.console import Group

        assert self._bar is not None  # noqa: S101
        if not self._leaders:
            return self._bar
        return Group(leaders_table(self._settings, self._leaders, _LEADERS), self._bar)
