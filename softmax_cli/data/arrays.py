"""Your own features: arrays (n, D) with labels (n,), which the settings name by their files.

Labels are text or whole numbers. The classes are those of the training labels, sorted, unless their
names are given, in the settings or in the file. A whole number means the class that is named so; if
the names of the classes are no numbers it is a position among them, from 0 on.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Rows
from softmax_cli.data.dataset import DataSource, Part
from softmax_cli.data.images import ImageSet
from softmax_cli.errors import ConfigurationError, DataError

MAX_CLASSES: Final = 10_000
LONGEST_NAME: Final = 200
_NAMED: Final = 5  # classes that a message lists


def load_arrays(source: DataSource, part: Part) -> ImageSet:
    """Load the arrays of one part, and check every value.

    Raises:
        ConfigurationError: the settings name no file of this part.
        DataError: a file is missing or damaged, or does not hold features with labels.
    """
    from softmax_cli.data.feature_files import check_features, in_row_order

    path, features, labels, stated = _read(source, part)
    check_features(features, path)
    features = in_row_order(features)
    if labels.shape != features.shape[:1]:
        raise DataError(
            f"{path}: expected one label for each of {len(features)} rows, "
            f"got labels of shape {labels.shape}"
        )
    names = _class_names(source, part, labels, stated, path)
    digest = _checked_digest(features, path)
    indices = _indices(labels, names, path)
    digest.update(indices.astype("<i8").tobytes())
    digest.update("\n".join(names).encode())
    return ImageSet(features, indices, names, digest.hexdigest(), is_pictures=False)


def check_training_arrays(train: ImageSet, validation: ImageSet, held_out: int) -> None:
    """See that there is something to learn of each class, and that parts have the same columns.

    Args:
        train: all that may be trained on.
        validation: the validation examples.
        held_out: how many of these are the last rows of the training file.

    Raises:
        DataError: they do not fit together.
    """
    _check_columns("validation", validation.images.shape[1], train.images.shape[1])
    counts = np.bincount(train.labels, minlength=len(train.class_names))
    missing = [train.class_names[index] for index in np.flatnonzero(counts == 0)]
    if missing:
        where = f"before the last {held_out}, which are for validation" if held_out else "there"
        raise DataError(
            f"expected training examples of every class, got none {where}, of {_listed(missing)}",
            hint="If the rows are sorted by class, shuffle them (features and labels alike), or "
            "name a file of its own as data.validation."
            if held_out
            else "Leave these classes out of the class names, or add examples.",
        )


def check_test_columns(source: DataSource, columns: int) -> None:
    """See that the test arrays have as many columns as the training arrays, from their header.

    What is not there or not readable is no fault yet: a training does not need it.

    Raises:
        DataError: they have more or fewer.
    """
    if "test" not in source.files:
        return
    from softmax_cli.data.feature_files import FEATURE_NAMES, open_array_file

    try:
        shape = open_array_file(source.files["test"][0]).shape_of(*FEATURE_NAMES)
    except DataError:
        return
    if len(shape) == 2:
        _check_columns("test", shape[1], columns)


def _check_columns(part: Part, columns: int, expected: int) -> None:
    if columns != expected:
        raise DataError(
            f"data.{part}: expected {expected} features as in data.train, got {columns}"
        )


def _read(
    source: DataSource, part: Part
) -> tuple[Path, NDArray[Any], NDArray[Any], tuple[str, ...] | None]:
    """The file of the features, these, the labels, and the class names that the file states."""
    from softmax_cli.data.feature_files import ACCEPTED, FEATURE_NAMES, LABEL_NAMES, open_array_file

    if part not in source.files:
        raise ConfigurationError(
            f"expected data.{part} in the settings, to say where these arrays are, got none",
            hint=f"It names {ACCEPTED}, or two .npy files: {{features: PATH, labels: PATH}}. "
            "A model that was trained without data.test can be evaluated with --split validation.",
        )
    try:
        files = [open_array_file(path) for path in source.files[part]]
    except DataError as error:
        raise DataError(f"data.{part}: {error.message}", hint=error.hint) from error
    if len(files) == 1 and "" in files[0].arrays:
        raise DataError(
            f"{files[0].path}: expected labels, too, got a .npy file, which holds one array",
            hint=f"Name both files: data.{part}.features and data.{part}.labels.",
        )
    features = files[0].find(*FEATURE_NAMES)
    labels = np.array(files[-1].find(*LABEL_NAMES))
    stated = next((file.class_names for file in files if file.class_names), None)
    return files[0].path, features, labels, stated


def _class_names(
    source: DataSource,
    part: Part,
    labels: NDArray[Any],
    stated: tuple[str, ...] | None,
    path: Path,
) -> tuple[str, ...]:
    """Those of the settings, of the file, or of the training labels."""
    given = source.class_names
    if given is not None and stated is not None and tuple(given) != stated:
        raise DataError(
            f"{path}: expected the classes {_listed(given)}, got {_listed(stated)} in the file"
        )
    names = stated if given is None else tuple(given)
    if names is None and part != "train":
        path, _, labels, names = _read(source, "train")
    if names is None:
        names = tuple(map(str, np.unique(_checked_labels(labels, path)).tolist()))
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(f"{path}: expected 2 to {MAX_CLASSES:,} classes, got {len(names):,}")
    for name in names:
        if not (name.isprintable() and 0 < len(name) <= LONGEST_NAME):
            raise DataError(
                f"{path}: expected class names of one printable line, got {name[:LONGEST_NAME]!r}"
            )
    if len(set(names)) < len(names):
        raise DataError(f"{path}: expected class names that differ from each other")
    return names


def _checked_labels(labels: NDArray[Any], path: Path) -> NDArray[Any]:
    """Labels as whole numbers or text."""
    from softmax_cli.data.feature_files import text_of

    if labels.dtype.kind in "US":
        try:
            return text_of(labels)
        except ValueError as error:
            raise DataError(f"{path}: expected labels in UTF-8: {error}") from error
    if labels.dtype.kind not in "iu":
        raise DataError(
            f"{path}: expected labels that are whole numbers or text, got {labels.dtype}",
            hint="Convert them before you save them: labels.astype(np.int64).",
        )
    return labels


def _indices(labels: NDArray[Any], names: tuple[str, ...], path: Path) -> NDArray[np.int64]:
    """The class (n,) of each label, as an index into the names."""
    values, inverse = np.unique(_checked_labels(labels, path), return_inverse=True)
    places = {name: index for index, name in enumerate(names)}
    if labels.dtype.kind in "iu" and not all(map(_is_number, names)):
        expected = f"labels from 0 to {len(names) - 1}, one for each class name"
        found = [value if 0 <= value < len(names) else -1 for value in values.tolist()]
    else:
        expected = f"the labels {_listed(names)}"
        found = [places.get(str(value), -1) for value in values.tolist()]
    indices = np.array(found, np.int64)[inverse.reshape(-1)]
    if (indices < 0).any():
        row = int(np.argmax(indices < 0))
        raise DataError(f"{path}: expected {expected}, got {labels[row]} in row {row}")
    return indices


def _is_number(name: str) -> bool:
    return name.removeprefix("-").isdecimal()


def _listed(names: Sequence[str]) -> str:
    more = [] if len(names) <= _NAMED else [f"... ({len(names)} in all)"]
    return ", ".join([*names[:_NAMED], *more])


def _checked_digest(features: Rows, path: Path) -> "hashlib._Hash":
    """SHA-256 over the type, shape and bytes of features, each of which is checked."""
    from softmax_cli.data.feature_files import check_finite, row_chunks

    digest = hashlib.sha256(f"{features.dtype.str} {features.shape}".encode())
    for start, chunk in row_chunks(features):
        check_finite(chunk, start, path)
        digest.update(chunk.data)
    return digest
