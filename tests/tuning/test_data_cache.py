"""Training data in memory, kept from one stack to the next."""

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from softmax_cli.config.loading import with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.errors import ConfigurationError
from softmax_cli.training.training_data import TrainingData, load_training_data
from softmax_cli.tuning import data_cache
from softmax_cli.tuning.data_cache import DataCache
from tests.training.conftest import SMALL

CONFIG = with_values(TrainConfig(), SMALL)  # type: ignore[arg-type]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """The configurations that data was loaded for."""
    configs: list[TrainConfig] = []

    def counting(config: TrainConfig, _: object) -> TrainingData:
        configs.append(config)
        return load_training_data(config)

    monkeypatch.setattr(data_cache, "load_training_data", counting)
    return configs


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"optimizer.learning_rate": 0.5, "model.loss": "hinge"},
        {"training.batch_size": 7, "training.epochs": 2.0, "seed": 9},
    ],
)
def test_settings_that_data_does_not_depend_on_load_nothing_again(
    loaded: list[TrainConfig], values: dict[str, Any]
) -> None:
    cache = DataCache()
    assert cache.of(with_values(CONFIG, values)) is cache.of(CONFIG)
    assert len(loaded) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"data.dir": "elsewhere"},
        {"data.train_size": 500},
        {"data.validation_size": 100},
        {"preprocessing.scale": "unit"},
        {"preprocessing.center": False},
        {"augmentation.horizontal_flip": "exact"},
    ],
)
def test_data_is_that_of_the_settings_that_ask(
    loaded: list[TrainConfig], values: dict[str, Any]
) -> None:
    cache, other = DataCache(), with_values(CONFIG, values)
    first, second = cache.of(CONFIG), cache.of(other)
    assert first is not second
    assert cache.of(other) is second
    expected = load_training_data(other)
    assert second.train.digest == expected.train.digest
    assert second.validation.digest == expected.validation.digest
    np.testing.assert_array_equal(second.standardization.mean, expected.standardization.mean)
    np.testing.assert_array_equal(second.standardization.scale, expected.standardization.scale)
    assert cache.of(CONFIG).train.digest == first.train.digest
    assert loaded == [CONFIG, other, CONFIG]


def test_the_former_data_is_gone_before_the_next_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = DataCache()
    former = weakref.ref(cache.of(CONFIG))
    left: list[TrainingData | None] = []

    def looking(config: TrainConfig, _: object) -> TrainingData:
        gc.collect()
        left.append(former())
        return load_training_data(config)

    monkeypatch.setattr(data_cache, "load_training_data", looking)
    cache.of(with_values(CONFIG, {"data.train_size": 300}))
    assert left == [None]


def test_data_that_cannot_be_loaded_leaves_nothing_wrong_behind(loaded: list[TrainConfig]) -> None:
    cache, too_large = DataCache(), with_values(CONFIG, {"data.train_size": 10_000})
    digest = cache.of(CONFIG).train.digest
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"data\.train_size"):
            cache.of(too_large)
    assert cache.of(CONFIG).train.digest == digest
    assert loaded == [CONFIG, too_large, too_large, CONFIG]


def test_the_digest_of_the_images_needs_no_features(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load_training_data(CONFIG).train.digest

    def refusing(*_: object) -> TrainingData:
        raise AssertionError

    monkeypatch.setattr(data_cache, "load_training_data", refusing)
    assert DataCache().train_digest(CONFIG) == expected
