"""Training to the optimum: L-BFGS on a stack of K linear classifiers, as a trainer."""

from collections.abc import Generator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.best import BestWeights
from softmax_cli.training.history import Measurement, history_arrays, history_from_arrays
from softmax_cli.training.lbfgs import Course, Lbfgs
from softmax_cli.training.objective import Objective
from softmax_cli.training.scorecard import Scorecard
from softmax_cli.training.state import check_alike, named, part_of
from softmax_cli.training.trainer import EarlyStopping, Progress, Status

_STATUS = {
    Course.RUNNING: Status.RUNNING,
    Course.CONVERGED: Status.CONVERGED,
    Course.STALLED: Status.STALLED,
    Course.DIVERGED: Status.DIVERGED,
}


class Validate(Protocol):
    """Loss and accuracy of a stack on the validation images."""

    def __call__(self, *, last: bool) -> Scorecard:
        """Score the stack; ``last``: this is the end of the training."""
        ...


class FullBatchTrainer:
    """Trains each model of a stack until its gradient is small; every iteration is validated.

    Args:
        stack: the K models, of weights of zero; changed in place.
        objective: what they are trained for.
        tolerance: of the greatest component of the gradient.
        iterations: at most.
        validate: scores ``stack``.

    Attributes:
        iteration: steps done.
        early_stopping: None; there is none.
        history: a measurement for each iteration, with the length of the step for the learning
            rate, and loss and accuracy on all training images.
        status: (K,) int64, a :class:`~softmax_cli.training.trainer.Status` each.
        ended: (K,) int64, steps done when a model ceased to run; -1 while it runs.
        best: the best weights so far.
    """

    def __init__(
        self,
        stack: LinearStack,
        objective: Objective,
        *,
        tolerance: float,
        iterations: int,
        validate: Validate,
    ) -> None:
        self.stack = stack
        self.iterations = iterations
        self.iteration = 0
        self.early_stopping: EarlyStopping | None = None
        self.history: list[Measurement] = []
        self.status = np.full(stack.models, Status.RUNNING, np.int64)
        self.ended = np.full(stack.models, -1, np.int64)
        self.best = BestWeights.before_training(stack)
        self._objective = objective
        self._solver = Lbfgs(objective, tolerance=tolerance)
        self._validate = validate

    def train(self, until: int | None = None) -> Generator[Progress, None, None]:
        """Train until no model is running, or to the end; one progress for each step.

        Args:
            until: steps done at which to stop before the end.
        """
        end = self.iterations if until is None else min(until, self.iterations)
        while self.iteration < end and (self.iteration == 0 or self._solver.members.any()):
            # A model that diverges overflows: its gradient tells, no warning is needed.
            with np.errstate(over="ignore", invalid="ignore"):
                if self.iteration == 0:
                    self._solver.begin()
                # Where zero is the best weight there is nothing to do, but a result to be had.
                if self._solver.members.any():
                    self._solver.step()
                self.iteration += 1
                diverged = self._take_over()
                measurement = self._measure(last=self.iteration == end)
            norm = float(self._solver.gradient_norm.max())
            yield Progress(self.iteration, measurement, diverged, norm)

    def temperature_after(self, iteration: int) -> NDArray[np.float64]:  # noqa: ARG002
        """Temperatures (K,), which stay what they are."""
        return self._objective.temperature

    def _take_over(self) -> tuple[int, ...]:
        """Bring stack and status to where the solver is; returns the models that diverged."""
        weights = np.moveaxis(self._objective.by_class(self._solver.weights), 2, 0)  # (P + 1, C, K)
        self._replace_weights(LinearStack.from_weights(weights[:-1], weights[-1]))
        status = np.array([_STATUS[Course(course)] for course in self._solver.course.tolist()])
        newly = (status != Status.RUNNING) & (self.status == Status.RUNNING)
        self.status[:] = status
        self.ended[newly] = self.iteration
        diverged = newly & (status == Status.DIVERGED)
        self.stack.clear(status == Status.DIVERGED)
        return tuple(np.flatnonzero(diverged).tolist())

    def _replace_weights(self, stack: LinearStack) -> None:
        self.stack.weights[...], self.stack.bias[...] = stack.weights, stack.bias

    def _measure(self, *, last: bool) -> Measurement:
        scorecard = self._validate(last=last or not self._solver.members.any())
        alive = np.where(self.status == Status.DIVERGED, np.nan, 1.0)
        measurement = Measurement(
            iteration=self.iteration,
            learning_rate=self._solver.step_length.copy(),
            temperature=self._objective.temperature.copy(),
            train_loss=alive * self._solver.loss,
            train_accuracy=alive * self._solver.accuracy,
            validation_loss=alive * scorecard.loss,
            validation_accuracy=alive * scorecard.accuracy,
        )
        self.history.append(measurement)
        living = self.status != Status.DIVERGED
        self.best.update(self.stack, scorecard.accuracy, self.iteration, living, 0.0)
        return measurement

    def state(self) -> Arrays:
        """Everything the next step depends on, by name; valid until that step."""
        return {
            "iteration": np.array([self.iteration]),
            "status": self.status,
            "ended": self.ended,
            **named("stack", vars(self.stack)),
            **named("solver", self._solver.state()),
            **named("best", self.best.arrays()),
            **named("history", history_arrays(self.history, self.stack.models)),
        }

    def restore(self, state: Arrays) -> None:
        """Take over a state that :meth:`state` gave for the same stack and settings.

        Raises:
            ValueError: if names, shapes or dtypes are not those of this trainer's own state.
        """
        own = self.state()
        check_alike(own, state)
        self.iteration = int(state["iteration"][0])
        self.history = history_from_arrays(part_of("history", state))
        self._solver.restore(part_of("solver", state), self.iteration)
        for name, array in own.items():
            if not name.startswith(("history/", "iteration", "solver/")):
                array[...] = state[name]
