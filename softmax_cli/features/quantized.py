"""Features as bytes: a quarter of the memory, and quick to convert for the products.

A feature x with mean m and deviation s over training images is kept as the byte

    q = round(16 (x - m) / s) + 128, cut to 0 ... 255,

in steps of 1/16 deviation, within 8 of the mean. Everything behind it takes the bytes for the
features: they are standardised, folded and scored as pixels are, so that a model sees the same
numbers in training and ever after.
"""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays, Floats, Images, Indices, Rows
from softmax_cli.features.feature_map import FeatureMap, expect_arrays
from softmax_cli.features.standardization import Standardization

_VERSION = 1  # grows when the same features become other bytes
_STEPS = 16
_MIDDLE = 128
_SAMPLE = 2000
"""Training images that mean and deviation are taken from: the steps need not be exact."""
_CHUNK = 500  # images whose features are floats at a time
_MEAN, _STEP = "quantization.mean", "quantization.step"


class Quantized:
    """A feature map whose features are stored as bytes.

    Args:
        feature_map: the map; it gives float32.
        mean: (P,) float32, and
        step: (P,) float32, positive; both known once the map is fitted.
    """

    is_costly: ClassVar[bool] = True

    def __init__(
        self,
        feature_map: FeatureMap,
        mean: NDArray[np.float32] | None = None,
        step: NDArray[np.float32] | None = None,
    ) -> None:
        self._map = feature_map
        self._mean = np.zeros(0, np.float32) if mean is None else mean
        self._step = np.ones(0, np.float32) if step is None else step

    @property
    def kind(self) -> str:
        """That of the map."""
        return self._map.kind

    @property
    def version(self) -> int:
        """That of the map, which grows with changes of the quantization, too."""
        return self._map.version + _VERSION - 1

    @property
    def unquantized(self) -> FeatureMap:
        """The map itself."""
        return self._map

    @property
    def size(self) -> int:
        """P."""
        return self._map.size

    @property
    def mirror(self) -> Indices | None:
        """That of the map: a feature and its mirror image have the same steps."""
        return self._map.mirror

    def fit(self, images: Images, seed: "np.random.SeedSequence") -> Self:
        """Fit the map, then the steps, to training images (n, 3072)."""
        fitted = self._map.fit(images, seed)
        places = np.linspace(0, len(images) - 1, min(_SAMPLE, len(images))).round().astype(np.int64)
        rows = np.empty((len(places), fitted.size), np.float32)
        for start in range(0, len(places), _CHUNK):
            rows[start : start + _CHUNK] = fitted.transform(images[places[start : start + _CHUNK]])
        found = Standardization.fit(rows, center=True, scale="pixel", mirror=fitted.mirror)
        return type(self)(fitted, found.mean, found.scale / np.float32(_STEPS))

    def transform(self, images: Images) -> NDArray[np.uint8]:
        """Bytes (n, P) of images (n, 3072)."""
        quantized = np.empty((len(images), self.size), np.uint8)
        for start in range(0, len(images), _CHUNK):
            rows = self._map.transform(images[start : start + _CHUNK])  # (chunk, P) float32
            quantized[start : start + _CHUNK] = self._quantize(rows)
        return quantized

    def _quantize(self, rows: Rows) -> Floats:
        steps = np.subtract(rows, self._mean, dtype=np.float32)
        np.divide(steps, self._step, out=steps)
        np.rint(steps, out=steps)
        np.add(steps, _MIDDLE, out=steps)
        return np.clip(steps, 0, 255, out=steps)

    def arrays(self) -> Arrays:
        """Those of the map, and the steps."""
        return self._map.arrays() | {_MEAN: self._mean, _STEP: self._step}

    @classmethod
    def from_arrays(cls, arrays: Arrays, **settings: Any) -> Self:
        """The fitted map that gave these arrays; ``feature_map`` among the settings is its type.

        Raises:
            ValueError: they are not those of such a map.
        """
        feature_map: type[FeatureMap] = settings.pop("feature_map")
        steps = {name: arrays[name] for name in (_MEAN, _STEP) if name in arrays}
        others = {name: array for name, array in arrays.items() if name not in steps}
        fitted = feature_map.from_arrays(others, **settings)
        expect_arrays(steps, {_MEAN: (fitted.size,), _STEP: (fitted.size,)})
        if not (steps[_STEP] > 0).all():
            raise ValueError("expected steps greater than zero")
        return cls(fitted, steps[_MEAN], steps[_STEP])

    def to_pixels(self, weights: Floats) -> Floats | None:  # noqa: ARG002 - others are linear
        """None: rounding is not linear."""
        return None
