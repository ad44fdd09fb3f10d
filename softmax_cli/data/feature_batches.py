"""Rows of features that a model is to classify, from files, some at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from softmax_cli.arrays import Rows
from softmax_cli.data.feature_files import (
    FEATURE_NAMES,
    check_features,
    check_finite,
    in_row_order,
    open_array_file,
    row_chunks,
)
from softmax_cli.data.photos import STDIN, PhotoBatch
from softmax_cli.errors import DataError

_EXPECTED: Final = "this model classifies rows of {} features in .npy, .npz or .safetensors files"


def read_feature_batches(sources: Sequence[str], columns: int) -> Iterator[PhotoBatch]:
    """Read features (n, D) from array files; what cannot be read is named and passed over.

    Args:
        sources: ``.npy`` files, or ``.npz`` or safetensors files with an array named features, X or
            x. Labels beside it are not looked at.
        columns: D.

    Yields:
        Rows in place of images.
    """
    for source in sources:
        start = 0
        try:
            for rows in _read(source, columns):
                names = tuple(f"{source}[{start + i}]" for i in range(len(rows)))
                nothing = (None,) * len(rows)
                start += len(rows)
                yield PhotoBatch(names, nothing, nothing, rows)
        except DataError as error:
            message = error.message.removeprefix(f"{source}: ")
            yield PhotoBatch((source,), (message,), (None,), np.empty((0, columns), np.float32))


def _read(source: str, columns: int) -> Iterator[Rows]:
    expected = _EXPECTED.format(columns)
    if source == STDIN:
        raise DataError(f"{expected}, and not from standard input")
    path = Path(source)
    try:
        features = open_array_file(path).find(*FEATURE_NAMES)
        check_features(features, path)
    except DataError as error:
        raise DataError(f"{error.message}; {expected}") from error
    if features.shape[1] != columns:
        raise DataError(f"{expected}, got {features.shape[1]} in each row")
    for start, chunk in row_chunks(in_row_order(features)):
        check_finite(chunk, start, path)
        yield chunk
