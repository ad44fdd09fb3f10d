"""The training loop, as a generator of progress: what every trainer is, and SGD on a stack."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays, Floats, Members, PerModel
from softmax_cli.model.loss import Kernel, Workspace
from softmax_cli.model.stack import LinearStack
from softmax_cli.training.best import BestWeights
from softmax_cli.training.engine import StepEngine
from softmax_cli.training.history import Measurement, history_arrays, history_from_arrays
from softmax_cli.training.minibatches import Minibatches
from softmax_cli.training.schedules import ScheduleTable
from softmax_cli.training.scorecard import Scorecard
from softmax_cli.training.state import check_alike, named, part_of
from softmax_cli.training.updates import Update

ExampleWeights = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""``weights(indices)`` gives (K, N), each row with sum N, for the images (N,) of a minibatch."""


class Status(IntEnum):
    """Whether a model of the stack still trains, and if not, why."""

    RUNNING = 0
    STOPPED = 1
    DIVERGED = 2
    CONVERGED = 3
    STALLED = 4
    """Rounding keeps the gradient from becoming as small as it should."""


@dataclass(frozen=True)
class EarlyStopping:
    """Stop a model after ``patience`` validations in a row without a better accuracy.

    Attributes:
        patience: number of validations, at least 1.
        min_delta: better means by more than this.
    """

    patience: int
    min_delta: float = 0.0


@dataclass(frozen=True)
class Progress:
    """What one step brought.

    Attributes:
        iteration: steps done.
        measurement: from the validation after this step, where one was due.
        diverged: models whose loss or weights ceased to be finite in this step.
        gradient_norm: the greatest component of the gradient of any model, where all examples were
            looked at.
    """

    iteration: int
    measurement: Measurement | None
    diverged: tuple[int, ...]
    gradient_norm: float | None = None


class Trainer(Protocol):
    """What trains a stack: SGD here, L-BFGS in ``full_batch``.

    Attributes:
        stack: the K models; changed in place.
        iterations: steps of a whole training, at most.
        iteration: steps done.
        early_stopping: None to train to the end.
        history: a measurement for each validation.
        status: (K,) int64, a :class:`Status` each.
        ended: (K,) int64, steps done when a model ceased to run; -1 while it runs.
        best: the best weights so far.
    """

    stack: LinearStack
    iterations: int
    iteration: int
    early_stopping: EarlyStopping | None
    history: list[Measurement]
    status: NDArray[np.int64]
    ended: NDArray[np.int64]
    best: BestWeights

    def train(self, until: int | None = None) -> Generator[Progress, None, None]:
        """Train until no model is running, or to the end; one progress for each step."""
        ...

    def temperature_after(self, iteration: int) -> PerModel:
        """Temperatures (K,) of the last of ``iteration`` steps."""
        ...

    def state(self) -> Arrays:
        """Everything the next step depends on, by name; valid until that step."""
        ...

    def restore(self, state: Arrays) -> None:
        """Take over a state that :meth:`state` gave for the same stack and settings.

        Raises:
            ValueError: if names, shapes or dtypes are not those of this trainer's own state.
        """
        ...


def steps_of(trainer: Trainer, member: int) -> int:
    """Steps that a model made until it arrived, diverged or now stands.

    One that stopped early counts all steps of its stack: its best weights have their own count.
    """
    if trainer.status[member] in (Status.CONVERGED, Status.STALLED):
        return int(trainer.ended[member])
    return trainer.iteration


class SgdTrainer:
    """Trains the models of a stack, all on the same minibatches.

    A model whose loss is no longer finite is frozen with its weights at zero, and one that has
    stopped early keeps its weights; in both cases the columns of the others are computed exactly
    as before. A validation also checks that the weights are finite: no loss is computed after the
    last step, so nothing else would show that they are not.

    Args:
        stack: the K models; changed in place.
        engine: multiplies images with the weights of ``stack`` and applies ``update`` to them.
        minibatches: the minibatch of each step.
        kernel: the loss.
        update: the rule for changing the weights of ``stack``.
        learning_rates: K schedules.
        temperatures: K schedules.
        validate: loss and accuracy of ``stack`` on the validation images, given the steps done and
            the temperatures (K,).
        iterations: steps of a whole training.
        validate_every: steps from one validation to the next; the last step is always followed by
            one.
        early_stopping: None to train to the end.
        example_weights: what each image of a minibatch counts for each model; None for 1.

    Attributes:
        iteration: steps done.
        history: a measurement for each validation.
        status: (K,) int64, a :class:`Status` each.
        ended: (K,) int64, steps done when a model stopped or diverged; -1 while it runs.
        best: the best weights so far.
    """

    def __init__(
        self,
        stack: LinearStack,
        engine: StepEngine,
        minibatches: Minibatches,
        kernel: Kernel,
        update: Update,
        *,
        learning_rates: ScheduleTable,
        temperatures: ScheduleTable,
        validate: Callable[[int, PerModel], Scorecard],
        iterations: int,
        validate_every: int,
        early_stopping: EarlyStopping | None = None,
        example_weights: ExampleWeights | None = None,
    ) -> None:
        self.stack = stack
        self.iterations = iterations
        self._engine = engine
        self._minibatches = minibatches
        self._kernel = kernel
        self._update = update
        self._learning_rates = learning_rates
        self._temperatures = temperatures
        self._validate = validate
        self._validate_every = validate_every
        self.early_stopping = early_stopping
        self._example_weights = example_weights

        self.iteration = 0
        self.history: list[Measurement] = []
        self.status = np.full(stack.models, Status.RUNNING, np.int64)
        self.ended = np.full(stack.models, -1, np.int64)
        self.best = BestWeights.before_training(stack)
        self._loss_sum = np.zeros(stack.models)
        self._correct_sum = np.zeros(stack.models)

        examples, dtype = minibatches.batch_size, stack.weights.dtype
        self._work = Workspace.allocate(stack.models, examples, dtype)
        self._scores = np.empty((stack.classes, stack.models, examples), dtype)

    def train(self, until: int | None = None) -> Generator[Progress, None, None]:
        """Train until no model is running, or to the end; one progress for each step.

        Close the generator if you leave it early: until then a second process holds half of the
        machine.

        Args:
            until: steps done at which to stop and validate before the end.
        """
        end = self.iterations if until is None else min(until, self.iterations)
        with self._engine.shared():
            while self.iteration < end and self._running.any():
                # A model that diverges overflows: its loss tells, no warning is needed.
                with np.errstate(over="ignore", invalid="ignore"):
                    diverged = self._step()
                    due = self.iteration % self._validate_every == 0 or self.iteration == end
                    if due:
                        # They are cleared in the next step, if there is one: until then the second
                        # process computes with all weights.
                        diverged += self._diverge(~self.stack.finite())
                    measurement = self._measure() if due else None
                yield Progress(self.iteration, measurement, diverged)

    def temperature_after(self, iteration: int) -> PerModel:
        """Temperatures (K,) of the last of ``iteration`` steps."""
        return self._temperatures.at(max(iteration - 1, 0))

    @property
    def _running(self) -> Members:
        return np.equal(self.status, Status.RUNNING)

    def _step(self) -> tuple[int, ...]:
        """One step of SGD; returns the models that diverged in it."""
        batch, following = (self._minibatches.at(self.iteration + ahead) for ahead in (0, 1))
        scores, examples = self._scores, len(batch.labels)  # (C, K, N), N
        temperature = self._temperatures.at(self.iteration)
        # 0 for models that have ended: their columns are computed, and nothing is added to them.
        learning_rate = self._learning_rates.at(self.iteration) * self._running

        product = self._engine.forward(batch.selection, following.selection)  # (1 + N, (C - 1) K)
        self.stack.logits(product, temperature, out=scores)  # (C, K, N)
        # The kernel multiplies each gradient by this anyway, so mean, temperature and, for plain
        # SGD, the learning rate cost no pass of their own over anything.
        factor = (self._update.begin(learning_rate) / (examples * temperature))[:, None]  # (K, 1)
        weights = self._example_weights(batch.indices) if self._example_weights else None
        if weights is not None:
            factor = factor * weights  # (K, N)
        # From here on scores hold their own gradient.
        self._kernel(scores, batch.labels, factor.astype(scores.dtype), self._work)
        # Before the update, so that a model that diverged gets no gradient of NaN.
        diverged = self._freeze_diverged(self._add_up(weights))

        # This also writes the errors that `backward` multiplies with the minibatch.
        self._update.apply_bias(self._error_of_contrasts(), learning_rate)
        self._engine.backward(learning_rate)
        self.iteration += 1
        return diverged

    def _error_of_contrasts(self) -> Floats:
        """Hand the gradient by the scores to the engine; return the gradient by the bias (C, K)."""
        error = self._engine.error  # (C - 1, K, 1 + N)
        # A step moves W_c by -lr g_c, so it moves the contrast W_c - W_C by -lr (g_c - g_C). The
        # mean over the classes stays, because the gradients g_c add up to zero.
        np.subtract(self._scores[:-1], self._scores[-1], out=error[..., 1:])
        bias_gradient = np.zeros_like(self.stack.bias)
        np.sum(error[..., 1:], axis=2, out=bias_gradient[:-1])
        error[..., 0] = bias_gradient[:-1]  # of the example that stands for the mean
        return bias_gradient

    def _add_up(self, weights: Floats | None) -> PerModel:
        """Sum the losses of the step over its images (K,); add them and the hits to the totals."""
        losses, correct = self._work.losses, self._work.correct
        if weights is None:
            totals, hits = losses.sum(axis=1, dtype=np.float64), np.count_nonzero(correct, axis=1)
        else:
            totals, hits = (losses * weights).sum(axis=1), (correct * weights).sum(axis=1)
        self._loss_sum += totals
        self._correct_sum += hits
        return np.asarray(totals)

    def _freeze_diverged(self, losses: PerModel) -> tuple[int, ...]:
        """Freeze the models whose losses (K,) are not finite."""
        finite = np.isfinite(losses)
        if finite.all():
            return ()
        self._scores[:, ~finite] = 0
        self.stack.clear(~finite)
        return self._diverge(~finite)

    def _diverge(self, members: Members) -> tuple[int, ...]:
        """Mark models as diverged that were running; returns which these were."""
        newly = members & self._running
        if not newly.any():
            return ()
        self._end(newly, Status.DIVERGED)
        return tuple(np.flatnonzero(newly).tolist())

    def _end(self, members: Members, status: Status) -> None:
        self.status[members] = status
        self.ended[members] = self.iteration
        self._update.forget(members)

    def _measure(self) -> Measurement:
        """Validate, keep the best weights, stop the models whose patience has run out."""
        temperature = self.temperature_after(self.iteration)
        scorecard = self._validate(self.iteration, temperature)
        alive = np.where(self.status == Status.DIVERGED, np.nan, 1.0)
        previous = self.history[-1].iteration if self.history else 0
        examples = (self.iteration - previous) * self._minibatches.batch_size
        measurement = Measurement(
            iteration=self.iteration,
            learning_rate=self._learning_rates.at(self.iteration - 1).copy(),
            temperature=temperature.copy(),
            train_loss=alive * self._loss_sum / examples,
            train_accuracy=alive * self._correct_sum / examples,
            validation_loss=alive * scorecard.loss,
            validation_accuracy=alive * scorecard.accuracy,
        )
        self.history.append(measurement)
        self._loss_sum[:] = 0
        self._correct_sum[:] = 0
        self._remember_best(scorecard.accuracy)
        return measurement

    def _remember_best(self, accuracy: PerModel) -> None:
        rule = self.early_stopping
        min_delta = rule.min_delta if rule else 0.0
        self.best.update(self.stack, accuracy, self.iteration, self._running, min_delta)
        if rule:
            self._end(self._running & (self.best.waited >= rule.patience), Status.STOPPED)

    def state(self) -> Arrays:
        """Everything the next step depends on, by name; valid until that step."""
        return {
            "iteration": np.array([self.iteration]),
            "status": self.status,
            "ended": self.ended,
            "loss_sum": self._loss_sum,
            "correct_sum": self._correct_sum,
            **named("stack", vars(self.stack)),
            **named("update", self._update.state()),
            **named("best", self.best.arrays()),
            **named("history", history_arrays(self.history, self.stack.models)),
        }

    def restore(self, state: Arrays) -> None:
        """Take over a state that :meth:`state` gave for the same stack and settings.

        Raises:
            ValueError: if names, shapes or dtypes are not those of this trainer's own state.
        """
        check_alike(self.state(), state)
        self.iteration = int(state["iteration"][0])
        self.history = history_from_arrays(part_of("history", state))
        for name, array in self.state().items():
            if not name.startswith(("history/", "iteration")):
                array[...] = state[name]
