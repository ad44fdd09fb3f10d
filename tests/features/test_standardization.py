import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.features.standardization import Scale, Standardization

IMAGES = np.random.default_rng(0).integers(0, 256, (700, 30), dtype=np.uint8)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("scale", ["none", "unit", "feature", "pixel"])
def test_features_are_centred_and_scaled_pixels(center: bool, scale: Scale) -> None:
    preprocessing = Standardization.fit(IMAGES, center=center, scale=scale)
    features = np.empty(IMAGES.shape, np.float32)
    preprocessing.apply(IMAGES, features)
    pixels = IMAGES.astype(np.float64)
    divisor = {"none": 1.0, "unit": 255.0}.get(scale, pixels.std(axis=0))
    expected = (pixels - pixels.mean(axis=0) * center) / divisor
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-4)


def test_moments_are_exact_to_float32() -> None:
    extreme = np.full((5000, 4), 255, np.uint8)
    extreme[::2, 1] = 0
    extreme[0, 2] = 254
    preprocessing = Standardization.fit(extreme, center=True, scale="pixel")
    pixels = extreme.astype(np.float64)
    deviation = pixels.std(axis=0)
    deviation[deviation == 0] = 1
    assert (preprocessing.mean == pixels.mean(axis=0).astype(np.float32)).all()
    np.testing.assert_allclose(preprocessing.scale, deviation, rtol=1e-6)


@pytest.mark.parametrize("value", [np.uint8(7), np.float32(0.3), np.float32(1000.1)])
@pytest.mark.parametrize("mirror", [None, np.array([2, 1, 0])])
def test_a_feature_that_never_varies_is_only_centred(
    value: np.generic, mirror: NDArray[np.int64] | None
) -> None:
    constant = np.full((5000, 3), value)
    standardization = Standardization.fit(constant, center=True, scale="pixel", mirror=mirror)
    features = np.empty(constant.shape, np.float32)
    standardization.apply(constant, features)
    assert not features.any()
    assert (standardization.scale == 1).all()


@pytest.mark.parametrize("offset", [0.0, 1.0, 1000.0])
def test_moments_of_floats_are_those_of_float64_however_far_from_zero(offset: float) -> None:
    rows = np.random.default_rng(0).normal(offset, 0.05, (3000, 20)).astype(np.float32)
    standardization = Standardization.fit(rows, center=True, scale="pixel")
    exact = rows.astype(np.float64)
    np.testing.assert_allclose(standardization.mean, exact.mean(axis=0), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(standardization.scale, exact.std(axis=0), rtol=1e-5)


def test_one_image_is_enough() -> None:
    features = np.empty((1, 30), np.float32)
    Standardization.fit(IMAGES[:1], center=True, scale="pixel").apply(IMAGES[:1], features)
    assert not features.any()


def test_a_symmetric_fit_learns_from_images_and_mirror_images_alike() -> None:
    mirror = np.arange(30)[::-1]
    symmetric = Standardization.fit(IMAGES, center=True, scale="pixel", mirror=mirror)
    both = np.concatenate([IMAGES, IMAGES[:, mirror]])
    expected = Standardization.fit(both, center=True, scale="pixel")
    np.testing.assert_allclose(symmetric.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(symmetric.scale, expected.scale, rtol=1e-6)
    assert (symmetric.mean == symmetric.mean[mirror]).all()


def test_its_forms_score_alike() -> None:
    rng = np.random.default_rng(1)
    standardization = Standardization.fit(IMAGES, center=True, scale="pixel")
    weights = rng.normal(size=(30, 4)).astype(np.float32)
    bias = rng.normal(size=4).astype(np.float32)
    features = np.empty(IMAGES.shape, np.float32)
    standardization.apply(IMAGES, features)
    expected = features @ weights + bias

    absorbed, shifted = standardization.absorbed(weights, bias)
    np.testing.assert_allclose(IMAGES @ absorbed + shifted, expected, atol=1e-4)
    np.testing.assert_allclose(standardization.unscaled(weights), absorbed, rtol=1e-6)

    offset, reciprocal = standardization.split(slice(None))
    assert reciprocal is not None
    np.testing.assert_allclose(IMAGES * reciprocal + offset, features, atol=1e-5)
    part, _ = standardization.split(slice(3, 9))
    assert (part == offset[3:9]).all()


def test_features_that_are_not_scaled_need_no_multiplication() -> None:
    assert Standardization.fit(IMAGES, center=True, scale="none").split(slice(None))[1] is None


@pytest.mark.parametrize("rows", [IMAGES, IMAGES / 7])
@pytest.mark.parametrize("scale", ["none", "pixel"])
def test_weights_of_examples_count_as_copies_of_them(
    rows: NDArray[np.generic], scale: Scale
) -> None:
    weights = np.random.default_rng(4).integers(0, 4, size=700)
    weighted = Standardization.fit(
        rows, center=True, scale=scale, example_weights=weights.astype(np.float64)
    )
    repeated = Standardization.fit(rows.repeat(weights, axis=0), center=True, scale=scale)
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-6)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_absorbed_keeps_its_digits(dtype: type[np.floating]) -> None:
    mean, scale = np.array([1, 2], np.float32), np.array([2, 4], np.float32)
    ones: NDArray[np.floating] = np.ones((2, 3), dtype)
    weights, bias = Standardization(mean, scale).absorbed(ones, 0 * ones[0])
    assert weights.dtype == bias.dtype == dtype
    np.testing.assert_array_equal(weights, [[0.5] * 3, [0.25] * 3])
    np.testing.assert_array_equal(bias, [-1.0] * 3)
