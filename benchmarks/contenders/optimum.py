"""Full-batch L-BFGS until no component of the gradient is greater than a tolerance."""

import warnings
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from benchmarks.task import LinearModel, Task
from softmax_cli.arrays import Floats
from softmax_cli.config.schema import TrainConfig
from softmax_cli.training.assembly import build_objective
from softmax_cli.training.certificate import certify
from softmax_cli.training.lbfgs import Lbfgs
from softmax_cli.training.objective import orthonormal_basis

MOST_ITERATIONS = 2000


class StackedLbfgs:
    """This package's solver: all values of lambda side by side, preconditioned.

    Args:
        task: K configurations that differ in lambda alone.

    Attributes:
        iterations: of each of the K models in the last run.
        objectives: that each ended with.
        gradients: greatest component of the gradient that each ended with.
    """

    name = "softmax, lbfgs"
    share = 1.0
    iterations: list[int]
    objectives: list[float]
    gradients: list[float]

    def __init__(self, task: Task) -> None:
        self._task = task

    def setup(self) -> None:
        self._data = self._task.data

    def solver(self) -> Lbfgs:
        """The solver at weights of zero."""
        return self._solver_of(Lbfgs)

    def _solver_of(self, method: type[Lbfgs]) -> Lbfgs:
        tolerance = self._task.configs[0].optimizer.tolerance
        ones = np.ones(len(self._task.configs))
        objective = build_objective(self._task.configs, self._data, ones)
        return method(objective, tolerance=tolerance)

    def run(self) -> None:
        solver = self.solver()
        solver.begin()
        while solver.members.any() and solver.iteration < MOST_ITERATIONS:
            solver.step()
        self._solver = solver

    def learned(self) -> Sequence[LinearModel]:
        configs = self._task.configs
        weights = orthonormal_basis(self._task.classes)  # (C, C - 1)
        weights = np.einsum("cj,jkp->ckp", weights, self._solver.weights)  # (C, K, P + 1)
        self.iterations = [int(number) for number in self._solver.iterations]
        self.objectives, self.gradients = _ends(configs, self._task, weights)
        return [
            self._task.model(weights[:, member, :-1].T, weights[:, member, -1])
            for member in range(len(configs))
        ]


class PlainStackedLbfgs(StackedLbfgs):
    """The same without preconditioner, scaled as L-BFGS usually is."""

    name = "the same without preconditioner"

    def solver(self) -> Lbfgs:
        return self._solver_of(_Plain)


class _Plain(Lbfgs):
    """L-BFGS that starts from a multiple of the identity (Nocedal and Wright, equation 7.20)."""

    def _precondition(self, gradient: Floats) -> Floats:
        if not self._pairs:
            norm = np.sqrt(np.einsum("ckp,ckp->k", gradient, gradient, dtype=np.float64))
            return np.asarray(gradient / norm.astype(gradient.dtype)[:, None])
        pair = self._pairs[-1]
        square = np.einsum("ckp,ckp->k", pair.change, pair.change, dtype=np.float64)
        # A model whose last pair says nothing is left at the length of its gradient.
        product = np.divide(1, pair.rho, out=square.copy(), where=pair.rho > 0)
        return np.asarray(gradient * (product / square).astype(gradient.dtype)[:, None])


class OneByOne(Protocol):
    """A solver of one value of lambda after another.

    Attributes:
        name: in tables.
        share: of the values of lambda that are solved.
        iterations: of each.
        objectives: that each ended with.
        gradients: greatest component of the gradient that each ended with.
    """

    name: str
    share: float
    iterations: list[int]
    objectives: list[float]
    gradients: list[float]

    def setup(self) -> None:
        """Everything that is not timed."""

    def fit(self, member: int) -> None:
        """Solve for one value."""

    def learned(self) -> Sequence[LinearModel]:
        """The models of all values that were to be solved for."""


class LbfgsOneByOne:
    """This package's solver, but for one model after another.

    Args:
        task: K configurations that differ in lambda alone.
        members: which of them are solved.
    """

    name = "softmax, one by one"

    def __init__(self, task: Task, members: Sequence[int]) -> None:
        self.share = len(members) / len(task.configs)
        self._solvers = {member: StackedLbfgs(task.member(member)) for member in members}

    def setup(self) -> None:
        for solver in self._solvers.values():
            solver.setup()

    def fit(self, member: int) -> None:
        """Solve one of the models."""
        self._solvers[member].run()

    def learned(self) -> Sequence[LinearModel]:
        solvers = self._solvers.values()
        models = [model for solver in solvers for model in solver.learned()]
        self.iterations = [number for solver in solvers for number in solver.iterations]
        self.objectives = [value for solver in solvers for value in solver.objectives]
        self.gradients = [value for solver in solvers for value in solver.gradients]
        return models


class ScikitOptimum:
    """scikit-learn's L-BFGS, one value of lambda after another.

    The bias is a column of ones, so that it is penalised as it is here.

    Args:
        task: K configurations that differ in lambda alone.
        members: which of them are fitted.

    Attributes:
        iterations: of each fit.
        objectives: that each ended with.
        gradients: greatest component of the gradient that each ended with.
    """

    name = "scikit-learn LogisticRegression(lbfgs)"
    iterations: list[int]
    objectives: list[float]
    gradients: list[float]

    def __init__(self, task: Task, members: Sequence[int]) -> None:
        self.share = len(members) / len(task.configs)
        self._task = task
        self._members = members
        self._fitted: dict[int, Any] = {}

    def setup(self) -> None:
        import sklearn.linear_model  # noqa: F401 - importing is not timed

        features = self._task.features
        self._X = np.hstack([features, np.ones((len(features), 1), features.dtype)])
        self._y = self._task.labels

    def fit(self, member: int) -> None:
        """Fit one of the models."""
        from sklearn.linear_model import LogisticRegression

        optimizer = self._task.configs[member].optimizer
        fitted = LogisticRegression(
            C=1 / (optimizer.regularization * len(self._y)),
            tol=optimizer.tolerance,
            solver="lbfgs",
            max_iter=MOST_ITERATIONS,
            fit_intercept=False,
        )
        with warnings.catch_warnings():
            # Where it has not converged, its time until then counts.
            warnings.simplefilter("ignore")
            self._fitted[member] = fitted.fit(self._X, self._y)

    def learned(self) -> Sequence[LinearModel]:
        fitted = [self._fitted[member] for member in self._members]
        self.iterations = [int(one.n_iter_[0]) for one in fitted]
        configs = [self._task.configs[member] for member in self._members]
        weights = np.stack([one.coef_ for one in fitted], axis=1)  # (C, members, P + 1)
        self.objectives, self.gradients = _ends(configs, self._task, weights)
        return [self._task.model(one.coef_[:, :-1].T, one.coef_[:, -1]) for one in fitted]


def _ends(
    configs: Sequence[TrainConfig], task: Task, weights: Floats
) -> tuple[list[float], list[float]]:
    """Objectives of weights (C, K, P + 1) and largest components of gradients, in float64."""
    objective = build_objective(configs, task.data, np.ones(len(configs)), dtype=np.float64)
    certificate = certify(objective, weights)
    return certificate.objective.tolist(), certificate.gradient_norm.tolist()
