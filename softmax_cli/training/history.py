"""What was measured while a stack trained, one row for each validation."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import PerModel


@dataclass(frozen=True)
class Measurement:
    """One validation of K models; every field but the first is (K,).

    Attributes:
        iteration: steps done.
        learning_rate: of the last step.
        temperature: of the last step.
        train_loss: mean data loss over the minibatches since the previous validation, without the
            regularisation term.
        train_accuracy: fraction of the images of these minibatches in which no class scored above
            the true one.
        validation_loss: mean data loss on the validation images.
        validation_accuracy: fraction of the validation images classified correctly.

    A model that has diverged has NaN from then on.
    """

    iteration: int
    learning_rate: PerModel
    temperature: PerModel
    train_loss: PerModel
    train_accuracy: PerModel
    validation_loss: PerModel
    validation_accuracy: PerModel

    def of_model(self, index: int) -> dict[str, int | float]:
        """The row of one model, by column name."""
        values = {name: float(getattr(self, name)[index]) for name in COLUMNS[1:]}
        return {"iteration": self.iteration, **values}


COLUMNS = tuple(field.name for field in fields(Measurement))
"""Names of the columns of a history, in the order in which files have them."""


def history_arrays(history: Sequence[Measurement], models: int) -> dict[str, NDArray[Any]]:
    """Columns of a history: ``iteration`` (rows,), the others (rows, K)."""
    columns: dict[str, NDArray[Any]] = {
        name: np.array([getattr(row, name) for row in history], np.float64).reshape(-1, models)
        for name in COLUMNS[1:]
    }
    return {"iteration": np.array([row.iteration for row in history], np.int64), **columns}


def history_from_arrays(columns: dict[str, NDArray[Any]]) -> list[Measurement]:
    """Inverse of :func:`history_arrays`."""
    return [
        Measurement(int(iteration), *(columns[name][row] for name in COLUMNS[1:]))
        for row, iteration in enumerate(columns["iteration"])
    ]
