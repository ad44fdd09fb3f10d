"""The best weights of each model so far, and when to stop looking for better ones."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Members
from softmax_cli.model.stack import LinearStack, by_class


@dataclass
class BestWeights:
    """The weights each model had when its validation accuracy was highest.

    Attributes:
        accuracy: (K,), minus infinity before the first validation, so that any accuracy is better.
        iteration: (K,) steps done by then.
        waited: (K,) validations since then.
        weights: (D, C K), contrasts and means like those of the stack, but not to be multiplied.
        bias: (C, K), likewise.
    """

    accuracy: NDArray[np.float64]
    iteration: NDArray[np.int64]
    waited: NDArray[np.int64]
    weights: Floats
    bias: Floats

    @classmethod
    def before_training(cls, stack: LinearStack) -> Self:
        """The state before any validation."""
        return cls(
            accuracy=np.full(stack.models, -np.inf),
            iteration=np.zeros(stack.models, np.int64),
            waited=np.zeros(stack.models, np.int64),
            weights=stack.weights.copy(),
            bias=stack.bias.copy(),
        )

    def update(
        self,
        stack: LinearStack,
        accuracy: NDArray[np.float64],
        iteration: int,
        running: Members,
        min_delta: float,
    ) -> None:
        """Take over the running models whose accuracy (K,) beats their best by ``min_delta``."""
        better = running & (accuracy > self.accuracy + min_delta)
        self.waited[running] += 1
        self.waited[better] = 0
        self.accuracy[better] = accuracy[better]
        self.iteration[better] = iteration
        if better.any():
            columns, shrinkage = stack.columns(better), stack.shrinkage.astype(self.bias.dtype)
            per_column = np.tile(shrinkage, stack.classes)
            self.weights[:, columns] = stack.weights[:, columns] * per_column[columns]
            self.bias[:, better] = stack.bias[:, better] * shrinkage[better]

    def member(self, index: int) -> tuple[Floats, Floats]:
        """Copies of one model's best weights (D, C) and bias (C,)."""
        weights = self.weights[:, index :: len(self.accuracy)]
        return by_class(weights), by_class(self.bias[:, index])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of the state, by attribute name; no copies."""
        return dict(vars(self))
