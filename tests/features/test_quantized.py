import numpy as np
import pytest

from softmax_cli.arrays import Arrays
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.quantized import Quantized
from tests.features.channel_means import ChannelMeans

IMAGES = make_synthetic("train", size=700).images
SEED = np.random.SeedSequence(0)


def test_bytes_are_sixteenths_of_a_deviation_around_the_mean() -> None:
    quantized = Quantized(ChannelMeans()).fit(IMAGES, SEED)
    features = ChannelMeans().transform(IMAGES)
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0)
    expected = (16 * (features - mean) / deviation).round() + 128
    found = quantized.transform(IMAGES)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, expected, atol=1)  # a half may be rounded either way
    assert (found == expected).mean() > 0.99


def test_what_is_far_from_the_mean_is_cut() -> None:
    quantized = Quantized(ChannelMeans()).fit(IMAGES // 16 + 120, SEED)
    extremes = np.repeat(np.array([[0], [255]], np.uint8), 3072, axis=1)
    assert quantized.transform(extremes).tolist() == [[0] * 3, [255] * 3]


def test_a_constant_feature_is_the_middle_byte() -> None:
    grey = np.full((5, 3072), 90, np.uint8)
    assert (Quantized(ChannelMeans()).fit(grey, SEED).transform(grey) == 128).all()


def test_an_image_has_the_same_bytes_beside_any_others() -> None:
    quantized = Quantized(ChannelMeans()).fit(IMAGES, SEED)
    together = quantized.transform(IMAGES)
    assert (quantized.transform(IMAGES[499:503]) == together[499:503]).all()


def test_arrays_make_the_map_again() -> None:
    quantized = Quantized(ChannelMeans()).fit(IMAGES, SEED)
    again = Quantized.from_arrays(quantized.arrays(), feature_map=ChannelMeans)
    assert (again.transform(IMAGES) == quantized.transform(IMAGES)).all()
    assert (again.size, again.kind, again.mirror) == (3, "channel_means", None)
    assert again.to_pixels(np.zeros((3, 2))) is None


def without_step(arrays: Arrays) -> None:
    del arrays["quantization.step"]


def of_another_size(arrays: Arrays) -> None:
    arrays["quantization.mean"] = np.zeros(4, np.float32)


def without_width(arrays: Arrays) -> None:
    arrays["quantization.step"] = np.zeros(3, np.float32)


def with_more(arrays: Arrays) -> None:
    arrays["filters"] = np.zeros(3, np.float32)


@pytest.mark.parametrize("change", [without_step, of_another_size, without_width, with_more])
def test_other_arrays_are_refused(change: object) -> None:
    arrays = Quantized(ChannelMeans()).fit(IMAGES, SEED).arrays()
    change(arrays)  # type: ignore[operator]
    with pytest.raises(ValueError, match="expected"):
        Quantized.from_arrays(arrays, feature_map=ChannelMeans)
