"""How the examples of a sweep are split into those it learns from and those it is judged by."""

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.api.arguments import is_number
from softmax_cli.errors import ArgumentError

Split = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Indices of training and of validation examples."""


def splits_of(cv: Any, X: Any, y: Any, labels: NDArray[np.int64]) -> list[Split]:
    """The splits that ``cv`` means.

    Args:
        cv: a number of folds, each with its share of every class; a share of the examples, above 0
            and below 1, which is held out at the end; an object with scikit-learn's
            ``split(X, y)``; or pairs of index arrays.
        X: what a splitter gets.
        y: what a splitter gets.
        labels: (n,) indices of classes.

    Raises:
        ArgumentError: it is none of these, or the examples cannot be split so.
    """
    if is_number(cv):
        if isinstance(cv, Integral):
            return list(_stratified(labels, int(cv)))
        return [_held_out(len(labels), float(cv))]
    pairs = cv.split(X, y) if hasattr(cv, "split") and not isinstance(cv, str) else cv
    if not isinstance(pairs, Iterable) or isinstance(pairs, str):
        raise ArgumentError(
            "expected cv to be a number of folds, a share below 1, a splitter or pairs of index "
            f"arrays, got {cv!r}"
        )
    splits = [_checked(pair, len(labels)) for pair in pairs]
    if not splits:
        raise ArgumentError("expected at least one split as cv, got none")
    return splits


def _stratified(labels: NDArray[np.int64], folds: int) -> Iterator[Split]:
    """The i-th example of each class is in fold ``i % folds``."""
    if not 2 <= folds <= len(labels):
        raise ArgumentError(f"expected cv from 2 to {len(labels)} folds, got {folds}")
    # The classes go on where the one before has ended, so that the folds are equally large.
    order = np.argsort(labels, kind="stable")
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    for number in range(folds):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def _held_out(examples: int, share: float) -> Split:
    held_out = round(share * examples) if 0 < share < 1 else 0
    if not 0 < held_out < examples:
        raise ArgumentError(
            f"expected cv as a share of {examples} examples that leaves some on both sides, "
            f"got {share:g}"
        )
    return np.arange(examples - held_out), np.arange(examples - held_out, examples)


def _checked(pair: object, examples: int) -> Split:
    try:
        train, validation = (np.asarray(part) for part in pair)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"expected pairs of index arrays as cv, got {pair!r}") from error
    for part in (train, validation):
        if part.ndim != 1 or part.dtype.kind not in "iu" or not part.size:
            raise ArgumentError(
                "expected an array of at least one index in each part of a split of cv, "
                f"got {part.dtype} of shape {part.shape}"
            )
        if part.min() < 0 or part.max() >= examples:
            raise ArgumentError(
                f"expected indices from 0 to {examples - 1} in cv, got {part.min()} to {part.max()}"
            )
    return train.astype(np.int64), validation.astype(np.int64)
