"""The two matrix products of a step, and the preparation of its minibatch, on two processes.

The features are cut into two shards, and with them the rows of the weights. For each shard the
features of the minibatch are prepared and multiplied with its rows of W; later its rows of the
gradient are computed and its rows of W updated. The products of both shards add up to the scores,
so scores are all that travels between processes, and nothing that grows with D. The process that
would otherwise idle prepares the next minibatch.

Each process gets half of BLAS's threads. If one process had all of them, only the products would be
shared, which in a step of one model are less than half of the work. Threads of Python would share
the rest too, but handing the interpreter's lock around took longer than it saved. There are two
shards even where one process does everything, so that the bits do not depend on the machine's
cores.

Centring costs nothing here. With features ``x - m`` the scores are ``X W - 1 (m W)`` and the
gradient is ``X^T E - m^T (1^T E)``: the row ``-m`` is multiplied as one more example. Its scores
are added to those of all other examples, and its error is the sum of theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, PerModel
from softmax_cli.blas import limited_to, multiply
from softmax_cli.features.inputs import Inputs
from softmax_cli.model.stack import LinearStack
from softmax_cli.threads import thread_limit, threads_for
from softmax_cli.training.forked import Fork, shared_zeros
from softmax_cli.training.updates import Update

Part = Literal["train", "validation"]

LARGEST_SELECTION = 500
"""Images that can be multiplied at once, unless a minibatch is larger."""

_PARTS: tuple[Part, ...] = ("train", "validation")
_SLOTS = 2  # minibatches in memory: the current one, and the next one
_SHARDS = 2
_MIN_SHARED_PRODUCT = 2**21
"""Multiplications in a product. In a smaller one, sharing costs more than it gains."""
_FORWARD, _BACKWARD = 1, 2  # commands to the second process


@dataclass(frozen=True, eq=False)
class Selection:
    """Some images, no more than a minibatch or :data:`LARGEST_SELECTION`.

    Attributes:
        part: what ``rows`` counts.
        rows: (n,) int64.
    """

    part: Part
    rows: NDArray[np.int64]


class StepEngine:
    """Products of selected images with the weights of a stack, and updates of these weights.

    A step is :meth:`forward`, then, with what the loss made of the scores, :meth:`backward`. No
    other code may change the weights between the latter and the next forward. Within :meth:`shared`
    a second process takes part, if the products are large enough.

    Args:
        stack: the models; allocate their weights with ``shared_zeros``, so that the second process
            sees them.
        inputs: features and their standardisation.
        update: how a gradient changes ``stack``; allocate its state with ``shared_zeros``, too.
        batch_size: N.

    Attributes:
        error: (C - 1, K, 1 + N), to be filled before :meth:`backward`: the gradient by the scores
            of each class less that of the last class, with the factor that ``update`` asks for;
            before these, in column 0, their sum over the examples.
    """

    def __init__(self, stack: LinearStack, inputs: Inputs, update: Update, batch_size: int) -> None:
        self._stack = stack
        self._memory = _Memory.allocate(stack, batch_size)
        self.error = self._memory.error
        first = _first_features(stack)
        self._shards = [
            _Shard(number, features, self._memory, stack, inputs, update)
            for number, features in enumerate((slice(0, first), slice(first, stack.features)))
        ]
        self._fork: Fork | None = None
        self._current = 0
        self._forget()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Within this context a second process takes part, if the system allows it."""
        threads = thread_limit()
        # What one shard multiplies at a time, forwards or backwards.
        product = self.error.shape[-1] * self._memory.products.shape[-1] * self._stack.features / 2
        if threads < _SHARDS or not self._is_large_enough_to_share():
            with limited_to(threads_for(product, threads)):
                yield
            return
        with limited_to(threads_for(product, threads // _SHARDS)):
            try:
                self._start_fork()
                yield
            finally:
                self._stop_fork()

    def forward(self, selection: Selection, following: Selection | None = None) -> Floats:
        """Multiply images with the weights.

        Args:
            selection: the images; prepared already if they were the last ``following``.
            following: the images of the next call, to be prepared ahead.

        Returns:
            (1 + n, (C - 1) K), the ``product`` of :meth:`LinearStack.logits`; valid until the next
            call.
        """
        # The current slot is free again; the other one may hold this selection already.
        slot, fresh = self._place(selection, self._current)
        _, ahead = self._place(following, 1 - slot) if following else (slot, False)
        self._current = slot
        self._send(_FORWARD, slot, fresh, ahead)  # the second process starts on its shard
        self._prepare(slot)
        for shard in self._shards_here:
            shard.multiply(slot)
        return self._sum_of_products(1 + len(selection.rows))

    def backward(self, learning_rate: PerModel) -> None:
        """Update the weights by the gradient that ``error`` gives for the last forward.

        Args:
            learning_rate: (K,).
        """
        self._memory.learning_rate[...] = learning_rate
        # What the second process reads is written before the command: a semaphore orders the two.
        self._send(_BACKWARD, self._current)
        for shard in self._shards_here:
            shard.apply_gradient(self._current)
        self._prepare(1 - self._current)  # while the second process may still be at work
        self._wait()

    def _is_large_enough_to_share(self) -> bool:
        examples, columns = self.error.shape[-1], self._memory.products.shape[-1]
        return bool(examples * self._stack.features * columns >= _MIN_SHARED_PRODUCT)

    def _start_fork(self) -> None:
        """Give the second shard to a fork; where there can be none, keep it."""
        self._forget()
        with suppress(OSError):
            self._fork = Fork(self._shards[1].handle_command)

    def _stop_fork(self) -> None:
        if self._fork is not None:
            self._fork.stop()
            self._fork = None
        self._forget()

    @property
    def _shards_here(self) -> "list[_Shard]":
        return self._shards if self._fork is None else self._shards[:1]

    def _forget(self) -> None:
        """Hold no selection."""
        self._placed: list[Selection | None] = [None] * _SLOTS
        self._unprepared: set[int] = set()

    def _place(self, selection: Selection, slot: int) -> tuple[int, bool]:
        """The slot that holds a selection, if none did this one; and whether it is new there."""
        if selection in self._placed:
            return self._placed.index(selection), False
        self._placed[slot] = selection
        self._unprepared.add(slot)
        self._memory.select(slot, selection)
        return slot, True

    def _prepare(self, slot: int) -> None:
        if slot in self._unprepared:
            self._unprepared.remove(slot)
            for shard in self._shards_here:
                shard.prepare(slot)

    def _send(self, *command: int) -> None:
        if self._fork is not None:
            self._memory.command[: len(command)] = command
            self._fork.send()

    def _wait(self) -> None:
        if self._fork is not None:
            self._fork.wait()

    def _sum_of_products(self, count: int) -> Floats:
        self._wait()
        first, second = self._memory.products[:, :count]  # (1 + n, (C - 1) K) of each shard
        total: Floats = np.add(first, second, out=first)
        return total


@dataclass(frozen=True)
class _Memory:
    """What processes tell each other, in memory that they share.

    Attributes:
        command: int64, what to do, with which slot, whether its selection is new, and whether the
            selection in the other slot is new.
        parts: (slots,) int64, index into ``_PARTS``.
        counts: (slots,) int64, number of rows.
        rows: (slots, M) int64, for selections of at most M images.
        products: (2, 1 + M, (C - 1) K).
        error: (C - 1, K, 1 + N).
        learning_rate: (K,).
    """

    command: NDArray[np.int64]
    parts: NDArray[np.int64]
    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    products: Floats
    error: Floats
    learning_rate: PerModel

    @classmethod
    def allocate(cls, stack: LinearStack, batch_size: int) -> "_Memory":
        most = max(batch_size, LARGEST_SELECTION)
        dtype, classes, models = stack.weights.dtype, stack.classes, stack.models
        return cls(
            command=shared_zeros((4,), np.int64),
            parts=shared_zeros((_SLOTS,), np.int64),
            counts=shared_zeros((_SLOTS,), np.int64),
            rows=shared_zeros((_SLOTS, most), np.int64),
            products=shared_zeros((_SHARDS, 1 + most, (classes - 1) * models), dtype),
            error=shared_zeros((classes - 1, models, 1 + batch_size), dtype),
            learning_rate=shared_zeros((models,), np.float64),
        )

    def select(self, slot: int, selection: Selection) -> None:
        self.parts[slot] = _PARTS.index(selection.part)
        self.counts[slot] = len(selection.rows)
        self.rows[slot, : len(selection.rows)] = selection.rows


class _Shard:
    """Some of the features, and what has to be done for them."""

    def __init__(
        self,
        number: int,
        features: slice,
        memory: _Memory,
        stack: LinearStack,
        inputs: Inputs,
        update: Update,
    ) -> None:
        self._memory = memory
        self._features = features
        self._update = update
        self._images = (inputs.train[:, features], inputs.validation[:, features])
        self._weights = stack.contrasts[features]  # (features of this shard, (C - 1) K)
        self._product = memory.products[number]  # (1 + M, (C - 1) K)
        # The columns of the means stay zero: only contrasts learn.
        self._gradient = np.zeros((len(self._weights), stack.weights.shape[1]), self._product.dtype)
        self._multiplied = -1
        self._ahead = False

        offset, self._reciprocal = inputs.standardization.split(features)
        # (slots, 1 + M, features of this shard); row 0 stands for the mean, see the module.
        self._X = np.empty((_SLOTS, len(self._product), len(offset)), np.float32)
        self._X[:, 0] = offset

    def handle_command(self, answer: Callable[[], None]) -> None:
        """Do what the command in memory says; this runs in the second process."""
        command, slot, fresh, ahead = self._memory.command.tolist()
        if command == _FORWARD:
            if fresh:
                self.prepare(slot)
            if fresh or self._multiplied != slot:
                self.multiply(slot)
            answer()
            # After the answer, so that the parent computes the loss meanwhile.
            if ahead:
                self.prepare(1 - slot)
            self._ahead = bool(ahead)
        else:
            self.apply_gradient(slot)
            answer()
            if self._ahead:
                # Compute ahead: the weights are fixed until the next step.
                self.multiply(1 - slot)

    def prepare(self, slot: int) -> None:
        """From the features of the selected images to scaled ones; the mean is not subtracted."""
        memory = self._memory
        count = int(memory.counts[slot])
        X = self._X[slot, 1 : 1 + count]  # (n, features of this shard)
        # Gather bytes, then convert, then scale: operations that mix dtypes cast through a small
        # buffer and take several times as long.
        np.copyto(X, self._images[memory.parts[slot]][memory.rows[slot, :count]])
        if self._reciprocal is not None:
            np.multiply(X, self._reciprocal, out=X)

    def multiply(self, slot: int) -> None:
        """This shard's part of the scores."""
        count = 1 + int(self._memory.counts[slot])
        # (1 + n, features of this shard) times (features of this shard, (C - 1) K)
        multiply(self._X[slot, :count], self._weights, self._product[:count])
        self._multiplied = slot

    def apply_gradient(self, slot: int) -> None:
        """Compute this shard's rows of the gradient, and update its rows of the weights."""
        error = self._memory.error
        E = error.reshape(-1, error.shape[-1])  # ((C - 1) K, 1 + N)
        X = self._X[slot, : E.shape[1]]  # (1 + N, features of this shard)
        # (features of this shard, 1 + N) times (1 + N, (C - 1) K)
        multiply(X.T, E.T, self._gradient[:, : len(E)])
        self._gradient[:, len(E) :] = 0  # again, as an update may overwrite the gradient
        self._update.apply(self._features, self._gradient, self._memory.learning_rate)
        self._multiplied = -1  # the product was of the old weights


def _first_features(stack: LinearStack) -> int:
    """How many features the shard of this process has, so that both have as much to do.

    It computes the loss besides, which matters the more the fewer columns the products have. Of
    shares from 0.36 to 0.5, 0.42 was fastest for one model of ten classes and 0.49 for 24.
    """
    columns = int(stack.contrasts.shape[1])
    return round(stack.features * 0.49 * columns / (columns + 1.4))
