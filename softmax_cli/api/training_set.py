"""What an estimator is fitted to, once it is checked, and the solver's way through it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.api.arguments import (
    Names,
    arithmetic_dtype,
    check_labels,
    check_rows,
    check_weights,
    feature_names,
    warning_class,
)
from softmax_cli.arrays import Floats, Rows
from softmax_cli.errors import ArgumentError, DivergedError
from softmax_cli.features.standardization import Standardization
from softmax_cli.model.softmax_loss import softmax_kernel
from softmax_cli.training.certificate import Certificate, certify
from softmax_cli.training.examples import Examples
from softmax_cli.training.lbfgs import Course, Lbfgs
from softmax_cli.training.objective import Objective
from softmax_cli.training.preconditioner import Preconditioner

_LARGEST: Final[dict[type[np.floating[Any]], float]] = {np.float32: 1e15, np.float64: 1e150}
"""Features up to which sums of squares are finite."""


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """N labelled examples of P features.

    Attributes:
        rows: (N, P), as given.
        labels: (N,) int64 indices into the classes.
        classes: (C,) what the user calls them.
        weights: (N,) of the examples; None for ones.
        names: (P,) of the features, if they have some.
        standardization: of the features; does nothing unless it is asked for.
    """

    rows: Rows
    labels: NDArray[np.int64]
    classes: NDArray[Any]
    weights: NDArray[np.float64] | None
    names: Names | None
    standardization: Standardization

    @classmethod
    def checked(
        cls, X: object, y: object, sample_weight: object, *, standardize: bool, estimator: str
    ) -> Self:
        """From the arguments of ``fit``.

        Raises:
            ArgumentError: they do not fit together, or are not what they should be.
        """
        names = feature_names(X)
        rows = check_rows(X, estimator)
        # Mean and scale are float32, whatever the features are.
        _check_size(rows, np.float32 if standardize else arithmetic_dtype(rows))
        classes, labels = check_labels(y, len(rows), estimator)
        weights = check_weights(sample_weight, len(rows))
        standardization = Standardization.fit(
            rows,
            center=standardize,
            scale="pixel" if standardize else "none",
            example_weights=weights,
        )
        return cls(rows, labels, classes, weights, names, standardization)

    @property
    def total_weight(self) -> float:
        """N, or the sum of the weights."""
        return float(len(self.rows) if self.weights is None else self.weights.sum())

    @cached_property
    def examples(self) -> Examples:
        """The rows as the solver takes them, in as many digits as they have."""
        return Examples(self.rows, self.standardization, arithmetic_dtype(self.rows))

    @cached_property
    def preconditioner(self) -> Preconditioner:
        """Made once for all that is fitted to these examples."""
        return Preconditioner.of(self.examples)

    def solve(
        self,
        regularization: Sequence[float],
        example_weights: Floats | None = None,
        *,
        tolerance: float,
        max_iterations: int,
    ) -> "Solution":
        """Minimise the objectives of K models.

        Args:
            regularization: K values of lambda.
            example_weights: (K, N) in place of the examples' own.
            tolerance: greatest component of the gradient of a model that has arrived.
            max_iterations: steps after which it is left where it is.

        Raises:
            DivergedError: numbers are not finite.
        """
        objective = self._objective(self.examples, regularization, example_weights)
        solver = Lbfgs(objective, tolerance=tolerance, preconditioner=self.preconditioner)
        solver.begin()
        while solver.members.any() and solver.iteration < max_iterations:
            solver.step()
        if (solver.course == Course.DIVERGED).any():
            raise DivergedError(
                f"expected a finite gradient, got NaN or infinity after {solver.iteration} "
                f"iterations in {self.examples.dtype.__name__}",
                hint="Standardise the features: standardize=True, or a StandardScaler before.",
            )
        return Solution(
            np.moveaxis(objective.by_class(solver.weights), 1, 0),
            solver.iterations,
            solver.gradient_norm,
            solver.course,
        )

    def certify(self, weights: Floats, regularization: float) -> Certificate:
        """Where one model (C, P + 1) is on its objective, in float64."""
        examples = Examples(self.rows, self.standardization, np.float64)
        objective = self._objective(examples, [regularization], None)
        return certify(objective, weights[:, None, :])

    def _objective(
        self,
        examples: Examples,
        regularization: Sequence[float],
        example_weights: Floats | None,
    ) -> Objective:
        weights = self.weights
        if example_weights is None and weights is not None:
            example_weights = weights[None]
        return Objective(
            examples,
            self.labels,
            softmax_kernel,
            len(self.classes),
            temperature=np.ones(len(regularization)),
            regularization=np.array(regularization, np.float64),
            example_weights=example_weights,
        )


def _check_size(rows: Rows, dtype: type[np.floating[Any]]) -> None:
    """Refuse features whose squares, summed up, are no numbers of the dtype any more."""
    most = _LARGEST[dtype]
    largest = max(abs(float(rows.max())), abs(float(rows.min())))
    if largest > most:
        raise ArgumentError(
            f"expected features of at most {most:g} in {dtype.__name__}, got {largest:g}",
            hint="Divide them by a power of ten.",
        )


@dataclass(frozen=True, eq=False)
class Solution:
    """Where the solver left K models.

    Attributes:
        weights: (K, C, P + 1) of standardised features, the bias last.
        iterations: (K,) int64.
        gradient_norm: (K,) greatest component of the gradient.
        course: (K,) a `Course` each.
    """

    weights: Floats
    iterations: NDArray[np.int64]
    gradient_norm: NDArray[np.float64]
    course: NDArray[np.int64]

    @property
    def converged(self) -> NDArray[np.bool_]:
        """(K,) whether the tolerance was reached."""
        return np.equal(self.course, Course.CONVERGED)

    def warn_unless_converged(self, tolerance: float) -> None:
        """Warn of models that did not arrive, and say why."""
        if self.converged.all():
            return
        is_stuck = (self.course == Course.STALLED).any()
        advice = (
            "rounding is in the way: raise tolerance, standardise the features or give float64"
            if is_stuck
            else "raise max_iterations or tolerance, or standardise the features"
        )
        warnings.warn(
            f"expected no component of the gradient above {tolerance:g}, got "
            f"{self.gradient_norm.max():.3g} after {self.iterations.max()} iterations; {advice}",
            warning_class("ConvergenceWarning"),
            stacklevel=4,
        )
