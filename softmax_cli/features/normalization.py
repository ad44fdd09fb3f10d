"""Rows of features divided by their Euclidean norm: what is left of each is its direction.

The norm is that of all features before they are folded; mirroring an image does not change it. A
row of zeros stays as it is.
"""

from typing import Literal

import numpy as np

from softmax_cli.arrays import Rows
from softmax_cli.features.chunks import chunks_of, float_rows

Normalization = Literal["none", "l2"]

_CHUNK_ROWS = 256  # rows at a time, so that they stay in the cache


def normalized(rows: Rows, normalization: Normalization) -> Rows:
    """Rows (n, P), as they are or, with ``l2``, as float32 of norm 1."""
    if normalization == "none":
        return rows
    from softmax_cli.threads import in_threads  # whoever predicts from pixels needs it not

    result = np.empty(rows.shape, np.float32)
    # Squares of large float32 numbers need the range of float64.
    floats = float_rows(rows, np.float64, _CHUNK_ROWS)

    def divide(some: slice) -> None:
        chunk = floats(some)
        norm = np.sqrt(np.einsum("np,np->n", chunk, chunk))
        norm[norm == 0] = 1
        np.divide(chunk, norm[:, None], out=result[some], casting="same_kind")

    in_threads(divide, chunks_of(len(rows), _CHUNK_ROWS))
    return result
