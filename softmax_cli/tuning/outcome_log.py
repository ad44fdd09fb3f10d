"""What is known of the trials of a sweep, in memory and in its directory.

``trials.jsonl`` has a line for each trial that is done, written as its stack ends; ``results.csv``
is made of the same figures at the end, best setting first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.tables import append_jsonl, read_jsonl, write_csv, write_jsonl
from softmax_cli.tuning.noise import accuracy_interval
from softmax_cli.tuning.outcomes import Metric, Outcome
from softmax_cli.tuning.repeats import Setting, ranked_settings
from softmax_cli.tuning.trials import Trial

_FIGURES = (
    "status",
    "iterations",
    "validation_accuracy",
    "validation_accuracy_std",
    "validation_loss",
    "validation_loss_std",
    "train_accuracy",
    "train_loss",
)
"""Columns of ``results.csv`` behind rank, id and the parameters; behind them come the next two."""
_PROVEN = ("gradient_norm", "optimality_bound", "converged")
"""Columns where the distance from the optimum is known of any trial."""
_NOISE = ("validation_accuracy_low", "validation_accuracy_high", "within_noise")


class OutcomeLog:
    """The outcomes of a sweep's trials, the earlier ones included.

    Trials that failed earlier count as not tried.

    Args:
        directory: of the sweep.
        trials: all of its trials.
        metric: what the best trial is best in.
        together: if one has failed, none counts as tried: they were chosen among each other.

    Raises:
        CheckpointError: ``trials.jsonl`` is damaged.
    """

    def __init__(
        self, directory: Path, trials: Sequence[Trial], metric: Metric, *, together: bool
    ) -> None:
        self._directory = directory
        self._metric = metric
        lines = read_jsonl(directory / "trials.jsonl")
        if any(line.get("status") == "failed" for line in lines):
            lines = [line for line in lines if line["status"] != "failed" and not together]
            write_jsonl(directory / "trials.jsonl", lines)
        wanted = {trial.id for trial in trials}
        outcomes = (_outcome(directory, line) for line in lines)
        self._outcomes = {outcome.id: outcome for outcome in outcomes if outcome.id in wanted}

    def __len__(self) -> int:
        return len(self._outcomes)

    def done(self) -> set[str]:
        """Ids of the trials that need not be tried again."""
        return {outcome.id for outcome in self._outcomes.values() if outcome.status != "failed"}

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Write down the outcomes that are not known yet.

        Raises:
            OSError: writing failed; those before are written.
        """
        for outcome in outcomes:
            if outcome.id not in self._outcomes:
                append_jsonl(self._directory / "trials.jsonl", asdict(outcome))
                self._outcomes[outcome.id] = outcome

    def settings(self) -> list[Setting]:
        """All outcomes, repeats put together, best setting first."""
        return ranked_settings(self._outcomes.values(), self._metric)

    def write_table(
        self, parameters: Sequence[str], settings: Sequence[Setting], noise: Sequence[bool | None]
    ) -> None:
        """Write ``results.csv``: each repeat of the best setting, then of the second.

        Args:
            parameters: dotted keys, a column each.
            settings: of this log, best first.
            noise: whether each of them is within noise of the best; None if not known.

        Raises:
            OSError: writing failed; an earlier table is still there.
        """
        outcomes = self._outcomes.values()
        proven = _PROVEN if any(o.gradient_norm is not None for o in outcomes) else ()
        figures = (*_FIGURES, *proven)
        rows = [
            {
                "rank": rank if setting.mean.has_figures else None,
                "id": outcome.id,
                **{key: outcome.parameters[key] for key in parameters},
                **{name: getattr(outcome, name) for name in figures},
                **dict(zip(_NOISE, (*_ends(outcome), like), strict=True)),
                "seconds": outcome.seconds,
            }
            for rank, (setting, like) in enumerate(zip(settings, noise, strict=True), start=1)
            for outcome in setting.repeats
        ]
        columns = ("rank", "id", *parameters, *figures, *_NOISE, "seconds")
        write_csv(self._directory / "results.csv", columns, rows)


def recorded_outcomes(directory: Path) -> list[Outcome]:
    """The outcomes in ``trials.jsonl`` as they were recorded, failed ones included.

    Raises:
        CheckpointError: it is damaged.
    """
    return [_outcome(directory, line) for line in read_jsonl(directory / "trials.jsonl")]


def _outcome(directory: Path, line: dict[str, Any]) -> Outcome:
    try:
        return Outcome.from_record(line)
    except CheckpointError as error:
        raise CheckpointError(
            f"{directory / 'trials.jsonl'}: {error.message}",
            hint="Remove that line, and its trial is trained again.",
        ) from error


def _ends(outcome: Outcome) -> tuple[float | None, float | None]:
    """Of the interval of the validation accuracy; None twice where there is none."""
    return accuracy_interval(outcome) or (None, None)
