"""The result of each trial, and the order of the trials."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.config.problems import Value
from softmax_cli.errors import CheckpointError
from softmax_cli.training.trainer import Status, Trainer

Metric = Literal["validation_accuracy", "validation_loss"]
TrialStatus = Literal["finished", "stopped", "dropped", "diverged", "failed"]

_MEASURES = ("validation_accuracy", "validation_loss", "train_accuracy", "train_loss")


@dataclass(frozen=True)
class Outcome:
    """The result of one trial; with folds, means over them.

    Attributes:
        id: of the trial.
        parameters: what was tried.
        status: ``finished``; ``stopped`` early; ``dropped`` by successive halving; ``diverged``,
            in at least one fold; ``failed``, because its stack could not be trained.
        iterations: steps done, or with early stopping steps to the best weights.
        validation_accuracy: NaN if it diverged or failed, as are the others.
        validation_loss: mean data loss on the validation images.
        train_accuracy: over the minibatches since the previous validation.
        train_loss: mean data loss over the same.
        validation_accuracy_std: standard deviation over folds; 0 for one fold.
        validation_loss_std: the same of the loss.
        seconds: of its stack's training, divided by the number of trials in it.
    """

    id: str
    parameters: dict[str, Value]
    status: TrialStatus
    iterations: int
    validation_accuracy: float
    validation_loss: float
    train_accuracy: float
    train_loss: float
    validation_accuracy_std: float
    validation_loss_std: float
    seconds: float

    @property
    def has_figures(self) -> bool:
        """Whether there is anything to rank it by."""
        return not math.isnan(self.validation_accuracy)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Outcome":
        """Read a line of ``trials.jsonl``, in which null stands for NaN.

        Raises:
            CheckpointError: it is not a record of an outcome.
        """
        names = [field.name for field in fields(cls)]
        if set(record) != set(names):
            raise CheckpointError(f"expected a trial with {', '.join(names)}, got {sorted(record)}")
        values: dict[str, Any] = {
            name: math.nan if record[name] is None else record[name] for name in names
        }
        return cls(**values)


def outcomes_of(
    trials: Sequence[tuple[str, dict[str, Value]]], folds: int, trainer: Trainer, seconds: float
) -> list[Outcome]:
    """Outcomes of the trials of a stack, from its trainer.

    Args:
        trials: id and parameters of each trial, in the order of the stack.
        folds: models of each trial.
        trainer: stands where the outcomes are wanted, just after a validation.
        seconds: that training took.
    """
    rows = {row.iteration: row for row in trainer.history}
    outcomes = []
    for index, (trial_id, parameters) in enumerate(trials):
        members = range(index * folds, (index + 1) * folds)
        iterations = [_iterations(trainer, member) for member in members]
        status = _status(trainer, members)
        measured = {
            name: np.array(
                [
                    getattr(rows[at], name)[m] if at in rows else math.nan
                    for m, at in zip(members, iterations, strict=True)
                ]
            )
            for name in _MEASURES
        }
        if status == "diverged" or not all(np.isfinite(list(measured.values())).flat):
            status, measured = "diverged", {name: np.full(folds, math.nan) for name in _MEASURES}
        outcomes.append(
            Outcome(
                id=trial_id,
                parameters=parameters,
                status=status,
                iterations=max(iterations),
                **{name: float(values.mean()) for name, values in measured.items()},
                validation_accuracy_std=_deviation(measured["validation_accuracy"]),
                validation_loss_std=_deviation(measured["validation_loss"]),
                seconds=seconds / len(trials),
            )
        )
    return outcomes


def failed(trial_id: str, parameters: dict[str, Value]) -> Outcome:
    """Outcome of a trial whose stack could not be trained."""
    nothing = dict.fromkeys(
        (*_MEASURES, "validation_accuracy_std", "validation_loss_std"), math.nan
    )
    return Outcome(trial_id, parameters, "failed", iterations=0, **nothing, seconds=0.0)


def ranked(outcomes: Iterable[Outcome], metric: Metric) -> list[Outcome]:
    """Best first; dropped trials come behind all others with figures, those without figures last.

    Ties go to the lower validation loss, then to the lower id: the order does not depend on that
    of the trials.
    """

    def place(outcome: Outcome) -> tuple[float, ...]:
        loss = outcome.validation_loss
        value = -outcome.validation_accuracy if metric == "validation_accuracy" else loss
        if not outcome.has_figures:
            return (1.0,)
        progress = -outcome.iterations if outcome.status == "dropped" else -math.inf
        return (0.0, progress, value, loss)

    return sorted(outcomes, key=lambda outcome: (place(outcome), outcome.id))


def _iterations(trainer: Trainer, member: int) -> int:
    """Steps until a model diverged, had its best weights with early stopping, or now stands."""
    if trainer.status[member] == Status.DIVERGED:
        return int(trainer.ended[member])
    if trainer.early_stopping is not None:
        return int(trainer.best.iteration[member])
    return trainer.iteration


def _status(trainer: Trainer, members: range) -> TrialStatus:
    found = {Status(int(trainer.status[member])) for member in members}
    if Status.DIVERGED in found:
        return "diverged"
    return "stopped" if found == {Status.STOPPED} else "finished"


def _deviation(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0 * float(values[0])
