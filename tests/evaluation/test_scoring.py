"""Scores of one linear classifier on any number of images."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.evaluation.scoring import score_features
from softmax_cli.features.standardization import Standardization

FEATURES, CLASSES = 40, 3
RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(FEATURES, CLASSES)).astype(np.float32)
BIAS = RNG.normal(size=CLASSES).astype(np.float32)
STANDARDIZATION = Standardization(
    mean=RNG.uniform(0, 255, FEATURES).astype(np.float32),
    scale=RNG.uniform(40, 80, FEATURES).astype(np.float32),
)


def textbook(features: NDArray[np.generic]) -> NDArray[np.float64]:
    standardized = (features.astype(np.float64) - STANDARDIZATION.mean) / STANDARDIZATION.scale
    return np.asarray(standardized @ WEIGHTS + BIAS)


@pytest.mark.parametrize("images", [0, 1, 999, 1000, 1001, 2345])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.float32, np.float64])
def test_scores_are_those_of_standardised_features(images: int, dtype: type[np.number]) -> None:
    features = RNG.integers(0, 256, (images, FEATURES)).astype(dtype)
    before = features.copy()
    scores = score_features(features, STANDARDIZATION, WEIGHTS, BIAS)
    assert scores.shape == (images, CLASSES)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, textbook(features), atol=1e-4)
    assert (features == before).all()


def test_the_weights_and_the_standardisation_stay_what_they_are() -> None:
    weights, bias, mean = WEIGHTS.copy(), BIAS.copy(), STANDARDIZATION.mean.copy()
    features = RNG.integers(0, 256, (10, FEATURES), dtype=np.uint8)
    first = score_features(features, STANDARDIZATION, WEIGHTS, BIAS)
    second = score_features(features, STANDARDIZATION, WEIGHTS, BIAS)
    assert (first == second).all()
    assert (weights == WEIGHTS).all()
    assert (bias == BIAS).all()
    assert (mean == STANDARDIZATION.mean).all()


def test_an_order_in_memory_changes_no_bit() -> None:
    features = RNG.integers(0, 256, (1500, FEATURES), dtype=np.uint8)
    scores = score_features(features, STANDARDIZATION, WEIGHTS, BIAS)
    for same in (np.asfortranarray(features), features[::-1][::-1], features.repeat(2, 0)[::2]):
        np.testing.assert_array_equal(score_features(same, STANDARDIZATION, WEIGHTS, BIAS), scores)


def test_memory_does_not_grow_with_the_number_of_images_but_for_their_scores() -> None:
    features = RNG.integers(0, 256, (50_000, FEATURES), dtype=np.uint8)
    tracemalloc.start()
    try:
        scores = score_features(features, STANDARDIZATION, WEIGHTS, BIAS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    as_floats = 4 * features.size
    assert peak - scores.nbytes < as_floats / 10


def test_float64_weights_give_float64_scores() -> None:
    features = RNG.normal(size=(50, FEATURES))
    scores = score_features(
        features, STANDARDIZATION, WEIGHTS.astype(np.float64), BIAS.astype(np.float64)
    )
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, textbook(features), rtol=1e-12, atol=1e-12)
