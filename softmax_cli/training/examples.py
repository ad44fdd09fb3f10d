"""All training examples at once: their products with weights and errors, and their Gram matrix.

Rows of features stay what the feature map made them: bytes, sums of bytes or floats. A block of a
few hundred of them at a time is standardised, used and overwritten. That costs about as much as the
products of one model, and it saves a copy of all features in float32.

Each block carries a column of ones behind its features, so that the bias is a row of the weights.

The rows are cut into blocks and the blocks into shards in the same way on every machine; a thread
works on a shard with BLAS on one thread. So no sum depends on the number of cores.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Rows
from softmax_cli.features.standardization import Standardization
from softmax_cli.threads import in_threads

_BLOCK_ROWS = 512
_SHARDS = 8
_STRIPES = 8
"""Of a Gram matrix, which is symmetric: of the 64 tiles where they cross, 36 are computed."""


class Examples:
    """N examples of P features, standardised and with a one behind them.

    Args:
        rows: (N, P) features, N > 0.
        standardization: of the features.
        dtype: of all arithmetic.

    Attributes:
        count: N.
        size: P + 1.
        dtype: of all arithmetic.
        blocks: the rows of each block.
    """

    def __init__(
        self,
        rows: Rows,
        standardization: Standardization,
        dtype: type[np.floating[Any]] = np.float32,
    ) -> None:
        self._rows = rows
        self._standardization = standardization
        self.count, self.size = len(rows), rows.shape[1] + 1
        self.dtype = dtype
        self.blocks = [
            slice(start, min(start + _BLOCK_ROWS, self.count))
            for start in range(0, self.count, _BLOCK_ROWS)
        ]

    def scores(self, weights: Floats) -> list[Floats]:
        """``W X^T`` of each block (J, n), for weights W (J, P + 1)."""

        def multiply(numbers: Sequence[int]) -> list[Floats]:
            # BLAS is faster at X W^T than at W X^T, by two thirds where W has few rows.
            return [np.ascontiguousarray((X @ weights.T).T) for _, X in self._each(numbers)]

        return list(itertools.chain.from_iterable(in_threads(multiply, self._shards())))

    def gradient(self, error_of: Callable[[int], Floats], columns: int) -> Floats:
        """``E X`` summed over all blocks: (J, P + 1).

        Args:
            error_of: gives the errors E (J, n) of a block, by its number.
            columns: J.
        """

        def multiply(numbers: Sequence[int]) -> Floats:
            total = np.zeros((columns, self.size), self.dtype)
            for number, X in self._each(numbers):
                total += error_of(number) @ X
            return total

        first, *others = in_threads(multiply, self._shards())
        for other in others:
            first += other
        return first

    def gram(self) -> Floats:
        """``X^T X / N``, (P + 1, P + 1)."""
        gram = np.zeros((self.size, self.size), self.dtype)
        stripes = _parts(self.size, _STRIPES)
        tiles = list(itertools.combinations_with_replacement(stripes, 2))
        for _, X in self._each(range(len(self.blocks))):

            def add(tile: tuple[slice, slice], X: Floats = X) -> None:
                gram[tile] += X[:, tile[0]].T @ X[:, tile[1]]

            in_threads(add, tiles)
        gram /= self.count
        for first, second in tiles:
            gram[second, first] = gram[first, second].T
        return gram

    def matrix(self) -> Floats:
        """X (N, P + 1) itself."""
        return np.concatenate([X.copy() for _, X in self._each(range(len(self.blocks)))])

    def mean_squares(self) -> NDArray[np.float64]:
        """The diagonal (P + 1,) of ``X^T X / N``."""

        def add_up(numbers: Sequence[int]) -> NDArray[np.float64]:
            total = np.zeros(self.size)
            for _, X in self._each(numbers):
                total += np.einsum("np,np->p", X, X)
            return total

        return np.asarray(sum(in_threads(add_up, self._shards())) / self.count)

    def _shards(self) -> list[range]:
        numbers = range(len(self.blocks))
        return [numbers[part] for part in _parts(len(numbers), _SHARDS)]

    def _each(self, numbers: Sequence[int]) -> Iterator[tuple[int, Floats]]:
        """Some blocks by their numbers: X (n, P + 1), valid until the next one."""
        buffer = np.ones((min(_BLOCK_ROWS, self.count), self.size), self.dtype)
        for number in numbers:
            rows = self._rows[self.blocks[number]]
            X = buffer[: len(rows)]
            self._standardization.apply(rows, X[:, :-1])
            yield number, X


def _parts(length: int, count: int) -> list[slice]:
    bounds = [length * part // count for part in range(count + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(bounds)]
