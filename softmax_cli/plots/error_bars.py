"""Error bars: the 95 % intervals of what a picture shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.evaluation.intervals import Interval, share_interval
from softmax_cli.plots.style import GREY

ERROR_BARS: dict[str, Any] = {
    "fmt": "none",
    "ecolor": GREY,
    "elinewidth": 1.2,
    "capsize": 2.5,
    "zorder": 2.5,
}
"""Keywords of `Axes.errorbar` for bars alone; what they belong to is drawn apart."""


def errors(values: ArrayLike, intervals: Sequence[Interval]) -> NDArray[np.float64]:
    """How far intervals reach below and above values (n,), (2, n), as matplotlib wants it.

    An end that is not known (NaN) gives no bar.
    """
    ends = np.asarray(intervals, np.float64).reshape(-1, 2)
    centre = np.asarray(values, np.float64)
    reach: NDArray[np.float64] = np.stack([centre - ends[:, 0], ends[:, 1] - centre])
    return np.maximum(reach, 0)


def share_errors(shares: ArrayLike, counts: ArrayLike) -> NDArray[np.float64]:
    """The same (2, n) of shares (n,), such as accuracies, of so many images (n,) each."""
    pairs = zip(np.asarray(shares).tolist(), np.asarray(counts).tolist(), strict=True)
    return errors(shares, [share_interval(share, count) for share, count in pairs])
