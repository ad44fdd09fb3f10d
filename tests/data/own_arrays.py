"""Small arrays of features with labels, for tests of what users bring."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = ("ant", "bee", "cow")
COLUMNS = 5


def examples(count: int = 90, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features (n, 5) of three classes that lie apart, and labels 0 to 2, each equally often."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(CLASSES))
    centres = 4 * np.eye(len(CLASSES), COLUMNS)
    return (centres[labels] + rng.normal(size=(count, COLUMNS))).astype(np.float32), labels


def write_npz(path: Path, count: int = 90, seed: int = 0, **arrays: Any) -> Path:
    """Write examples as ``.npz``, some arrays replaced, added, or with None left out."""
    features, labels = examples(count, seed)
    held = {"features": features, "labels": labels, **arrays}
    np.savez(path, **{name: array for name, array in held.items() if array is not None})
    return path
