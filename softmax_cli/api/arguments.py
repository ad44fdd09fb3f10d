"""The arguments of an estimator, checked: features, labels, weights and parameters.

Where scikit-learn's own checks expect certain words in a message, these are there.
"""

import math
import sys
import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Rows
from softmax_cli.errors import ArgumentError

Names = NDArray[np.object_]


def check_rows(X: object, estimator: str) -> Rows:
    """Features (n, P) as an array of integers or floats, n and P at least 1; no copy if it is one.

    Raises:
        ArgumentError: they are sparse, complex, no table of numbers, empty or not finite.
        TypeError: an entry is not a number at all.
    """
    if hasattr(X, "tocsr"):
        raise ArgumentError(
            f"expected a dense array, got a sparse {type(X).__name__}: "
            f"{estimator} does not support sparse data",
            hint="Give X.toarray().",
        )
    rows = _as_array(X)
    if rows.ndim != 2:
        raise ArgumentError(
            f"Expected 2D array X of shape (n, features), got one of shape {rows.shape}. "
            "Reshape your data: X.reshape(len(X), -1), or X.reshape(1, -1) for one example."
        )
    for count, axis in zip(rows.shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise ArgumentError(
                f"Found array with 0 {axis}(s) (shape={rows.shape}) while a minimum of 1 is "
                f"required by {estimator}."
            )
    # The extremes show every NaN and infinity, and take no second array of the same size.
    if rows.dtype.kind == "f" and not (math.isfinite(rows.min()) and math.isfinite(rows.max())):
        raise ArgumentError(
            "expected finite features, got NaN or inf in X",
            hint="Leave these examples out, or fill the gaps, such as with an imputer.",
        )
    return rows


def _as_array(X: object) -> Rows:
    try:
        rows = np.asarray(X)
        if rows.dtype.kind in "OSU":
            rows = rows.astype(np.float64)
    except ValueError as error:
        raise ArgumentError(f"expected a table of numbers as X: {error}") from error
    if rows.dtype.kind == "c":
        raise ArgumentError("expected real features: Complex data not supported")
    if rows.dtype.kind not in "biuf":
        raise ArgumentError(f"expected numbers as features, got {rows.dtype}")
    return rows


def arithmetic_dtype(rows: Rows) -> type[np.floating[Any]]:
    """The dtype to compute with: float32 for bytes and float32, float64 for what needs more."""
    is_single = np.result_type(rows.dtype, np.float32) == np.float32
    return np.float32 if is_single else np.float64


def feature_names(X: object) -> Names | None:
    """The names (P,) of the columns of a data frame; None where there are none or no words."""
    columns = getattr(X, "columns", None)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return np.array(list(columns), dtype=object)


def check_features(
    rows: Rows, names: Names | None, *, expected: int, expected_names: Names | None, estimator: str
) -> None:
    """Refuse features that are not those that an estimator was fitted with.

    Args:
        rows: (n, P).
        names: (P,), if they have some.
        expected: P of the training.
        expected_names: names of the training.
        estimator: its name.

    Raises:
        ArgumentError: there are more or fewer, or others by name.
    """
    if names is not None and expected_names is not None and list(names) != list(expected_names):
        raise ArgumentError(
            "The feature names should match those that were passed during fit: expected "
            f"{_listed(expected_names)}, got {_listed(names)}"
        )
    if rows.shape[1] != expected:
        raise ArgumentError(
            f"X has {rows.shape[1]} features, but {estimator} is expecting {expected} features "
            "as input"
        )
    if (names is None) != (expected_names is None):
        given, fitted = ("no", "with") if names is None else ("valid", "without")
        has = "does not have valid feature names" if given == "no" else "has feature names"
        warnings.warn(f"X {has}, but {estimator} was fitted {fitted} feature names", stacklevel=4)


def check_labels(
    y: object, examples: int, estimator: str
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The classes (C,), sorted, and the index (n,) of each example's class among them.

    Raises:
        ArgumentError: there is not one class label for each example, or there is one class only.
    """
    labels = check_targets(y, examples, estimator)
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise ArgumentError("expected class labels as y, got NaN or inf among them")
        if (labels != np.floor(labels)).any():
            raise ArgumentError(
                "Unknown label type: continuous. Expected class labels as y, got fractions"
            )
    if labels.dtype.kind not in "biufOSU":
        raise ArgumentError(f"Unknown label type: {labels.dtype}. Expected class labels as y")
    try:
        classes, indices = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ArgumentError(
            f"Unknown label type: expected words or numbers as y, got a mixture ({error})"
        ) from error
    if len(classes) < 2:
        raise ArgumentError(
            f"expected labels of at least two classes, got one class: {classes[0]!r}"
        )
    return classes, indices.reshape(-1).astype(np.int64)


def check_targets(y: object, examples: int, estimator: str) -> NDArray[Any]:
    """Labels (n,) as an array, whatever they are.

    Raises:
        ArgumentError: there is not one for each example.
    """
    if y is None:
        raise ArgumentError(f"{estimator} requires y to be passed, but the target y is None")
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. "
            "Please change the shape of y to (n_samples,), for example using ravel().",
            warning_class("DataConversionWarning"),
            stacklevel=4,
        )
        labels = labels.reshape(-1)
    if labels.shape != (examples,):
        raise ArgumentError(
            f"y should be a 1d array of one label for each of {examples} examples, "
            f"got shape {labels.shape}"
        )
    return labels


def check_weights(sample_weight: object, examples: int) -> NDArray[np.float64] | None:
    """Weights (n,) of the examples; None stays None.

    Raises:
        ArgumentError: there is not one for each, one is negative or not finite, or all are zero.
    """
    if sample_weight is None:
        return None
    try:
        weights = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"expected numbers as sample_weight: {error}") from error
    if weights.shape != (examples,):
        raise ArgumentError(
            f"expected sample_weight of shape ({examples},), one for each example, "
            f"got {weights.shape}"
        )
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ArgumentError("expected a finite sample_weight of at least 0 for each example")
    if not weights.any():
        raise ArgumentError("expected a sample_weight above zero for some example, got only zeros")
    return weights


def check_positive(name: str, value: Any, *, or_zero: bool = False) -> float:
    """A finite number above 0, or of at least 0.

    Raises:
        ArgumentError: it is not.
    """
    if is_number(value) and math.isfinite(value) and (value > 0 or (or_zero and value == 0)):
        return float(value)
    limit = "of at least 0" if or_zero else "above 0"
    raise ArgumentError(f"expected {name} to be a number {limit}, got {value!r}")


def check_count(name: str, value: Any) -> int:
    """A whole number of at least 1.

    Raises:
        ArgumentError: it is not.
    """
    if is_number(value) and isinstance(value, Integral) and int(value) >= 1:
        return int(value)
    raise ArgumentError(f"expected {name} to be an integer of at least 1, got {value!r}")


def is_number(value: Any) -> bool:
    """Whether a parameter is a number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def warning_class(name: str) -> type[Warning]:
    """The warning of scikit-learn of a name if it is loaded, or else `UserWarning`, its base."""
    if "sklearn" not in sys.modules:
        return UserWarning
    from softmax_cli.api import scikit_learn

    kind: type[Warning] = getattr(scikit_learn, name)
    return kind


def _listed(names: Sequence[str] | Names) -> str:
    shown = ", ".join(map(str, names[:5]))
    return f"{shown}, ..." if len(names) > 5 else shown
