from typing import Any

import numpy as np
import pytest

from softmax_cli.api.splits import splits_of
from softmax_cli.errors import ArgumentError

LABELS = np.repeat(np.arange(3), [12, 6, 5])
X = np.zeros((23, 2))


def test_folds_have_their_share_of_each_class() -> None:
    splits = splits_of(5, X, LABELS, LABELS)
    assert len(splits) == 5
    assert sorted(np.concatenate([validation for _, validation in splits])) == list(range(23))
    for train, validation in splits:
        assert sorted([*train, *validation]) == list(range(23))
        assert len(validation) in (4, 5)
        counts = np.bincount(LABELS[validation], minlength=3)
        assert (np.abs(counts - np.array([12, 6, 5]) / 5) < 1).all()


def test_a_share_is_held_out_at_the_end() -> None:
    ((train, validation),) = splits_of(0.25, X, LABELS, LABELS)
    assert (train.tolist(), validation.tolist()) == (list(range(17)), list(range(17, 23)))


def test_splitters_and_pairs_of_indices() -> None:
    from sklearn.model_selection import KFold

    splits = splits_of(KFold(2), X, LABELS, LABELS)
    assert [len(validation) for _, validation in splits] == [12, 11]
    pairs = [([0, 1], [2]), (np.array([3, 3]), np.array([4]))]
    assert [part.tolist() for pair in splits_of(pairs, X, LABELS, LABELS) for part in pair] == [
        [0, 1], [2], [3, 3], [4],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (1, "expected cv from 2 to 23 folds, got 1"),
        (24, "got 24"),
        (0.0, "as a share of 23 examples .* got 0"),
        (1.0, "got 1"),
        (0.01, "leaves some on both sides, got 0.01"),
        ("five", "expected cv to be a number of folds, .* got 'five'"),
        (None, "got None"),
        (True, "got True"),
        ([], "expected at least one split as cv, got none"),
        ([3], "expected pairs of index arrays as cv, got 3"),
        ([([0], [])], r"at least one index in each part .* shape \(0,\)"),
        ([([0], [0.5])], "got float64"),
        ([([0], [23])], "expected indices from 0 to 22 in cv, got 23 to 23"),
        ([([-1], [1])], "got -1 to -1"),
    ],
)
def test_other_splits_are_refused(cv: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        splits_of(cv, X, LABELS, LABELS)
