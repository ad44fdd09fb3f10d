"""Progress of a sweep: a bar with the leaders below it on a terminal, lines elsewhere."""

from typing import TYPE_CHECKING

from softmax_cli.cli.output import Output, percent
from softmax_cli.cli.progress import ProgressDisplay
from softmax_cli.cli.sweep_table import leaders_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.training.trainer import Progress, Trainer
    from softmax_cli.tuning.repeats import Setting
    from softmax_cli.tuning.stack_run import StackTask

_BAR_SECONDS = 0.5
_LEADERS = 8


class SweepProgress(ProgressDisplay):
    """Shows a sweep on stderr."""

    def __init__(self, output: Output, settings: "SweepConfig") -> None:
        super().__init__(output, bar_seconds=_BAR_SECONDS)
        self._settings = settings
        self._task: StackTask | None = None
        self._trials = 0
        self._stacks: list[str] = []
        self._stacks_done = 0
        self._recorded: list[Setting] = []
        self._leaders: list[Setting] = []

    def planned(self, trials: int, done: int) -> None:
        """Say what is ahead."""
        self._trials = trials
        found = f", {done} of them done already" if done else ""
        self._output.message(f"{trials} trials{found}")

    def stage_started(self, tasks: "Sequence[StackTask]") -> None:
        """Say how many stacks this stage has."""
        self._stacks, self._stacks_done = [task.name for task in tasks], 0
        for number, task in enumerate(tasks, start=1):
            until = "the end" if task.until is None else f"iteration {task.until}"
            self._output.detail(
                f"stack {number} of {len(tasks)}: {task.stack.models} models, to {until}"
            )

    def stack_started(self, task: "StackTask") -> None:
        """Remember whose progress is shown."""
        self._task = task

    def started(self, trainer: "Trainer") -> None:
        """Begin to count its steps."""
        self.begin(trainer.iteration)

    def progressed(self, trainer: "Trainer", progress: "Progress") -> None:
        """Show, if it is time to."""
        task = self._task
        assert task is not None  # noqa: S101 - a stack is started before it makes progress
        if progress.measurement is not None:
            self._leaders = self._standing(task, trainer)
        if self.is_due():
            self._show(self._name(task), progress.iteration, task.until or trainer.iterations)

    def extracted(self, completed: int, total: int) -> None:
        """Show how far the features of the next stack are, if it is time to."""
        if self.is_due():
            self._show("features", completed, total)

    def recorded(self, leaders: "Sequence[Setting]") -> None:
        """Show the standings after a stack."""
        self._stacks_done += 1
        self._recorded = self._leaders = list(leaders)
        if self.is_due(last=True):
            self._show("stacks", self._stacks_done, len(self._stacks))

    def _show(self, name: str, completed: int, total: int) -> None:
        def line(_rate: float, _left: float) -> str:
            if name == "stacks":
                done = sum(len(setting.repeats) for setting in self._recorded)
                return f"{done} of {self._trials} trials done{self._best()}"
            unit = "image" if name == "features" else "iteration"
            return f"{name}, {unit} {completed}/{total}{self._best()}"

        leaders = self._leaders
        table = leaders_table(self._settings, leaders, _LEADERS) if leaders else None
        self.show(completed, total, line, description=name, below=table)

    def _best(self) -> str:
        best = next(iter(self._leaders), None)
        if best is None or not best.mean.has_figures:
            return ""
        return f", best {percent(best.mean.validation_accuracy)}"

    def _name(self, task: "StackTask") -> str:
        if task.name not in self._stacks:
            return "the best trial"
        return f"stack {self._stacks.index(task.name) + 1}/{len(self._stacks)}"

    def _standing(self, task: "StackTask", trainer: "Trainer") -> "list[Setting]":
        """Where the trials stand: those of a stack in the middle of its training, and the rest."""
        from softmax_cli.tuning.outcomes import outcomes_of
        from softmax_cli.tuning.repeats import ranked_settings

        trials = [(trial.id, trial.parameters) for trial in task.stack.trials]
        standing = {o.id: o for o in outcomes_of(trials, task.stack.folds, trainer, seconds=0.0)}
        standing |= {repeat.id: repeat for s in self._recorded for repeat in s.repeats}
        found = ranked_settings(standing.values(), self._settings.metric)
        return [setting for setting in found if setting.mean.has_figures]
