"""What is known of the trials of a sweep, in memory and in its directory.

``trials.jsonl`` has a line for each trial that is done, written as its stack ends; ``results.csv``
is made of the same figures at the end, best trial first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.tables import append_jsonl, read_jsonl, write_csv, write_jsonl
from softmax_cli.tuning.outcomes import Metric, Outcome, ranked
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
    "seconds",
)
"""Columns of ``results.csv`` behind rank, id and the parameters."""
_PROVEN = ("gradient_norm", "optimality_bound", "converged")
"""Columns before the last one, where the distance from the optimum is known of any trial."""


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
        outcomes = map(self._outcome, lines)
        self._outcomes = {outcome.id: outcome for outcome in outcomes if outcome.id in wanted}

    def _outcome(self, line: dict[str, Any]) -> Outcome:
        try:
            return Outcome.from_record(line)
        except CheckpointError as error:
            raise CheckpointError(
                f"{self._directory / 'trials.jsonl'}: {error.message}",
                hint="Remove that line, and its trial is trained again.",
            ) from error

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

    def ranked(self) -> list[Outcome]:
        """All outcomes, best first."""
        return ranked(self._outcomes.values(), self._metric)

    def best(self) -> Outcome | None:
        """The best outcome; None if none has figures."""
        best = next(iter(self.ranked()), None)
        return best if best is not None and best.has_figures else None

    def write_table(self, parameters: Sequence[str]) -> None:
        """Write ``results.csv``.

        Args:
            parameters: dotted keys, a column each.

        Raises:
            OSError: writing failed; an earlier table is still there.
        """
        ranked = self.ranked()
        proven = _PROVEN if any(outcome.gradient_norm is not None for outcome in ranked) else ()
        figures = (*_FIGURES[:-1], *proven, _FIGURES[-1])
        rows = [
            {
                "rank": rank if outcome.has_figures else None,
                "id": outcome.id,
                **{key: outcome.parameters[key] for key in parameters},
                **{name: getattr(outcome, name) for name in figures},
            }
            for rank, outcome in enumerate(ranked, start=1)
        ]
        columns = ("rank", "id", *parameters, *figures)
        write_csv(self._directory / "results.csv", columns, rows)
