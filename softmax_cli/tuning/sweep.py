"""A sweep in its run directory: recorded trial by trial, resumable at any moment.

::

    trials.jsonl   a line for each trial that is done, written as its stack ends
    checkpoint/    until the end, the state of each stack in flight, and the last one of the best
    results.csv    all trials, best first; those that differ in their seeds alone by their mean
    best.yaml      settings of the best trial, or of the simplest one that is as good
    best/          that trial as an ordinary run directory
    summary.json   what `sweep` printed
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from softmax_cli.config.optimizer_schema import OptimizerSettings
from softmax_cli.config.sweep_schema import HalvingSearch, Rungs, SweepConfig
from softmax_cli.errors import InterruptedRunError
from softmax_cli.runs.directory import RunDirectory, resume_command
from softmax_cli.runs.tables import write_json
from softmax_cli.training.assembly import iterations_of
from softmax_cli.training.checkpointed_run import StopRequestedError
from softmax_cli.tuning.best_run import write_best_run
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.data_cache import DataCache
from softmax_cli.tuning.edges import edge_warnings
from softmax_cli.tuning.halving import narrowed, rung_end, survivors
from softmax_cli.tuning.local import StackObserver, run_locally
from softmax_cli.tuning.noise import accuracy_interval, select, within_noise
from softmax_cli.tuning.outcome_log import OutcomeLog
from softmax_cli.tuning.outcomes import Outcome, failed
from softmax_cli.tuning.repeats import Setting
from softmax_cli.tuning.stack_run import StackResult, StackTask
from softmax_cli.tuning.stacks import Stack, plan_stacks
from softmax_cli.tuning.trials import make_trials

if TYPE_CHECKING:
    from distributed import Client


class SweepObserver(StackObserver, Protocol):
    """Is informed of the progress of a sweep, and may ask it to stop."""

    def planned(self, trials: int, done: int) -> None:
        """How many trials there are, and how many of them are done already."""

    def stage_started(self, tasks: Sequence[StackTask]) -> None:
        """These stacks are trained next."""

    def recorded(self, leaders: Sequence[Setting]) -> None:
        """A stack is done; these are all settings so far, best first."""


@dataclass(frozen=True)
class SweepSummary:
    """The results of a sweep.

    Attributes:
        trials: number of trials.
        failed: trials whose stack could not be trained.
        diverged: trials whose loss ceased to be finite.
        seconds: time in the training loops, over all sessions and workers.
        best: the trial in ``best/``; None if none has a finite result.
        chosen: its setting.
        settings: all of them, best first.
        noise: whether each setting is within noise of the first; None where it is not known.
        warnings: what to do about a best trial on an edge of the grid, and about trials that did
            not come as near to their optimum as they should.
    """

    trials: int
    failed: int
    diverged: int
    seconds: float
    best: Outcome | None
    chosen: Setting | None
    settings: tuple[Setting, ...]
    noise: tuple[bool | None, ...]
    warnings: tuple[str, ...]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """All trials, the repeats of the best setting first."""
        return tuple(repeat for setting in self.settings for repeat in setting.repeats)

    @property
    def has_repeats(self) -> bool:
        """Whether any setting was trained with more than one seed."""
        return any(len(setting.repeats) > 1 for setting in self.settings)

    @property
    def within_noise(self) -> int | None:
        """How many settings are within noise of the best, itself included; None if not known."""
        known = [like for like in self.noise[1:] if like is not None]
        return 1 + sum(known) if known and self.best else None

    def to_json(self) -> dict[str, Any]:
        """The summary under stable names, without the single trials."""
        return {
            "trials": self.trials,
            "failed": self.failed,
            "diverged": self.diverged,
            "seconds": self.seconds,
            "best": self._best_figures(),
            "warnings": self.warnings,
            "settings": len(self.settings),
            "within_noise": self.within_noise,
        }

    def _best_figures(self) -> dict[str, Any] | None:
        return next(
            (row for row in self.results() if self.best and row["id"] == self.best.id), None
        )

    def results(self) -> list[dict[str, Any]]:
        """Each trial, in the order of ``results.csv``."""
        return [
            {**outcome_figures(outcome), "within_noise": like}
            for setting, like in zip(self.settings, self.noise, strict=True)
            for outcome in setting.repeats
        ]

    def setting_results(self) -> list[dict[str, Any]] | None:
        """Each setting with the means of its repeats, best first; None if nothing was repeated."""
        if not self.has_repeats:
            return None
        return [
            {**outcome_figures(setting.mean), "repeats": len(setting.repeats), "within_noise": like}
            for setting, like in zip(self.settings, self.noise, strict=True)
        ]


def outcome_figures(outcome: Outcome) -> dict[str, Any]:
    """An outcome under stable names, without its hits, and with the interval of its accuracy."""
    figures = asdict(outcome)
    del figures["hits"]
    return {**figures, "validation_accuracy_interval": accuracy_interval(outcome)}


def run_sweep(
    run: RunDirectory,
    sweep: SweepConfig,
    observer: SweepObserver,
    *,
    client: "Client | None" = None,
    data: DataCache | None = None,
) -> SweepSummary:
    """Train every trial that is not recorded yet, then rank all and save the best.

    Args:
        run: an open directory that holds the settings, and perhaps an earlier part of the sweep.
        sweep: those settings.
        observer: is told what happens.
        client: of a Dask scheduler to train the stacks on; None trains them here.
        data: what is in memory already, if anything.

    Raises:
        InterruptedRunError: the observer asked to stop; what was done is saved.
        ConfigurationError: a combination of parameters is not valid.
        IntegrityError: data or checkpoints are not intact.
        OSError: a file could not be written.
    """
    return _Sweep(run, sweep, observer, client, data or DataCache()).run()


class _Sweep:
    """A sweep while one process works on it."""

    def __init__(
        self,
        run: RunDirectory,
        sweep: SweepConfig,
        observer: SweepObserver,
        client: "Client | None",
        data: DataCache,
    ) -> None:
        self._run = run
        self._sweep = sweep
        self._observer = observer
        self._client = client
        self._data = data
        self._trials = {trial.id: trial for trial in make_trials(sweep)}
        self._log = OutcomeLog(
            run.path,
            list(self._trials.values()),
            sweep.metric,
            together=isinstance(sweep.search, HalvingSearch),
        )
        self._checkpoints = StackCheckpoints(run.checkpoint_directory)

    def run(self) -> SweepSummary:
        """All stages of the sweep."""
        self._observer.planned(len(self._trials), len(self._log))
        try:
            if isinstance(self._sweep.search, HalvingSearch):
                self._halve(self._sweep.search.halving)
            else:
                self._train_all()
            return self._finish()
        except StopRequestedError as error:
            raise InterruptedRunError(
                f"stopped with {len(self._log)} of {len(self._trials)} trials done; "
                "what was done is saved",
                hint=f"Go on with: {resume_command('sweep', self._run.path)}",
            ) from error

    def _train_all(self) -> None:
        """Every trial to its end, a stack at a time."""
        for task, result in self._results([StackTask(stack) for stack in self._remaining()]):
            self._record(self._outcomes_of(task, result))
            self._drop_checkpoints()

    def _remaining(self) -> Iterator[Stack]:
        """What is still to be trained.

        A stack that was interrupted is continued as a whole, even if some of its trials are
        recorded. Of a stack that an extended grid has enlarged only the new trials are trained.
        """
        done, folds = self._log.done(), self._sweep.folds
        for ids in self._checkpoints.begun():
            if self._trials.keys() >= set(ids) and not done.issuperset(ids):
                yield Stack(tuple(self._trials[trial] for trial in ids), folds)
                done.update(ids)
        for stack in self._plan():
            missing = tuple(trial for trial in stack.trials if trial.id not in done)
            if missing:
                yield Stack(missing, folds)

    def _halve(self, rungs: Rungs) -> None:
        """Rung by rung; what was trained before an interruption is found in the checkpoints."""
        if len(self._log) == len(self._trials):
            return
        tasks = [StackTask(stack) for stack in self._plan()]
        for rung in range(rungs.rungs):
            stages = [
                replace(task, until=rung_end(self._iterations(task.stack), rung, rungs))
                for task in tasks
            ]
            results = list(self._results(stages))
            outcomes = [o for task, result in results for o in self._outcomes_of(task, result)]
            if rung == rungs.rungs - 1:
                self._record(outcomes)
                return
            keep = survivors(outcomes, rungs.factor, self._sweep.metric)
            self._record(_dropped(o) for o in outcomes if o.id not in keep)
            rests = (
                narrowed(task.stack, result, keep)
                for task, result in results
                if isinstance(result, StackResult)
            )
            tasks = [rest for rest in rests if rest is not None]

    def _plan(self) -> list[Stack]:
        return plan_stacks(list(self._trials.values()), self._sweep.folds)

    def _results(
        self, tasks: Sequence[StackTask]
    ) -> Iterator[tuple[StackTask, StackResult | Exception]]:
        """Each task with its result, or with the error that its trials failed with."""
        self._checkpoints.check(tasks)
        self._observer.stage_started(tasks)
        if self._client is None:
            return run_locally(tasks, self._data, self._checkpoints, self._observer)
        from softmax_cli.tuning.cluster import run_on_cluster

        return run_on_cluster(self._client, tasks, self._data, self._checkpoints, self._observer)

    def _outcomes_of(self, task: StackTask, result: StackResult | Exception) -> list[Outcome]:
        if isinstance(result, StackResult):
            return result.outcomes
        count = len(task.stack.trials)
        self._observer.warned(f"{count} trials failed: {str(result) or type(result).__name__}")
        return [failed(trial.id, trial.parameters) for trial in task.stack.trials]

    def _record(self, outcomes: Iterable[Outcome]) -> None:
        self._log.add(outcomes)
        self._observer.recorded(self._log.settings())

    def _drop_checkpoints(self) -> None:
        """Remove the checkpoints that no trial needs any more."""
        chosen = self._chosen()
        best = chosen.representative.id if chosen else None
        self._checkpoints.keep_only(best, self._log.done())

    def _finish(self) -> SweepSummary:
        """Write the table, the best trial and the summary."""
        settings, chosen = self._log.settings(), self._chosen()
        noise = within_noise(settings)
        self._log.write_table(list(self._sweep.parameters), settings, noise)
        best = chosen.representative if chosen else None
        if best is not None:
            write_best_run(
                self._run.path,
                self._trials[best.id],
                best.seconds,
                self._checkpoints,
                self._data,
                self._observer,
                folds=self._sweep.folds,
            )
        trials = list(self._trials.values())
        outcomes = [outcome for setting in settings for outcome in setting.repeats]
        statuses = [outcome.status for outcome in outcomes]
        if "failed" not in statuses:
            self._checkpoints.remove_all()
        summary = SweepSummary(
            trials=len(outcomes),
            failed=statuses.count("failed"),
            diverged=statuses.count("diverged"),
            seconds=sum(outcome.seconds for outcome in outcomes),
            best=best,
            chosen=chosen,
            settings=tuple(settings),
            noise=tuple(noise),
            warnings=(
                *_unconverged(outcomes, self._sweep.train.optimizer),
                *(edge_warnings(settings[0].representative, trials) if best else ()),
            ),
        )
        write_json(self._run.path / "summary.json", summary.to_json())
        return summary

    def _chosen(self) -> Setting | None:
        """The setting whose model is kept, as far as trials are known; None if none has figures."""
        settings = self._log.settings()
        if not settings or not settings[0].mean.has_figures:
            return None
        strength = {t.id: t.config.optimizer.regularization for t in self._trials.values()}
        return select(settings, self._sweep.select, self._sweep.metric, strength)

    def _iterations(self, stack: Stack) -> int:
        shared = stack.shared
        if shared.training.iterations is not None:
            return shared.training.iterations
        return iterations_of(shared, len(self._data.of(shared).train))


def _unconverged(outcomes: Sequence[Outcome], optimizer: OptimizerSettings) -> Iterator[str]:
    """A sentence if some trials ended with a gradient that is too large."""
    count = sum(outcome.converged is False for outcome in outcomes)
    if count:
        yield (
            f"{count} of {len(outcomes)} trials did not reach optimizer.tolerance, "
            f"{optimizer.tolerance:g}: raise optimizer.max_iterations, or the tolerance."
        )


def _dropped(outcome: Outcome) -> Outcome:
    return replace(outcome, status="dropped") if outcome.status == "finished" else outcome
