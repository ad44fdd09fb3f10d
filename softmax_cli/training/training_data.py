"""What a stack trains on: features of the training and validation images, and how they are scaled.

Everything that trains or times a training gets its data from :func:`prepare_training_data`, so the
feature map and the standardisation are fitted in one place.
"""

from dataclasses import dataclass

from softmax_cli.arrays import Rows
from softmax_cli.config.problems import shown
from softmax_cli.config.schema import TrainConfig, feature_options
from softmax_cli.data.datasets import load_training_parts
from softmax_cli.data.images import ImageSet
from softmax_cli.errors import ConfigurationError
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.feature_maps import FEATURE_MAPS
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


def load_training_data(config: TrainConfig) -> TrainingData:
    """Load and split the training images that a configuration names, and fit what comes after.

    Raises:
        DataError: if the data set is missing or not intact.
        ConfigurationError: if it is too small for the split, or its images are to be flipped and
            their features cannot be.
    """
    train, validation = load_training_parts(config.data)
    return prepare_training_data(config, train, validation)


def prepare_training_data(
    config: TrainConfig, train: ImageSet, validation: ImageSet
) -> TrainingData:
    """Fit feature map and standardisation to training images, as a configuration wants them.

    Raises:
        ConfigurationError: images are to be flipped, and their features cannot be.
    """
    unfitted: FeatureMap = (
        FEATURE_MAPS[config.features.kind](**feature_options(config.features))
        if train.is_pictures
        else Given()
    )
    feature_map = unfitted.fit(train.images, RandomStreams.of(config).features)
    flip = config.augmentation.horizontal_flip
    if flip and feature_map.mirror is None:
        raise ConfigurationError(
            f"augmentation.horizontal_flip: expected false with {config.features.kind} features, "
            f"which cannot be mirrored, got {shown(flip)}"
        )
    normalization = config.preprocessing.normalize
    train_features = normalized(feature_map.transform(train.images), normalization)
    return TrainingData(
        train=train,
        validation=validation,
        feature_map=feature_map,
        train_features=train_features,
        validation_features=normalized(feature_map.transform(validation.images), normalization),
        standardization=Standardization.fit(
            train_features,
            center=config.preprocessing.center,
            scale=config.preprocessing.scale,
            mirror=feature_map.mirror if flip == "exact" else None,
        ),
    )
