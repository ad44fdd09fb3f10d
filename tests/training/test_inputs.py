import numpy as np
import pytest

from softmax_cli.data.mirroring import mirrored
from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.model import softmax_loss_vectorized
from softmax_cli.training.inputs import prepare_inputs, weights_by_pixel

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (50, 3072), dtype=np.uint8)
LABELS = RNG.integers(4, size=50)
SYMMETRIC = Preprocessing.fit(IMAGES, center=True, scale="pixel", flip_symmetric=True)


def features(images: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    out = np.empty(images.shape, np.float32)
    preprocessing.apply(images, out)
    return out.astype(np.float64)


def test_flip_symmetric_preprocessing_is_learned_from_images_and_mirror_images() -> None:
    both = np.concatenate([IMAGES, mirrored(IMAGES)])
    expected = Preprocessing.fit(both, center=True, scale="pixel")
    np.testing.assert_allclose(SYMMETRIC.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(SYMMETRIC.scale, expected.scale, rtol=1e-6)
    assert (SYMMETRIC.mean == mirrored(SYMMETRIC.mean)).all()


def test_folded_loss_and_gradient_are_those_over_images_and_mirror_images() -> None:
    inputs = prepare_inputs(IMAGES, IMAGES, SYMMETRIC, "exact")
    X = features(inputs.train, inputs.preprocessing)
    V = RNG.normal(size=(1536, 4))
    loss, gradient = softmax_loss_vectorized(V, X, LABELS, 0.3)
    both = np.concatenate([IMAGES, mirrored(IMAGES)])
    W = weights_by_pixel(V, "exact")
    full_loss, full_gradient = softmax_loss_vectorized(
        W, features(both, SYMMETRIC), np.concatenate([LABELS, LABELS]), 0.3
    )
    assert loss == pytest.approx(full_loss, rel=1e-5)
    error = np.linalg.norm(weights_by_pixel(gradient, "exact") - full_gradient)
    assert error <= 1e-5 * np.linalg.norm(full_gradient)


def test_preprocessing_that_is_not_flip_symmetric_is_refused() -> None:
    lopsided = Preprocessing.fit(IMAGES, center=True, scale="none")
    with pytest.raises(ValueError, match="flip-symmetric"):
        prepare_inputs(IMAGES, IMAGES, lopsided, "exact")


def test_without_folding_weights_stay_what_they_are() -> None:
    weights = RNG.normal(size=(3072, 4))
    assert weights_by_pixel(weights, True) is weights
    assert prepare_inputs(IMAGES, IMAGES, SYMMETRIC, False).train is IMAGES
    assert len(prepare_inputs(IMAGES, IMAGES, SYMMETRIC, True).train) == 100
