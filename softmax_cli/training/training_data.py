"""What a stack trains on: features of the training and validation images, and how they are scaled.

Everything that trains or times a training gets its data from :func:`prepare_training_data`, so the
feature map and the standardisation are fitted in one place.
"""

from dataclasses import dataclass

from softmax_cli.arrays import Rows
from softmax_cli.config.problems import shown
from softmax_cli.config.schema import TrainConfig
from softmax_cli.data.arrays import check_test_columns
from softmax_cli.data.datasets import load_training_parts
from softmax_cli.data.images import ImageSet
from softmax_cli.errors import ConfigurationError
from softmax_cli.features.cache import ExtractionObserver, FeatureCache
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.feature_maps import unfitted_map
from softmax_cli.features.given import Given
from softmax_cli.features.normalization import normalized
from softmax_cli.features.standardization import Standardization
from softmax_cli.training.random_streams import RandomStreams

USED_SECTIONS = ("data", "features", "preprocessing", "augmentation")
"""Sections of a configuration that training data depends on.

The augmentation is among them: where images are folded, the standardisation is flip-symmetric.
"""


@dataclass(frozen=True)
class TrainingData:
    """Images with their labels, their features, and what was fitted to them.

    Attributes:
        train: the training images.
        validation: the validation images.
        feature_map: fitted to the training images.
        train_features: (n, P) of the training images, normalised if the settings say so.
        validation_features: (m, P) of the validation images, likewise.
        standardization: over P features, fitted to ``train_features``.
    """

    train: ImageSet
    validation: ImageSet
    feature_map: FeatureMap
    train_features: Rows
    validation_features: Rows
    standardization: Standardization


def load_training_data(
    config: TrainConfig, observer: ExtractionObserver | None = None
) -> TrainingData:
    """Load and split the training images that a configuration names, and fit what comes after.

    Args:
        config: names the data.
        observer: is told of features that take long to compute.

    Raises:
        DataError: if the data set is missing or not intact, or test arrays are there that have
            other columns.
        ConfigurationError: if it is too small for the split, or its images are to be flipped and
            their features cannot be.
    """
    train, validation = load_training_parts(config.data)
    check_test_columns(config.data, train.images.shape[1])
    cache = FeatureCache(config.data.directory, observer)
    return prepare_training_data(config, train, validation, cache)


def unfitted_feature_map(config: TrainConfig) -> FeatureMap:
    """The feature map of a configuration, of which its size is known before it is fitted.

    Raises:
        DataError: files of arrays, which alone say how many numbers they have, are not intact.
    """
    if config.data.files:
        train, _ = load_training_parts(config.data)
        return Given(train.images.shape[1])
    return unfitted_map(config.features.model_dump())


def prepare_training_data(
    config: TrainConfig, train: ImageSet, validation: ImageSet, cache: FeatureCache | None = None
) -> TrainingData:
    """Fit feature map and standardisation to training images, as a configuration wants them.

    Args:
        config: how.
        train: the training images.
        validation: the validation images.
        cache: where features are kept; None keeps none.

    Raises:
        ConfigurationError: images are to be flipped, and their features cannot be.
    """
    cache = cache or FeatureCache(None)
    settings = config.features.model_dump()
    feature_map: FeatureMap
    if train.is_pictures:
        feature_map = cache.fit(settings, train, RandomStreams.of(config).features)
    else:
        feature_map = Given(train.images.shape[1])
    flip = config.augmentation.horizontal_flip
    if flip and feature_map.mirror is None:
        raise ConfigurationError(
            f"augmentation.horizontal_flip: expected false with {config.features.kind} features, "
            f"which cannot be mirrored, got {shown(flip)}"
        )
    normalization = config.preprocessing.normalize
    train_features = normalized(cache.rows(feature_map, settings, train), normalization)
    return TrainingData(
        train=train,
        validation=validation,
        feature_map=feature_map,
        train_features=train_features,
        validation_features=normalized(
            cache.rows(feature_map, settings, validation), normalization
        ),
        standardization=Standardization.fit(
            train_features,
            center=config.preprocessing.center,
            scale=config.preprocessing.scale,
            mirror=feature_map.mirror if flip == "exact" else None,
        ),
    )
