from typing import Any

import numpy as np
import pytest

from softmax_cli.api.arguments import (
    arithmetic_dtype,
    check_count,
    check_features,
    check_labels,
    check_positive,
    check_rows,
    check_targets,
    check_weights,
    feature_names,
    warning_class,
)
from softmax_cli.errors import ArgumentError

TABLE = np.arange(6.0).reshape(3, 2)


class Frame:
    """As much of a data frame as is looked at."""

    def __init__(self, *columns: object) -> None:
        self.columns = columns


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float32, np.float64])
def test_tables_of_numbers_are_taken_as_they_are(dtype: type[Any]) -> None:
    table = TABLE.astype(dtype)
    assert check_rows(table, "E") is table


def test_what_can_be_a_table_becomes_one() -> None:
    np.testing.assert_array_equal(check_rows(TABLE.tolist(), "E"), TABLE)
    np.testing.assert_array_equal(check_rows(TABLE.astype(object), "E"), TABLE)
    np.testing.assert_array_equal(check_rows(TABLE.astype(str), "E"), TABLE)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (TABLE[0], "Expected 2D array X .* got one of shape \\(2,\\). Reshape your data"),
        (np.zeros((2, 3, 4)), "got one of shape \\(2, 3, 4\\)"),
        (TABLE[:0], "0 sample\\(s\\) \\(shape=\\(0, 2\\)\\) while a minimum of 1 is required by E"),
        (TABLE[:, :0], "0 feature\\(s\\) \\(shape=\\(3, 0\\)\\) while a minimum of 1 is required"),
        (np.where(TABLE == 3, np.nan, TABLE), "got NaN or inf"),
        (np.where(TABLE == 3, -np.inf, TABLE), "got NaN or inf"),
        (TABLE + 1j, "Complex data not supported"),
        ([["a", "b"]], "expected a table of numbers as X: could not convert"),
        ([[1, 2], [3]], "expected a table of numbers as X: .*inhomogeneous"),
        (np.array([["2026-01-01"]], "datetime64[D]"), "expected numbers as features, got datetime"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(X: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_rows(X, "E")


def test_sparse_data_are_refused_with_the_way_out() -> None:
    from scipy.sparse import csr_array

    with pytest.raises(ArgumentError, match="got a sparse csr_array: E does not") as caught:
        check_rows(csr_array(TABLE), "E")
    assert caught.value.hint == "Give X.toarray()."


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(np.uint8, np.float32), (np.float32, np.float32), (np.int64, np.float64), (float, np.float64)],
)
def test_arithmetic_has_the_digits_of_the_features(dtype: Any, expected: Any) -> None:
    assert arithmetic_dtype(TABLE.astype(dtype)) is expected


def test_names_of_features_are_those_of_a_frame_if_they_are_words() -> None:
    names = feature_names(Frame("a", "b"))
    assert names is not None
    assert names.tolist() == ["a", "b"]
    assert feature_names(Frame(0, 1)) is None
    assert feature_names(TABLE) is None


def check_named(names: Any, expected_names: Any, *, expected: int = 2) -> None:
    def array(words: Any) -> Any:
        return None if words is None else np.array(words, object)

    check_features(
        TABLE, array(names), expected=expected, expected_names=array(expected_names), estimator="E"
    )


def test_features_must_be_those_of_the_training() -> None:
    check_named(["a", "b"], ["a", "b"])
    check_named(None, None)
    with pytest.raises(ArgumentError, match="X has 2 features, but E is expecting 3 features as"):
        check_named(None, None, expected=3)
    with pytest.raises(ArgumentError, match=r"names should match .* expected b, a, got a, b"):
        check_named(["a", "b"], ["b", "a"])
    with pytest.warns(UserWarning, match="X does not have valid feature names, but E was fitted w"):
        check_named(None, ["a", "b"])
    with pytest.warns(UserWarning, match="X has feature names, but E was fitted without"):
        check_named(["a", "b"], None)


@pytest.mark.parametrize(
    "y",
    [["b", "a", "b"], [3, -1, 3], [2.0, 1.0, 2.0], [True, False, True], np.array(list("bab"), "O")],
)
def test_labels_are_words_or_whole_numbers(y: Any) -> None:
    classes, indices = check_labels(y, 3, "E")
    assert classes.tolist() == sorted(set(np.asarray(y).tolist()))
    assert indices.tolist() == [1, 0, 1]
    assert indices.dtype == np.int64


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "E requires y to be passed, but the target y is None"),
        ([1, 2], r"y should be a 1d array of one label for each of 3 examples, got shape \(2,\)"),
        (np.ones((3, 2)), r"got shape \(3, 2\)"),
        ([1.0, np.nan, 2.0], "got NaN or inf"),
        ([0.5, 1.0, 2.0], "Unknown label type: continuous"),
        ([1j, 2, 3], "Unknown label type: complex"),
        (np.array([1, "a", None], object), "Unknown label type: .* got a mixture"),
        ([7, 7, 7], "expected labels of at least two classes, got one class: .*7"),
    ],
)
def test_what_are_no_labels_is_refused(y: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_labels(y, 3, "E")


def test_a_column_of_labels_is_taken_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="A column-vector y was passed when a 1d array"):
        labels = check_targets([[1], [2]], 2, "E")
    assert labels.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"sample_weight of shape \(3,\), one for each example, got \(2,\)"),
        (2.0, r"got \(\)"),
        ([1, -1, 1], "at least 0 for each"),
        ([1, np.nan, 1], "finite sample_weight"),
        ([0, 0, 0], "above zero for some example, got only zeros"),
        (["a", "b", "c"], "expected numbers as sample_weight"),
    ],
)
def test_senseless_weights_are_refused(weights: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_weights(weights, 3)


def test_weights_become_float64() -> None:
    assert check_weights(None, 3) is None
    weights = check_weights([0, 1, 2], 3)
    assert weights is not None
    assert weights.dtype == np.float64
    assert weights.tolist() == [0, 1, 2]


@pytest.mark.parametrize("value", [-1, 0, np.inf, np.nan, "1", None, True, [1]])
def test_numbers_out_of_range_are_refused(value: Any) -> None:
    with pytest.raises(ArgumentError, match="expected tolerance to be a number above 0, got"):
        check_positive("tolerance", value)


def test_numbers_in_range_are_taken() -> None:
    assert check_positive("t", np.float32(0.5)) == 0.5
    assert check_positive("t", 0, or_zero=True) == 0
    assert check_count("n", np.int64(3)) == 3
    with pytest.raises(ArgumentError, match="t to be a number of at least 0, got -1"):
        check_positive("t", -1, or_zero=True)


@pytest.mark.parametrize("value", [0, 1.5, "3", True, None])
def test_counts_are_whole_numbers(value: Any) -> None:
    with pytest.raises(ArgumentError, match="expected n to be an integer of at least 1, got"):
        check_count("n", value)


def test_warnings_are_those_of_scikit_learn_where_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sklearn.exceptions import ConvergenceWarning

    assert warning_class("ConvergenceWarning") is ConvergenceWarning
    monkeypatch.delitem(__import__("sys").modules, "sklearn")
    assert warning_class("ConvergenceWarning") is UserWarning
