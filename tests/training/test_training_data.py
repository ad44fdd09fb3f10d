"""Features of the training and validation images, and what is fitted to them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays, Floats, Images, Indices
from softmax_cli.config.schema import TrainConfig
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.errors import ConfigurationError
from softmax_cli.features.feature_maps import FEATURE_MAPS
from softmax_cli.features.pixels import Pixels
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.training_data import (
    load_training_data,
    prepare_training_data,
)

Settings = Callable[..., TrainConfig]

IMAGES = make_synthetic("train", size=300)
TRAIN, VALIDATION = IMAGES.take_first(200), IMAGES.take_last(100)


class Brightness:
    """A feature map that learns: the mean of each channel less that over the training images."""

    kind: ClassVar[str] = "brightness"
    is_costly: ClassVar[bool] = False
    version: ClassVar[int] = 1
    size = 3
    mirror: ClassVar[Indices | None] = np.arange(3)

    def __init__(self, learned: NDArray[np.float32] | None = None) -> None:
        self._learned = np.zeros(3, np.float32) if learned is None else learned

    def fit(self, images: Images, seed: np.random.SeedSequence) -> Self:
        return type(self)(_channels(images).mean(axis=0))

    def transform(self, images: Images) -> NDArray[np.float32]:
        return _channels(images) - self._learned

    def arrays(self) -> Arrays:
        return {"mean": self._learned}

    @classmethod
    def from_arrays(cls, arrays: Arrays, **settings: Any) -> Self:
        return cls(arrays["mean"])

    def to_pixels(self, weights: Floats) -> Floats | None:
        return None


class Lopsided(Brightness):
    """One that no permutation mirrors."""

    mirror = None


def _channels(images: Images) -> NDArray[np.float32]:
    return np.asarray(images.reshape(-1, 3, 1024).mean(axis=2, dtype=np.float32))


def test_validation_images_are_the_last_of_the_training_split(settings: Settings) -> None:
    data = load_training_data(settings())
    everything = load_training_data(
        settings(**{"data.train_size": None, "data.validation_size": 1})
    )
    assert (len(data.train), len(data.validation)) == (600, 200)
    assert (data.train.images == everything.train.images[:600]).all()
    assert (data.validation.images[:-1] == everything.train.images[-199:]).all()


def test_a_split_that_the_data_set_is_too_small_for_is_refused(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match=r"data\.train_size from 1 to 4800 .* got 4801"):
        load_training_data(settings(**{"data.train_size": 4801}))


@pytest.mark.parametrize("scale", ["none", "unit", "pixel"])
@pytest.mark.parametrize("flip", [False, True, "exact"])
def test_standardisation_is_fitted_to_the_training_images_alone(
    settings: Settings, scale: str, flip: object
) -> None:
    config = settings(**{"preprocessing.scale": scale, "augmentation.horizontal_flip": flip})
    usual = prepare_training_data(config, TRAIN, VALIDATION).standardization
    other = prepare_training_data(config, TRAIN, TRAIN.take_first(1)).standardization
    np.testing.assert_array_equal(usual.mean, other.mean)
    np.testing.assert_array_equal(usual.scale, other.scale)
    pixels = TRAIN.images.astype(np.float64)
    if flip == "exact":
        pixels = np.concatenate([pixels, pixels[:, Pixels().mirror]])
    divisor = {"none": 1.0, "unit": 255.0, "pixel": pixels.std(axis=0)}[scale]
    np.testing.assert_allclose(usual.mean, pixels.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(usual.scale, np.broadcast_to(divisor, 3072), rtol=1e-6)


@pytest.mark.parametrize(("flip", "is_symmetric"), [(False, False), (True, False), ("exact", True)])
def test_where_images_are_folded_the_standardisation_is_flip_symmetric(
    settings: Settings, flip: object, is_symmetric: bool
) -> None:
    config = settings(**{"augmentation.horizontal_flip": flip})
    standardization = prepare_training_data(config, TRAIN, VALIDATION).standardization
    mirror = Pixels().mirror
    for values in (standardization.mean, standardization.scale):
        assert (values == values[mirror]).all() == is_symmetric


def test_pixels_take_no_second_copy_of_the_images(settings: Settings) -> None:
    data = prepare_training_data(settings(), TRAIN, VALIDATION)
    assert isinstance(data.feature_map, Pixels)
    assert np.shares_memory(data.train_features, TRAIN.images)
    assert np.shares_memory(data.validation_features, VALIDATION.images)


def test_a_feature_map_learns_from_the_training_images_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEATURE_MAPS, "pixels", Brightness)
    data = prepare_training_data(settings(), TRAIN, VALIDATION)
    learned = _channels(TRAIN.images).mean(axis=0)
    np.testing.assert_array_equal(data.feature_map.arrays()["mean"], learned)
    np.testing.assert_array_equal(data.train_features, _channels(TRAIN.images) - learned)
    np.testing.assert_array_equal(data.validation_features, _channels(VALIDATION.images) - learned)
    np.testing.assert_allclose(data.standardization.mean, 0, atol=1e-4)
    deviation = _channels(TRAIN.images).astype(np.float64).std(axis=0)
    np.testing.assert_allclose(data.standardization.scale, deviation, rtol=1e-5)


@pytest.mark.parametrize("flip", [False, True, "exact"])
def test_a_stack_learns_from_the_features_whatever_their_number(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, flip: object
) -> None:
    monkeypatch.setitem(FEATURE_MAPS, "pixels", Brightness)
    config = settings(**{"augmentation.horizontal_flip": flip, "training.iterations": 200})
    trainer = build_trainer([config], prepare_training_data(config, TRAIN, VALIDATION))
    assert trainer.stack.features == 3
    for _ in trainer.train():
        pass
    losses = [float(row.train_loss[0]) for row in trainer.history]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("flip", "got"), [(True, "true"), ("exact", '"exact"')])
def test_features_that_cannot_be_mirrored_are_not_flipped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, flip: object, got: str
) -> None:
    monkeypatch.setitem(FEATURE_MAPS, "pixels", Lopsided)
    prepare_training_data(settings(), TRAIN, VALIDATION)
    config = settings(**{"augmentation.horizontal_flip": flip})
    with pytest.raises(ConfigurationError) as caught:
        prepare_training_data(config, TRAIN, VALIDATION)
    assert caught.value.message == (
        "augmentation.horizontal_flip: expected false with pixels features, "
        f"which cannot be mirrored, got {got}"
    )


def test_rows_are_normalised_before_anything_is_fitted(settings: Settings) -> None:
    config = settings(**{"preprocessing.normalize": "l2"})
    data = prepare_training_data(config, TRAIN, VALIDATION)
    for features in (data.train_features, data.validation_features):
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        data.standardization.mean, data.train_features.mean(axis=0, dtype=float), rtol=1e-5
    )


def test_rows_that_are_no_pictures_are_features(settings: Settings) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float16)
    train = replace(TRAIN.take_first(50), images=rows, is_pictures=False)
    data = prepare_training_data(settings(), train, train.take_last(10))
    assert data.train_features is rows
    assert data.feature_map.size == 4
    with pytest.raises(ConfigurationError, match="which cannot be mirrored"):
        prepare_training_data(
            settings(**{"augmentation.horizontal_flip": True}), train, train.take_last(10)
        )
