"""The state of a trainer as named arrays, which is what a checkpoint holds.

Every array but the numbers of iterations ends in an axis of K models, or of C K columns in which
the models run fastest.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays


def select_members(state: Arrays, members: NDArray[np.int64]) -> Arrays:
    """The state of a narrower stack: copies of what belongs to some members, in their order."""
    models = len(state["status"])
    return {
        name: array.copy()
        if name in ("iteration", "history/iteration")
        else _select_last_axis(array, models, members)
        for name, array in state.items()
    }


def _select_last_axis(array: NDArray[Any], models: int, members: NDArray[np.int64]) -> NDArray[Any]:
    by_model = array.reshape(*array.shape[:-1], array.shape[-1] // models, models)
    return by_model[..., members].reshape(*array.shape[:-1], -1)


def named(prefix: str, arrays: Arrays) -> Arrays:
    """Arrays under names that begin with a prefix."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def part_of(prefix: str, arrays: Arrays) -> Arrays:
    """The arrays that :func:`named` gave this prefix, under their own names."""
    start = f"{prefix}/"
    return {k.removeprefix(start): array for k, array in arrays.items() if k.startswith(start)}


def check_alike(own: Arrays, other: Arrays) -> None:
    """Compare the names, dtypes and shapes of two states; a history may have any length.

    Raises:
        ValueError: they differ, or the columns of the other history differ in length.
    """
    if own.keys() != other.keys():
        raise ValueError(f"expected the arrays {sorted(own)}, got {sorted(other)}")
    for name, array in own.items():
        first_axis = 1 if name.startswith("history/") else 0
        expected, got = (
            (values.dtype, values.ndim, values.shape[first_axis:])
            for values in (array, other[name])
        )
        if expected != got:
            raise ValueError(f"{name}: expected {expected}, got {got}")
    lengths = {len(array) for name, array in other.items() if name.startswith("history/")}
    if len(lengths) > 1:
        raise ValueError(f"expected columns of one length in the history, got {sorted(lengths)}")
