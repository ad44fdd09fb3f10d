"""Limited-memory BFGS on K linear classifiers side by side, with all examples at every step.

A step multiplies all examples with K directions, finds how far to go along each, and multiplies the
errors there with all examples: two products over the examples, which all models share. Scores are
linear in the length of a step, so the search for it needs no product. A model that has arrived
leaves the stack, and the products shrink.

The inverse Hessian that the method starts from is that of the preconditioner in place of a multiple
of the identity. Weights, gradients and scores are float32; losses and inner products are summed up
in float64.

Source: Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays, Floats
from softmax_cli.training.line_search import Steps, search
from softmax_cli.training.objective import Objective, Scores
from softmax_cli.training.preconditioner import Preconditioner
from softmax_cli.training.state import check_alike

PerModel = NDArray[np.float64]
Members = NDArray[np.bool_]

MEMORY = 10
"""Pairs that are remembered. Twice as many saved no step on CIFAR-10, half as many cost some."""

_OF_ALL = (
    "course",
    "iterations",
    "gradient_norm",
    "step_length",
    "loss",
    "accuracy",
    "least_norm",
    "least_objective",
    "waited",
)
"""Arrays (K,) of a state that are kept of all models, running or not; the state has no copies."""
_ROUNDING = 0.9
"""Share of the tolerance at which a model has arrived.

Scores that were added up from step to step give a gradient that differs from that of the weights by
what was rounded, about a thousandth of 1e-5 on CIFAR-10.
"""
_PATIENCE = 30
"""Steps without progress after which rounding is taken to be in the way."""
_PROGRESS = 1e-7
"""The least share of an objective whose loss is progress; less may be rounding."""


class Course(IntEnum):
    """What has become of one model."""

    RUNNING = 0
    CONVERGED = 1
    STALLED = 2
    """Neither gradient nor objective becomes smaller any more: rounding is in the way."""
    DIVERGED = 3


@dataclass(frozen=True)
class _Pair:
    """What one step taught about the Hessian.

    Attributes:
        step: (C - 1, K, P + 1) change of the weights.
        change: (C - 1, K, P + 1) change of the gradient.
        rho: (K,) one over their inner product; 0 for a pair to be left out.
    """

    step: Floats
    change: Floats
    rho: PerModel

    def select(self, members: Members) -> "_Pair":
        return _Pair(
            _narrowed(self.step, members), _narrowed(self.change, members), self.rho[members]
        )


class Lbfgs:
    """Minimises the objectives of K models, from weights of zero.

    Call :meth:`begin`, or :meth:`restore` a state, and then :meth:`step` while any of ``members``
    is left.

    Args:
        objective: of the K models.
        tolerance: a model has arrived when no component of its gradient is greater.
        preconditioner: of the examples; None to make it when it is needed first.

    Attributes:
        iteration: steps done.
        weights: (C - 1, K, P + 1) of the objective's basis, the bias last.
        course: (K,) int64, a :class:`Course` each.
        iterations: (K,) int64, steps that each model made.
        gradient_norm: (K,) greatest component of the gradient by the weights of all classes.
        step_length: (K,) of the last step, as a share of the direction.
        loss: (K,) mean loss on the examples, without the penalty.
        accuracy: (K,) share of the examples of which no class scores above the true one.
    """

    def __init__(
        self,
        objective: Objective,
        *,
        tolerance: float,
        preconditioner: Preconditioner | None = None,
    ) -> None:
        models, shape = objective.models, (objective.classes - 1, objective.models)
        examples = objective.examples
        self._tolerance = _ROUNDING * tolerance
        self._preconditioner = preconditioner
        self.iteration = 0
        self.weights: Floats = np.zeros((*shape, examples.size), examples.dtype)
        self.course = np.full(models, Course.RUNNING, np.int64)
        self.iterations = np.zeros(models, np.int64)
        self.gradient_norm = np.full(models, np.inf)
        self.step_length, self.loss, self.accuracy = np.zeros((3, models))
        # The least of both, as of the last step that made progress, and the steps since then.
        self._least_norm = np.full(models, np.inf)
        self._least_objective = np.full(models, np.inf)
        self._waited = np.zeros(models, np.int64)
        # From here on of the running models alone.
        self._running = objective
        self._weights = self.weights.copy()
        self._gradient = np.zeros_like(self.weights)
        self._losses = np.zeros(models)
        self._scores: Scores = [
            np.zeros((*shape, rows.stop - rows.start), examples.dtype) for rows in examples.blocks
        ]
        self._pairs: list[_Pair] = []

    def begin(self) -> None:
        """Measure losses and gradients at weights of zero."""
        self._losses, _ = self._running.along(
            self._scores, self._scores, np.zeros(self._running.models)
        )
        self._gradient = self._running.gradient(self._scores, self._weights)
        self._part_with_arrived()

    @property
    def members(self) -> Members:
        """Mask (K,) of the models that are running."""
        return np.equal(self.course, Course.RUNNING)

    def step(self) -> None:
        """One step of every running model, of which there must be one."""
        direction = self._direction()
        scores = self._running.scores(direction)
        found = self._search(direction, scores)
        length = found.length.astype(direction.dtype)[:, None]
        for block, change in zip(self._scores, scores, strict=True):
            change *= length
            block += change
        direction *= length
        self._weights += direction
        gradient = self._running.gradient(self._scores, self._weights)
        stuck = (found.length == 0) & ~self._remembers()
        self._remember(direction, gradient - self._gradient, forget=found.length == 0)
        self._losses, self._gradient = found.value, gradient
        self.iteration += 1
        self.iterations[self.members] += 1
        self.step_length[self.members] = found.length
        self._part_with_arrived(stuck)

    def _direction(self) -> Floats:
        """Minus the gradient times the inverse Hessian: the two loops of algorithm 7.4."""
        q, shares = -self._gradient, []
        for pair in reversed(self._pairs):
            share = pair.rho * _inner(pair.step, q)
            q -= share.astype(q.dtype)[:, None] * pair.change
            shares.append(share)
        q = self._precondition(q)
        for pair, share in zip(self._pairs, reversed(shares), strict=True):
            share -= pair.rho * _inner(pair.change, q)
            q += share.astype(q.dtype)[:, None] * pair.step
        return q

    def _precondition(self, gradient: Floats) -> Floats:
        """Multiply by the inverse Hessian that the method starts from."""
        if self._preconditioner is None:
            self._preconditioner = Preconditioner.of(self._running.examples)
        curvature = 1 / (self._running.classes * self._running.temperature**2)
        regularization = self._running.regularization
        return self._preconditioner.solve(gradient, curvature, regularization)

    def _search(self, direction: Floats, scores: Scores) -> Steps:
        """Steps along a direction, with the mean losses there; its scores are given."""
        running, decay = self._running, self._running.regularization
        first = decay * _inner(self._weights, direction)
        second = decay * _inner(direction, direction)

        def along(step: PerModel) -> tuple[PerModel, PerModel]:
            # What regularisation adds is a parabola; its value at 0 is left out.
            losses, slopes = running.along(self._scores, scores, step)
            return losses + step * (first + 0.5 * step * second), slopes + first + step * second

        found = search(along, self._losses, _inner(self._gradient, direction))
        losses = found.value - found.length * (first + 0.5 * found.length * second)
        return Steps(found.length, losses, found.slope)

    def _remembers(self) -> Members:
        """The running models that any pair is remembered of."""
        remembered = np.zeros(self._running.models, np.bool_)
        for pair in self._pairs:
            remembered |= pair.rho > 0
        return remembered

    def _remember(self, step: Floats, change: Floats, *, forget: Members) -> None:
        """Add a pair; models that made no step forget theirs, and start again."""
        product = _inner(step, change)
        # Rounding may make it negative where the gradient hardly changes.
        usable = product > 0
        rho = np.divide(1, product, out=np.zeros_like(product), where=usable)
        pairs = [*self._pairs, _Pair(step, change, rho)][-MEMORY:]
        self._pairs = [
            _Pair(pair.step, pair.change, np.where(forget, 0, pair.rho)) for pair in pairs
        ]

    def _part_with_arrived(self, stuck: Members | bool = False) -> None:
        """Note where the running models are, and let those go on that have to."""
        members = np.flatnonzero(self.members)
        gradient = self._running.by_class(self._gradient)
        norm = np.abs(gradient).max(axis=(0, 2), initial=0)
        self.weights[:, members] = self._weights
        self.gradient_norm[members] = norm
        self.loss[members] = self._losses
        self.accuracy[members] = self._running.accuracy(self._scores)
        self._wait(members)
        stalled = stuck | (self._waited[members] >= _PATIENCE)
        course = np.where(stalled, Course.STALLED, Course.RUNNING)
        course = np.where(norm <= self._tolerance, Course.CONVERGED, course)
        self.course[members] = np.where(np.isfinite(norm), course, Course.DIVERGED)
        self._narrow(np.equal(self.course[members], Course.RUNNING))

    def _wait(self, members: NDArray[np.int64]) -> None:
        """Count the steps of the running models since the last one that made progress."""
        penalty = 0.5 * self._running.regularization * _inner(self._weights, self._weights)
        objective, norm = self._losses + penalty, self.gradient_norm[members]
        lower = objective < (1 - _PROGRESS) * self._least_objective[members]
        progress = lower | (norm < self._least_norm[members])
        self._waited[members] = np.where(progress, 0, self._waited[members] + 1)
        for least, value in ((self._least_norm, norm), (self._least_objective, objective)):
            least[members] = np.minimum(least[members], np.where(progress, value, np.inf))

    def _narrow(self, members: Members) -> None:
        """Go on with some of the running models."""
        if members.all():
            return
        self._running = self._running.select(members)
        self._weights = _narrowed(self._weights, members)
        self._gradient = _narrowed(self._gradient, members)
        self._losses = self._losses[members]
        self._scores = [_narrowed(block, members) for block in self._scores]
        self._pairs = [pair.select(members) for pair in self._pairs]

    def state(self) -> Arrays:
        """Everything the next step depends on, by name; each array ends in an axis of K models.

        Of the models that are not running it holds zeros where nothing depends on them.
        """
        pairs, size = self._pairs, self.weights.shape
        nothing = np.zeros((size[0], self._running.models, size[2]), self.weights.dtype)
        missing = MEMORY - len(pairs)
        steps = np.stack([nothing] * missing + [pair.step for pair in pairs])
        changes = np.stack([nothing] * missing + [pair.change for pair in pairs])
        no_rho = np.zeros(self._running.models)
        return {
            "course": self.course,
            "iterations": self.iterations,
            "gradient_norm": self.gradient_norm,
            "step_length": self.step_length,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "least_norm": self._least_norm,
            "least_objective": self._least_objective,
            "waited": self._waited,
            "weights": np.moveaxis(self.weights, 1, -1),
            "gradient": self._of_all(np.moveaxis(self._gradient, 1, -1)),
            "scores": self._of_all(np.moveaxis(np.concatenate(self._scores, axis=2), 1, -1)),
            "losses": self._of_all(self._losses),
            "steps": self._of_all(np.moveaxis(steps, 2, -1)),
            "changes": self._of_all(np.moveaxis(changes, 2, -1)),
            "rho": self._of_all(np.stack([no_rho] * missing + [pair.rho for pair in pairs])),
        }

    def restore(self, state: Arrays, iteration: int) -> None:
        """Take over a state that :meth:`state` gave after some steps for the same objective.

        Raises:
            ValueError: names, shapes or dtypes are not those of this solver's own state.
        """
        own = self.state()
        check_alike(own, state)
        self.iteration = iteration
        for name in _OF_ALL:
            own[name][:] = state[name]
        self.weights[...] = np.moveaxis(state["weights"], -1, 1)
        members = self.members

        def running(name: str, axis: int) -> Floats:
            """What is kept of the running models, with these on an axis, as arithmetic left it."""
            return np.ascontiguousarray(np.moveaxis(state[name][..., members], -1, axis))

        self._running = self._running.select(members)
        self._weights = _narrowed(self.weights, members)
        self._gradient = running("gradient", 1)
        self._losses = state["losses"][members]
        scores = running("scores", 1)
        self._scores = [
            np.ascontiguousarray(scores[:, :, rows]) for rows in self._running.examples.blocks
        ]
        kept = zip(running("steps", 2), running("changes", 2), running("rho", 1), strict=True)
        self._pairs = [_Pair(*pair) for pair in kept][MEMORY - min(iteration, MEMORY) :]

    def _of_all(self, values: Floats) -> Floats:
        """Values (..., K) from those of the running models."""
        spread: Floats = np.zeros((*values.shape[:-1], len(self.course)), values.dtype)
        spread[..., self.members] = values
        return spread


def _inner(a: Floats, b: Floats) -> PerModel:
    """Inner products (K,) of arrays (C - 1, K, P + 1), in float64."""
    return np.asarray(np.einsum("ckp,ckp->k", a, b, dtype=np.float64))


def _narrowed(values: Floats, members: Members) -> Floats:
    """Some models of (C - 1, K, n), laid out as if there had never been others."""
    return np.ascontiguousarray(values[:, members])
