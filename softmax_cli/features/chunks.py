"""Rows of many images, some at a time on all cores, so that they stay in the cache."""

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from softmax_cli.arrays import Floats, Images, Rows


def chunks_of(count: int, size: int) -> list[slice]:
    """Slices of ``size`` rows that cover ``count`` rows; the last one may have fewer."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def float_rows(rows: Rows, dtype: DTypeLike, chunk: int) -> Callable[[slice], Floats]:
    """A function that gives some rows as floats, in memory that each thread uses again.

    Fresh memory for each chunk would take longer than the conversion: the system clears it first.

    Args:
        rows: (n, P).
        dtype: of the floats.
        chunk: the most rows that are asked for at a time.

    Returns:
        From a slice of m rows to (m, P), which holds until the same thread asks again.
    """
    from softmax_cli.threads import PerThread  # whoever predicts from pixels needs it not

    shape = min(chunk, len(rows)), rows.shape[1]
    buffer: PerThread[Floats] = PerThread(lambda: np.empty(shape, dtype))

    def convert(some: slice) -> Floats:
        found = rows[some]
        floats = buffer.value[: len(found)]
        np.copyto(floats, found)
        return floats

    return convert


def transform_in_chunks(
    images: Images,
    transform: Callable[[Images, NDArray[np.float32]], None],
    *,
    size: int,
    chunk: int,
) -> NDArray[np.float32]:
    """Features (n, P) of images (n, 3072).

    Args:
        images: n of them.
        transform: writes the features of some images into the rows (m, P) that are given for them.
            A row must not depend on the other images, so that it does not matter how they are cut.
        size: P.
        chunk: how many images at a time; m is no greater.
    """
    from softmax_cli.threads import in_threads

    features = np.empty((len(images), size), np.float32)

    def compute(rows: slice) -> None:
        transform(images[rows], features[rows])

    in_threads(compute, chunks_of(len(images), chunk))
    return features
