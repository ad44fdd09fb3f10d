"""Rows of features divided by their Euclidean norm: what is left of each is its direction.

The norm is that of all features before they are folded; mirroring an image does not change it. A
row of zeros stays as it is.
"""

from typing import Literal

import numpy as np

from softmax_cli.arrays import Rows

Normalization = Literal["none", "l2"]

_CHUNK_ROWS = 256  # rows at a time, so that they stay in the cache


def normalized(rows: Rows, normalization: Normalization) -> Rows:
    """Rows (n, P), as they are or, with ``l2``, as float32 of norm 1."""
    if normalization == "none":
        return rows
    result = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _CHUNK_ROWS):
        out = result[start : start + _CHUNK_ROWS]
        # Squares of large float32 numbers need the range of float64.
        chunk = rows[start : start + _CHUNK_ROWS].astype(np.float64)
        norm = np.sqrt(np.einsum("np,np->n", chunk, chunk))
        norm[norm == 0] = 1
        np.divide(chunk, norm[:, None], out=out, casting="same_kind")
    return result
