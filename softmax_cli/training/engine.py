"""The two matrix products of a step, and all that can be done beside them, on several threads.

The features are cut into one shard for each thread, and with them the rows of the weights. A
thread multiplies its shard of the minibatch with its rows of W; the products of all shards add up
to the scores. It later computes its rows of the gradient and updates its rows of W, so only scores
travel between threads. One that would wait prepares the next minibatch instead, chunk by chunk.

numpy lets go of Python's lock in all of these, and BLAS is to run on a single thread: its own
threads would stand idle for the greater part of a step, and spin while they do.
"""

import itertools
import threading

import numpy as np
from numpy.typing import NDArray

from softmax_cli.model.stack import LinearStack
from softmax_cli.training.minibatches import Minibatch, Minibatches
from softmax_cli.training.updates import Update

Floats = NDArray[np.floating]


class StepEngine:
    """Runs the products of one step after another.

    A step is :meth:`forward`, then, with what the loss made of the scores, :meth:`backward`.

    Args:
        stack: the models; ``update`` changes them.
        minibatches: prepared here, a step ahead.
        update: applied to the rows of each shard.
        threads: how many threads work on a step, the calling one included.
    """

    def __init__(
        self, stack: LinearStack, minibatches: Minibatches, update: Update, threads: int
    ) -> None:
        self._stack = stack
        self._minibatches = minibatches
        self._update = update
        bounds = [stack.features * shard // threads for shard in range(threads + 1)]
        self._shards = [slice(start, stop) for start, stop in itertools.pairwise(bounds)]
        columns, dtype = stack.weights.shape[1], stack.weights.dtype
        self._products = [
            np.empty((minibatches.batch_size, columns), dtype) for _ in range(threads)
        ]
        self._gradient = np.empty_like(stack.weights)

        self._batch = self._next = minibatches.begin(0)
        self._prepared = -1
        self._chunks = iter(range(0))
        self._error: Floats = np.empty(0, dtype)
        self._learning_rate: NDArray[np.float64] = np.empty(0)
        self._helpers = [_Helper(self, shard) for shard in range(1, threads)]

    def forward(self, step: int) -> tuple[Minibatch, Floats]:
        """The minibatch of a step, and its scores without bias and shrinkage (N, C K)."""
        if self._prepared == step:
            self._batch = self._next
        else:
            self._batch = self._minibatches.at(step)
        self._next = self._minibatches.begin(step + 1)
        self._chunks = iter(range(self._minibatches.chunks))
        for helper in self._helpers:
            helper.start.release()
        self.multiply(0)
        for helper in self._helpers:
            helper.wait(helper.multiplied)
        product = self._products[0]
        for other in self._products[1:]:
            np.add(product, other, out=product)
        return self._batch, product

    def backward(self, error: Floats, learning_rate: NDArray[np.float64]) -> None:
        """Update the weights by the gradient ``X^T E`` of the minibatch of the last forward.

        Args:
            error: (C K, N), the gradient by the scores, carrying the factor of the update.
            learning_rate: (K,).
        """
        self._error, self._learning_rate = error, learning_rate
        for helper in self._helpers:
            helper.error_ready.release()
        self.learn(0)
        while self.prepare_chunk():
            pass
        for helper in self._helpers:
            helper.wait(helper.done)
        self._prepared = self._next.step

    def multiply(self, shard: int) -> None:
        """One shard's part of the scores."""
        features = self._shards[shard]
        X, weights = self._batch.features[:, features], self._stack.weights[features]
        np.matmul(X, weights, out=self._products[shard])

    def learn(self, shard: int) -> None:
        """One shard's rows of the gradient and of the new weights."""
        features = self._shards[shard]
        gradient = self._gradient[features]
        np.matmul(self._batch.features[:, features].T, self._error.T, out=gradient)
        self._update.apply(features, gradient, self._learning_rate)

    def prepare_chunk(self) -> bool:
        """Prepare a chunk of the next minibatch, unless none is left."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._minibatches.prepare(self._next, chunk)
        return True

    def close(self) -> None:
        """End the threads."""
        for helper in self._helpers:
            helper.stop()


class _Helper:
    """A thread that works on one shard of every step; its locks are signals to it and from it."""

    def __init__(self, engine: StepEngine, shard: int) -> None:
        self._engine = engine
        self._shard = shard
        self._failure: BaseException | None = None
        self._stopping = False
        self.start, self.multiplied, self.error_ready, self.done = (_signal() for _ in range(4))
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def wait(self, signal: threading.Lock) -> None:
        """Wait for a signal of this thread; what went wrong in it is raised here."""
        signal.acquire()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the thread; it must be between two steps."""
        self._stopping = True
        self.start.release()
        self._thread.join()

    def _work(self) -> None:
        self.start.acquire()
        while not self._stopping:
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    self._step()
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                self._failure = error
                self.multiplied.release()
            self.done.release()
            self.start.acquire()

    def _step(self) -> None:
        self._engine.multiply(self._shard)
        self.multiplied.release()
        while not self.error_ready.acquire(blocking=False):
            if not self._engine.prepare_chunk():
                self.error_ready.acquire()
                break
        self._engine.learn(self._shard)
        while self._engine.prepare_chunk():
            pass


def _signal() -> threading.Lock:
    """A lock that is held until somebody signals by releasing it."""
    lock = threading.Lock()
    lock.acquire()
    return lock
