"""The result of each trial, and the order of the trials."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.config.problems import Value
from softmax_cli.errors import CheckpointError
from softmax_cli.training.certificate import Certificate
from softmax_cli.training.trainer import Status, Trainer, steps_of

Metric = Literal["validation_accuracy", "validation_loss"]
TrialStatus = Literal["finished", "stopped", "dropped", "diverged", "failed"]

MEASURES = ("validation_accuracy", "validation_loss", "train_accuracy", "train_loss")
"""Figures of a trial; with folds, means over them."""


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
        gradient_norm: the greatest component of the gradient of the objective, over all folds; None
            where the distance from the optimum was not asked for, as are the following.
        optimality_bound: the objective of each fold is at most this far above its minimum; None
            with regularisation 0, where nothing is proven.
        converged: whether the gradient is as small as ``optimizer.tolerance`` wants it.
        validation_images: m, how many there are; with folds, training images. None if not known.
        fold_accuracies: validation accuracy of each fold; None for one fold.
        hits: which validation images it gets right, a bit each as :func:`pack_hits` writes them;
            None with folds, without figures, or if not known.
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
    gradient_norm: float | None = None
    optimality_bound: float | None = None
    converged: bool | None = None
    validation_images: int | None = None
    fold_accuracies: tuple[float, ...] | None = None
    hits: str | None = None

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
        needed = [field.name for field in fields(cls) if field.default is MISSING]
        if not set(needed) <= set(record) <= set(names):
            raise CheckpointError(
                f"expected a trial with {', '.join(needed)}, got {sorted(record)}"
            )
        values: dict[str, Any] = {
            name: math.nan if value is None and name in needed else value
            for name, value in record.items()
        }
        if values.get("fold_accuracies") is not None:
            values["fold_accuracies"] = tuple(values["fold_accuracies"])
        return cls(**values)

    def unpacked_hits(self) -> NDArray[np.bool_] | None:
        """The hits (m,), or None if they are not known or not of that many images."""
        if self.hits is None or self.validation_images is None:
            return None
        try:
            packed = np.frombuffer(base64.b64decode(self.hits, validate=True), np.uint8)
        except (ValueError, TypeError):
            return None
        if len(packed) != -(-self.validation_images // 8):
            return None
        return np.unpackbits(packed, count=self.validation_images).astype(np.bool_)


def pack_hits(hits: NDArray[np.bool_]) -> str:
    """Hits (m,) as text, eight of them in a byte, in base64."""
    return base64.b64encode(np.packbits(hits).tobytes()).decode("ascii")


def outcomes_of(
    trials: Sequence[tuple[str, dict[str, Value]]],
    folds: int,
    trainer: Trainer,
    seconds: float,
    *,
    certificate: Certificate | None = None,
    tolerance: float | None = None,
    validation_images: int | None = None,
    hits: NDArray[np.bool_] | None = None,
) -> list[Outcome]:
    """Outcomes of the trials of a stack, from its trainer.

    Args:
        trials: id and parameters of each trial, in the order of the stack.
        folds: models of each trial.
        trainer: stands where the outcomes are wanted, just after a validation.
        seconds: that training took.
        certificate: of the models, if there is one.
        tolerance: of their gradients, if there is one.
        validation_images: m, if known; with folds, training images.
        hits: (trials, m) of the models in the order of the stack, if known.
    """
    rows = {row.iteration: row for row in trainer.history}
    outcomes = []
    for index, (trial_id, parameters) in enumerate(trials):
        members = range(index * folds, (index + 1) * folds)
        measured_at = [_measured_at(trainer, member) for member in members]
        status = _status(trainer, members)
        measured = {
            name: np.array(
                [
                    getattr(rows[at], name)[m] if at in rows else math.nan
                    for m, at in zip(members, measured_at, strict=True)
                ]
            )
            for name in MEASURES
        }
        if status == "diverged" or not all(np.isfinite(list(measured.values())).flat):
            status, measured = "diverged", {name: np.full(folds, math.nan) for name in MEASURES}
        figures: dict[str, Any] = {name: float(values.mean()) for name, values in measured.items()}
        figures |= _proven(certificate, members, tolerance, status)
        outcomes.append(
            Outcome(
                id=trial_id,
                parameters=parameters,
                status=status,
                iterations=max(_iterations(trainer, member) for member in members),
                validation_accuracy_std=_deviation(measured["validation_accuracy"]),
                validation_loss_std=_deviation(measured["validation_loss"]),
                seconds=seconds / len(trials),
                **figures,
                validation_images=validation_images,
                fold_accuracies=(
                    tuple(measured["validation_accuracy"].tolist())
                    if folds > 1 and status != "diverged"
                    else None
                ),
                hits=None if hits is None or status == "diverged" else pack_hits(hits[index]),
            )
        )
    return outcomes


def failed(trial_id: str, parameters: dict[str, Value]) -> Outcome:
    """Outcome of a trial whose stack could not be trained."""
    nothing: dict[str, Any] = dict.fromkeys(
        (*MEASURES, "validation_accuracy_std", "validation_loss_std"), math.nan
    )
    return Outcome(trial_id, parameters, "failed", iterations=0, **nothing, seconds=0.0)


def greatest(values: Sequence[float | None]) -> float | None:
    """The greatest of some figures; None if one of them is not known."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


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


def _proven(
    certificate: Certificate | None, members: range, tolerance: float | None, status: TrialStatus
) -> dict[str, Any]:
    """What an outcome says of the distance of its models from their optimum."""
    if certificate is None or status == "diverged":
        return {}
    found = [certificate.of_model(member) for member in members]
    norm = max(one.gradient_norm for one in found)
    return {
        "gradient_norm": norm,
        "optimality_bound": greatest([one.bound for one in found]),
        "converged": None if tolerance is None else norm <= tolerance,
    }


def _iterations(trainer: Trainer, member: int) -> int:
    """Steps until a model arrived, diverged, had its best weights, or now stands."""
    return min(steps_of(trainer, member), _measured_at(trainer, member))


def _measured_at(trainer: Trainer, member: int) -> int:
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
