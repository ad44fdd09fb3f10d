"""A proof of how far a model is from the best one, whatever method trained it.

For lambda > 0 the objective f is lambda-strongly convex, so that with the gradient g at W::

    f(V) >= f(W) + <g, V - W> + lambda/2 ||V - W||^2 >= f(W) - ||g||^2 / (2 lambda)    for every V

The last expression is what the middle one is at its least, ``V = W - g/lambda``.

Source: Boyd and Vandenberghe, Convex Optimization, section 9.1.2.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats
from softmax_cli.training.objective import Objective

PerModel = NDArray[np.float64]


@dataclass(frozen=True)
class Certificate:
    """Where K models are on the objectives that they were trained on.

    Attributes:
        objective: (K,) mean loss on the training images and penalty.
        gradient_norm: (K,) greatest absolute component of the gradient.
        bound: (K,) the objective is at most this far above its least value; infinite for lambda 0,
            where nothing is proven.
    """

    objective: PerModel
    gradient_norm: PerModel
    bound: PerModel

    def of_model(self, index: int) -> "ModelCertificate":
        """That of one model."""
        bound = float(self.bound[index])
        return ModelCertificate(
            objective=float(self.objective[index]),
            gradient_norm=float(self.gradient_norm[index]),
            bound=bound if math.isfinite(bound) else None,
        )


@dataclass(frozen=True)
class ModelCertificate:
    """Where one model is.

    Attributes:
        objective: mean loss on the training images and penalty.
        gradient_norm: greatest absolute component of the gradient.
        bound: the objective is at most this far above its least value; None where regularisation
            is 0 and nothing is proven.
    """

    objective: float
    gradient_norm: float
    bound: float | None


def certify(objective: Objective, weights: Floats) -> Certificate:
    """Evaluate the gradients of K models in one pass over all examples.

    Args:
        objective: of the K models, in float64.
        weights: (C, K, P + 1), the bias last.
    """
    weights = weights.astype(objective.examples.dtype)
    # What weights have in common for all classes changes no loss, but it is penalised.
    common = weights.mean(axis=0)  # (K, P + 1)
    contrasts = objective.from_classes(weights)  # (C - 1, K, P + 1)
    scores = objective.scores(contrasts)
    losses, _ = objective.along(scores, scores, np.zeros(objective.models))
    decay = objective.regularization
    gradient = objective.by_class(objective.gradient(scores, contrasts)) + decay[:, None] * common
    square = np.square(gradient).sum(axis=(0, 2))  # (K,)
    bound = np.divide(square, 2 * decay, out=np.full_like(square, np.inf), where=decay > 0)
    return Certificate(
        objective=losses + 0.5 * decay * np.square(weights).sum(axis=(0, 2)),
        gradient_norm=np.abs(gradient).max(axis=(0, 2), initial=0),
        bound=bound,
    )
