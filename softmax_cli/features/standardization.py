"""Standardisation: features ``x' = (x - m) / s``, with a mean m and a scale s for each of them.

The formula is written here and nowhere else, in the three forms that its users need:

- :meth:`Standardization.apply` computes x' from x;
- :meth:`Standardization.absorbed` moves m and s into the weights of a finished model, so that it
  scores x itself: ``x' W + b = x (W/s) + (b - m (W/s))``;
- :meth:`Standardization.split` gives the parts that a training step uses: it multiplies by 1/s and
  takes ``-m/s`` along as one more example, because subtracting m from a minibatch costs a pass
  over it.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Indices, Rows
from softmax_cli.features.chunks import chunks_of, float_rows

Scale = Literal["none", "unit", "feature", "pixel"]
Float = TypeVar("Float", bound=np.floating[Any])

_EXACT_ROWS = 256
"""Rows whose squared bytes float32 sums without rounding, in any order: 256 * 255**2 < 2**24."""
_ROUNDING = 1e-12
"""A variance below this share of the mean square is what rounding leaves of a constant feature.

The variance of bytes is exact; up to ten million rows it is 0 or a greater share.
"""


@dataclass(frozen=True)
class Standardization:
    """A mean and a scale for each of P features.

    Attributes:
        mean: (P,) float32, zeros where nothing is subtracted.
        scale: (P,) float32, positive, ones where nothing is divided.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        rows: Rows,
        *,
        center: bool,
        scale: Scale,
        mirror: Indices | None = None,
        example_weights: Floats | None = None,
    ) -> Self:
        """Standardisation learned from the features (n, P) of training images.

        Args:
            rows: (n, P), n > 0.
            center: subtract the mean of each feature over the images.
            scale: ``none``; ``unit`` divides by 255; ``feature``, or ``pixel`` as it was called,
                divides by the standard deviation of each feature over the images (a feature that
                never varies is left as it is).
            mirror: (P,) int64; learn from the images and their mirror images alike.
            example_weights: (n,), at least 0 and with a positive sum; None for ones.
        """
        features = rows.shape[1]
        mean, deviation = np.zeros(features), np.ones(features)
        if scale in {"feature", "pixel"}:
            mean = _mean(rows, mirror, example_weights)
            mean_square = _mean(rows, mirror, example_weights, squared=True)
            variance = mean_square - mean**2
            varies = variance > _ROUNDING * mean_square
            deviation[varies] = np.sqrt(variance[varies])
        elif center:
            mean = _mean(rows, mirror, example_weights)
        if scale == "unit":
            deviation = np.full(features, 255.0)
        return cls(
            mean=(mean if center else np.zeros(features)).astype(np.float32),
            scale=deviation.astype(np.float32),
        )

    def apply(self, rows: Rows, out: Floats) -> None:
        """Write ``(x - m)/s`` of features (n, P) into ``out`` (n, P), float32 or float64.

        The conversion comes first: a numpy operation that mixes uint8 and float32 casts through a
        small buffer and takes several times as long.
        """
        np.copyto(out, rows)
        np.subtract(out, self.mean, out=out)
        np.multiply(out, np.float32(1) / self.scale, out=out)

    def absorbed(
        self, weights: NDArray[Float], bias: NDArray[Float]
    ) -> tuple[NDArray[Float], NDArray[Float]]:
        """Weights (P, C) and bias (C,) that score x as the given ones score x'."""
        scaled = weights / self.scale[:, None].astype(np.float64)
        shifted = bias - self.mean @ scaled
        return scaled.astype(weights.dtype), shifted.astype(bias.dtype)

    def unscaled(self, weights: Floats) -> Floats:
        """The weights (P, C) that x meets, without the bias that centring makes: ``W/s``."""
        return weights / self.scale[:, None]

    def split(self, features: slice) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """For some features ``-m/s``, and ``1/s``, or None where no scale differs from 1."""
        mean, scale = self.mean[features], self.scale[features]
        reciprocal = np.reciprocal(scale) if (scale != 1).any() else None
        return -mean / scale, reciprocal


def _mean(
    rows: Rows, mirror: Indices | None, weights: Floats | None, *, squared: bool = False
) -> NDArray[np.float64]:
    """Mean (P,) of each feature, or of its square; exact for bytes without weights (n,)."""
    from softmax_cli.threads import in_threads  # whoever predicts needs it not

    # Bytes become float32, others float64. The square of a float32 needs the digits of a float64,
    # and so does the difference between the mean square and the square of the mean.
    dtype = np.float32 if rows.dtype == np.uint8 else np.float64
    floats = float_rows(rows, dtype, _EXACT_ROWS)

    def sum_of(chunk: slice) -> Floats:
        block = floats(chunk)
        if squared:
            np.square(block, out=block)
        return block.sum(axis=0) if weights is None else weights[chunk] @ block

    total = np.zeros(rows.shape[1])
    for part in in_threads(sum_of, chunks_of(len(rows), _EXACT_ROWS)):
        total += part
    mean = total / (len(rows) if weights is None else weights.sum())
    return mean if mirror is None else 0.5 * (mean + mean[mirror])
