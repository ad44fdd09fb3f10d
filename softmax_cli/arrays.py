"""Names for the kinds of arrays that signatures speak of; their shapes stand in the docstrings."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Labels: TypeAlias = NDArray[np.integer[Any]]
"""True classes (N,), each an index below C."""

Images: TypeAlias = NDArray[np.uint8]
"""Images (n, 3072), a row each: (3, 32, 32), channel-major."""

Rows: TypeAlias = NDArray[Any]
"""Features (n, P) before standardisation: integers or floats."""

Indices: TypeAlias = NDArray[np.int64]
PerModel: TypeAlias = NDArray[np.float64]
"""A number for each model of a stack, (K,)."""

Members: TypeAlias = NDArray[np.bool_]
"""Which models of a stack are meant, (K,)."""

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""Arrays by name, such as the state of a training."""
