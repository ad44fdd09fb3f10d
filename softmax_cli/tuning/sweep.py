"""A sweep in its run directory: recorded trial by trial, resumable at any moment.

::

    trials.jsonl   a line for each trial that is done, written as its stack ends
    checkpoint/    the state of each stack in flight, and the last state of the best one
    results.csv    all trials, best first
    best.yaml      settings of the best trial
    best/          the best trial as an ordinary run directory
    summary.json   what `sweep` printed
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from softmax_cli.config.differences import differing_keys
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import HalvingSearch, RandomSearch, SweepConfig
from softmax_cli.config.writing import plain_values, to_yaml
from softmax_cli.errors import (
    ConfigurationError,
    IntegrityError,
    InterruptedRunError,
    SoftmaxError,
)
from softmax_cli.runs.atomic import write_text
from softmax_cli.runs.directory import RunDirectory, create_run_directory
from softmax_cli.runs.tables import append_jsonl, read_jsonl, write_csv, write_json
from softmax_cli.training.assembly import (
    TrainingData,
    build_trainer,
    iterations_of,
    load_training_data,
)
from softmax_cli.training.results import write_results
from softmax_cli.training.trainer import Progress, Trainer, select_members
from softmax_cli.tuning.edges import edge_warnings
from softmax_cli.tuning.halving import narrowed, rung_end, survivors
from softmax_cli.tuning.outcomes import Outcome, failed, ranked
from softmax_cli.tuning.stack_run import (
    StackResult,
    StackTask,
    StopRequestedError,
    run_stack,
)
from softmax_cli.tuning.stack_states import StackStates
from softmax_cli.tuning.stacks import Stack, plan_stacks
from softmax_cli.tuning.trials import Trial, make_trials

if TYPE_CHECKING:
    from distributed import Client

_FIGURES = (
    "status",
    "iterations",
    "validation_accuracy",
    "validation_accuracy_std",
    "validation_loss",
    "validation_loss_std",
    "train_accuracy",
    "train_loss",
    "seconds",
)
"""Columns of ``results.csv`` behind rank, id and the parameters."""


class SweepObserver(Protocol):
    """Who watches a sweep and may ask it to stop."""

    def planned(self, trials: int, done: int) -> None:
        """How many trials there are, and how many of them are done already."""

    def stage_started(self, tasks: Sequence[StackTask]) -> None:
        """These stacks are trained next."""

    def progressed(self, task: StackTask, trainer: Trainer, progress: Progress) -> None:
        """A step of a stack was done in this process."""

    def recorded(self, leaders: Sequence[Outcome]) -> None:
        """A stack is done; these are all outcomes so far, best first."""

    def warned(self, message: str) -> None:
        """Something is worth knowing and no reason to stop."""

    def stop_requested(self) -> bool:
        """Whether to save a checkpoint and stop."""


@dataclass(frozen=True)
class SweepSummary:
    """What came of a sweep.

    Attributes:
        trials: number of trials.
        failed: trials whose stack could not be trained.
        diverged: trials whose loss ceased to be finite.
        seconds: time in the training loops, over all sessions and workers.
        best: the best trial; None if none has a finite result.
        outcomes: of all trials, best first.
        warnings: what to do about a best trial on an edge of the grid.
    """

    trials: int
    failed: int
    diverged: int
    seconds: float
    best: Outcome | None
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]


def run_sweep(
    run: RunDirectory, sweep: SweepConfig, observer: SweepObserver, client: "Client | None" = None
) -> SweepSummary:
    """Train every trial that is not recorded yet, then rank all and save the best.

    Args:
        run: an open directory that holds the settings, and perhaps an earlier part of the sweep.
        sweep: those settings.
        observer: is told what happens.
        client: of a Dask scheduler to train the stacks on; None trains them here.

    Raises:
        InterruptedRunError: the observer asked to stop; checkpoints were saved.
        ConfigurationError: a combination of parameters is not valid.
        IntegrityError: data or checkpoints are not intact.
        OSError: a file could not be written.
    """
    return _Sweep(run, sweep, observer, client).run()


def check_extends(before: SweepConfig, now: SweepConfig) -> None:
    """Check that a sweep may go on in the directory of another: only its space may have grown.

    Raises:
        ConfigurationError: something else differs, with a line for each difference.
    """
    old, new = _fixed_part(before), _fixed_part(now)
    if lines := differing_keys(old, new):
        listing = "\n".join(f"  {line}" for line in lines)
        raise ConfigurationError(
            f"the sweep differs from the one in its directory:\n{listing}",
            hint="Only the values of parameters can be extended. "
            "Put the settings back, or start a new sweep in another directory.",
        )


def _fixed_part(sweep: SweepConfig) -> dict[str, Any]:
    """What may not change: all but the values of the parameters and where the data is kept."""
    values: dict[str, Any] = plain_values(sweep)
    values["parameters"] = sorted(values["parameters"])
    del values["train"]["data"]["dir"]
    if isinstance(sweep.search, RandomSearch):
        del values["search"]["random"]["trials"]
    elif isinstance(sweep.search, HalvingSearch):
        # Which trials survive depends on all of them.
        values["parameters"] = plain_values(sweep)["parameters"]
    return values


class _Sweep:
    """One process's share of a sweep."""

    def __init__(
        self,
        run: RunDirectory,
        sweep: SweepConfig,
        observer: SweepObserver,
        client: "Client | None",
    ) -> None:
        self._run = run
        self._sweep = sweep
        self._observer = observer
        self._client = client
        self._trials = make_trials(sweep)
        self._outcomes = self._recorded_outcomes()
        self._states = StackStates(run.checkpoint_directory)
        self._data: tuple[str, TrainingData] | None = None

    def run(self) -> SweepSummary:
        """All stages of the sweep."""
        self._observer.planned(len(self._trials), len(self._outcomes))
        try:
            if isinstance(self._sweep.search, HalvingSearch):
                self._halve(self._sweep.search)
            else:
                self._train_all()
        except StopRequestedError as error:
            raise InterruptedRunError(
                f"stopped with {len(self._outcomes)} of {len(self._trials)} trials done; "
                "a checkpoint is saved",
                hint=f"Go on with: softmax sweep --resume {self._run.path}",
            ) from error
        return self._finish()

    def _recorded_outcomes(self) -> dict[str, Outcome]:
        """Outcomes of this sweep's trials in ``trials.jsonl``; failed ones are tried again."""
        path = self._run.path / "trials.jsonl"
        wanted = {trial.id for trial in self._trials}
        found = [Outcome.from_record(r) for r in (read_jsonl(path) if path.exists() else [])]
        return {o.id: o for o in found if o.id in wanted and o.status != "failed"}

    def _train_all(self) -> None:
        """Every trial to its end, a stack at a time."""
        stacks = plan_stacks(self._trials, self._sweep.folds)
        rests = [rest for stack in stacks if (rest := self._rest(stack)) is not None]
        for task, result in self._results([StackTask(rest) for rest in rests]):
            self._record(self._outcomes_of(task, result))
            self._states.keep_only(self._best_id(), self._outcomes)

    def _rest(self, stack: Stack) -> Stack | None:
        """What of a stack is still to be trained.

        A stack that was cut short goes on as a whole, whatever of it is recorded; of one that has
        grown by an extended grid only the new trials are trained.
        """
        missing = tuple(trial for trial in stack.trials if trial.id not in self._outcomes)
        if not missing:
            return None
        return stack if self._states.has(stack) else Stack(missing, stack.folds)

    def _halve(self, search: HalvingSearch) -> None:
        """Rung by rung; what was trained before an interruption is found in the checkpoints."""
        rungs = search.halving
        tasks = [StackTask(stack) for stack in plan_stacks(self._trials, self._sweep.folds)]
        if len(self._outcomes) == len(self._trials):
            return
        for rung in range(rungs.rungs):
            ends = [
                StackTask(
                    task.stack,
                    until=rung_end(self._iterations(task.stack), rung, rungs),
                    state=task.state,
                )
                for task in tasks
            ]
            results = list(self._results(ends))
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

    def _results(
        self, tasks: Sequence[StackTask]
    ) -> Iterator[tuple[StackTask, StackResult | Exception]]:
        """Each task with its result, or with what its trials failed of."""
        self._observer.stage_started(tasks)
        if self._client is None:
            yield from ((task, self._run_here(task)) for task in tasks)
            return
        from softmax_cli.tuning.cluster import run_on_cluster

        digests = [self._data_of(task.stack.shared).train.digest for task in tasks]
        for task, result in run_on_cluster(
            self._client, tasks, digests, self._observer.stop_requested
        ):
            if isinstance(result, IntegrityError):
                raise result
            if isinstance(result, StackResult):
                self._states.save(task.stack, result, self._data_of(task.stack.shared).train.digest)
            yield task, result

    def _run_here(self, task: StackTask) -> StackResult | Exception:
        try:
            return run_stack(
                task,
                self._data_of(task.stack.shared),
                checkpoints=self._states.folder(task.stack),
                observe=lambda trainer, step: self._observer.progressed(task, trainer, step),
                stop_requested=self._observer.stop_requested,
            )
        except IntegrityError:
            raise
        except (SoftmaxError, MemoryError) as error:
            return error

    def _outcomes_of(self, task: StackTask, result: StackResult | Exception) -> list[Outcome]:
        if isinstance(result, StackResult):
            return result.outcomes
        count = len(task.stack.trials)
        self._observer.warned(f"{count} trials failed: {str(result) or type(result).__name__}")
        return [failed(trial.id, trial.parameters) for trial in task.stack.trials]

    def _record(self, outcomes: Iterable[Outcome]) -> None:
        """Write down the outcomes that are not recorded yet."""
        for outcome in outcomes:
            if outcome.id not in self._outcomes:
                append_jsonl(self._run.path / "trials.jsonl", asdict(outcome))
                self._outcomes[outcome.id] = outcome
        self._observer.recorded(self._ranked())

    def _ranked(self) -> list[Outcome]:
        return ranked(self._outcomes.values(), self._sweep.metric)

    def _best(self) -> Outcome | None:
        best = next(iter(self._ranked()), None)
        return best if best is not None and best.status not in ("diverged", "failed") else None

    def _best_id(self) -> str | None:
        best = self._best()
        return best.id if best else None

    def _finish(self) -> SweepSummary:
        """Write the table, the best trial and the summary."""
        outcomes, best = self._ranked(), self._best()
        self._write_table(outcomes)
        if best is not None:
            self._write_best(best)
        self._states.keep_only(self._best_id(), self._outcomes)
        statuses = [outcome.status for outcome in outcomes]
        summary = SweepSummary(
            trials=len(outcomes),
            failed=statuses.count("failed"),
            diverged=statuses.count("diverged"),
            seconds=sum(outcome.seconds for outcome in outcomes),
            best=best,
            outcomes=tuple(outcomes),
            warnings=tuple(edge_warnings(best, self._trials)) if best else (),
        )
        document = asdict(summary)
        del document["outcomes"]
        write_json(self._run.path / "summary.json", document)
        return summary

    def _write_table(self, outcomes: Sequence[Outcome]) -> None:
        parameters = list(self._sweep.parameters)
        rows = [
            {
                "rank": rank if outcome.status not in ("diverged", "failed") else None,
                "id": outcome.id,
                **{key: _cell(outcome.parameters[key]) for key in parameters},
                **{name: getattr(outcome, name) for name in _FIGURES},
            }
            for rank, outcome in enumerate(outcomes, start=1)
        ]
        write_csv(self._run.path / "results.csv", ("rank", "id", *parameters, *_FIGURES), rows)

    def _write_best(self, best: Outcome) -> None:
        """Make ``best/`` the run of the best trial, unless it is that already."""
        trial = next(trial for trial in self._trials if trial.id == best.id)
        text = to_yaml(trial.config)
        write_text(self._run.path / "best.yaml", text)
        directory = self._run.path / "best"
        settings = directory / "config.yaml"
        is_there = (directory / "summary.json").exists() and settings.exists()
        if is_there and settings.read_text().endswith(text):
            return
        data = self._data_of(trial.config)
        trainer = self._trainer_of_best(trial, data)
        with create_run_directory(directory, kind="train", settings=text, overwrite=True) as run:
            write_results(run, trial.config, data, trainer, 0, best.seconds)

    def _trainer_of_best(self, trial: Trial, data: TrainingData) -> Trainer:
        """The best trial alone, at its end: cut out of its stack, or else trained again.

        After cross-validation it is trained again, on all training images.
        """
        trainer = build_trainer([trial.config], data)
        saved = self._states.find(trial.id) if self._sweep.folds == 1 else None
        if saved is not None:
            member = saved.document["trials"].index(trial.id)
            trainer.restore(select_members(saved.arrays, np.array([member])))
        for _ in trainer.train():
            if self._observer.stop_requested():
                raise StopRequestedError
        return trainer

    def _iterations(self, stack: Stack) -> int:
        return iterations_of(stack.shared, len(self._data_of(stack.shared).train))

    def _data_of(self, config: TrainConfig) -> TrainingData:
        """Images of a configuration; those of the previous call are kept."""
        values = plain_values(config)
        key = json.dumps([values["data"], values["preprocessing"]], sort_keys=True)
        if self._data is None or self._data[0] != key:
            self._data = None  # Two data sets in memory would be one too many.
            self._data = (key, load_training_data(config))
        return self._data[1]


def _dropped(outcome: Outcome) -> Outcome:
    return replace(outcome, status="dropped") if outcome.status == "finished" else outcome


def _cell(value: object) -> object:
    """A value of a parameter as a table can hold it."""
    return json.dumps(value) if isinstance(value, dict | list) else value
