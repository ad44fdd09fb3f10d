"""What features will cost that are not kept yet: for ``--dry-run``."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.config.schema import TrainConfig
from softmax_cli.data.datasets import load_training_parts
from softmax_cli.data.images import ImageSet
from softmax_cli.features.cache import FeatureCache
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.feature_maps import unfitted_map
from softmax_cli.training.random_streams import RandomStreams

_FITTED_TO = 500  # images that a map is fitted to for the estimate
_TIMED = 300
_REPEATS = 2


@dataclass(frozen=True)
class FeatureCost:
    """What the features of one configuration take.

    Attributes:
        kind: of features.
        images: training and validation images.
        features: P, of each image.
        size: bytes on disk.
        seconds: to compute them, at the speed of this machine now; 0 if they are kept already.
        is_kept: whether they are.
    """

    kind: str
    images: int
    features: int
    size: int
    seconds: float
    is_kept: bool


def feature_costs(configs: Sequence[TrainConfig]) -> list[FeatureCost]:
    """The cost of the features that configurations need, each counted once; none for pixels.

    Raises:
        DataError: a data set is missing or not intact.
        ConfigurationError: it is too small for the split.
    """
    distinct = {
        json.dumps([c.data.model_dump(), c.features.model_dump(), c.seed], default=str): c
        for c in configs
        if unfitted_map(c.features.model_dump()).is_costly
    }
    return [_cost(config) for config in distinct.values()]


def _cost(config: TrainConfig) -> FeatureCost:
    settings, stream = config.features.model_dump(), RandomStreams.of(config).features
    train, validation = load_training_parts(config.data)
    images = len(train) + len(validation)
    cache = FeatureCache(config.data.directory)
    kept = cache.kept_map(settings, train, stream)
    is_kept = kept is not None and all(
        cache.has_rows(kept, settings, part) for part in (train, validation)
    )
    sample = train.take_first(min(_FITTED_TO, len(train)))
    fitted = kept or unfitted_map(settings).fit(sample.images, stream)
    itemsize = fitted.transform(sample.images[:1]).itemsize
    return FeatureCost(
        kind=config.features.kind,
        images=images,
        features=fitted.size,
        size=images * fitted.size * itemsize,
        seconds=0.0 if is_kept else images * _seconds(fitted, sample),
        is_kept=is_kept,
    )


def _seconds(fitted: FeatureMap, images: ImageSet) -> float:
    """Seconds that the features of one image take."""
    sample = images.images[:_TIMED]
    marks = [time.perf_counter()]
    for _ in range(_REPEATS):
        fitted.transform(sample)
        marks.append(time.perf_counter())
    return float(np.diff(marks).min()) / len(sample)
