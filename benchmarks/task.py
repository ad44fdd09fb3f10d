"""What every contender of a comparison is given, and how what it learned is judged."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Rows
from softmax_cli.config.schema import TrainConfig
from softmax_cli.data import datasets
from softmax_cli.data.datasets import DEFAULT_DATASET, find_dataset
from softmax_cli.data.images import ImageSet
from softmax_cli.evaluation.metrics import accuracy
from softmax_cli.evaluation.scoring import score_features
from softmax_cli.features.cache import FeatureCache
from softmax_cli.features.normalization import normalized
from softmax_cli.features.standardization import Standardization
from softmax_cli.training.assembly import iterations_of
from softmax_cli.training.training_data import (
    TrainingData,
    load_training_data,
    prepare_training_data,
)

ARRAYS = (
    "data.dataset=arrays",
    "data.train=in-memory.npz",
    "preprocessing.scale=feature",
)
"""Settings of a training on rows that are no pictures. No file of that name is read."""


@dataclass(frozen=True, eq=False)
class Images:
    """A data set in memory: images, or rows of features in their place.

    Attributes:
        train: the whole training split, validation images included.
        test: the test split, looked at by judges only.
        validation_size: the last so many training images are not trained on.
    """

    train: ImageSet
    test: ImageSet
    validation_size: int = 1000

    @classmethod
    def load(cls, data_dir: Path) -> "Images":
        """The real images.

        Raises:
            DataError: it is missing or not intact.
        """
        spec = find_dataset(DEFAULT_DATASET)
        return cls(spec.load(data_dir, "train"), spec.load(data_dir, "test"))

    @property
    def validation(self) -> ImageSet:
        """The training images that are not trained on."""
        return self.train.take_last(self.validation_size)

    def take_first(self, train: int, test: int) -> "Images":
        """Fewer images."""
        first, second = self.train.take_first(train), self.test.take_first(test)
        return Images(first, second, self.validation_size)

    def features(self, config: TrainConfig, folder: Path | None = None) -> "Images":
        """What a configuration makes of these images, as rows without pictures.

        Args:
            config: names the features; they are fitted to the images that are trained on.
            folder: a data directory that keeps them; None keeps none.
        """
        cache, settings = FeatureCache(folder), config.features.model_dump()
        with self.in_memory():
            train, validation = datasets.load_training_parts(config.data)
        data = prepare_training_data(config, train, validation, cache)
        rows = cache.rows(data.feature_map, settings, self.test)
        both = np.concatenate([data.train_features, data.validation_features])
        return Images(
            _without_pictures(self.train, both),
            _without_pictures(self.test, normalized(rows, config.preprocessing.normalize)),
            self.validation_size,
        )

    @contextmanager
    def in_memory(self) -> Iterator[None]:
        """Let trainings find these images in memory instead of reading them from disk.

        No contender is timed on loading data, and everything behind the loading should run as it
        does for a user.
        """
        with mock.patch.object(datasets, "load_split", return_value=self.train):
            yield


def _without_pictures(images: ImageSet, rows: Rows) -> ImageSet:
    return replace(images, images=rows, is_pictures=False)


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training by plain SGD.

    Attributes:
        iterations: steps.
        batch_size: images of a minibatch, drawn with replacement.
        learning_rates: one for each model.
        regularizations: one for each model; the objective gains ``reg/2 (|W|^2 + |b|^2)``.
        weight_scale: standard deviation of the initial weights.
        seed: of initial weights and minibatches.
    """

    iterations: int
    batch_size: int
    learning_rates: tuple[float, ...]
    regularizations: tuple[float, ...]
    weight_scale: float
    seed: int

    @property
    def models(self) -> int:
        """K."""
        return len(self.learning_rates)


@dataclass(frozen=True, eq=False)
class LinearModel:
    """What a contender learned: scores are ``x' W + b`` of preprocessed pixels x'.

    Attributes:
        weights: (D, C) float32.
        bias: (C,) float32.
        standardization: from x to x'.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    standardization: Standardization

    def accuracy(self, images: ImageSet) -> float:
        """Fraction of images classified correctly; 0 if the weights are not finite."""
        if not np.isfinite(self.weights).all():
            return 0.0
        scores = score_features(images.images, self.standardization, self.weights, self.bias)
        return accuracy(scores, images.labels)


class Task:
    """Train these models on these images.

    The arrays that a contender wants the images as are made when first asked for and shared by
    all that want the same.

    Args:
        configs: one for each model; the first one speaks for all in what they share.
        images: the data set.
    """

    def __init__(self, configs: Sequence[TrainConfig], images: Images) -> None:
        self.configs = tuple(configs)
        self.images = images

    @cached_property
    def data(self) -> TrainingData:
        """Split and preprocessing."""
        with self.images.in_memory():
            return load_training_data(self.configs[0])

    @property
    def recipe(self) -> Recipe:
        """The numbers in the configurations."""
        shared = self.configs[0]
        return Recipe(
            iterations=iterations_of(shared, len(self.data.train)),
            batch_size=shared.training.batch_size,
            learning_rates=tuple(config.optimizer.learning_rate for config in self.configs),
            regularizations=tuple(config.optimizer.regularization for config in self.configs),
            weight_scale=shared.model.weight_scale,
            seed=shared.seed,
        )

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) of the training images."""
        return self.data.train.labels

    @property
    def classes(self) -> int:
        """C."""
        return len(self.data.train.class_names)

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """Preprocessed training images (n, D)."""
        pixels = self.data.train.images
        features = np.empty(pixels.shape, np.float32)
        self.data.standardization.apply(pixels, features)
        return features

    @cached_property
    def features_and_ones(self) -> NDArray[np.float64]:
        """Preprocessed training images with a column of ones (n, D + 1): the bias trick."""
        count, width = self.features.shape
        X = np.ones((count, width + 1))
        X[:, :-1] = self.features
        return X

    def member(self, index: int) -> "Task":
        """The task of one of the models, on the same arrays."""
        alone = Task([self.configs[index]], self.images)
        alone.data = self.data
        return alone

    def model(self, weights: NDArray[np.floating], bias: NDArray[np.floating]) -> LinearModel:
        """What was learned on this task's features: weights (D, C) and bias (C,)."""
        return LinearModel(
            np.ascontiguousarray(weights, np.float32),
            np.asarray(bias, np.float32),
            self.data.standardization,
        )
