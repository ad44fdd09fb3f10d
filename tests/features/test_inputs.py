import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.features.inputs import prepare_inputs, weights_by_feature
from softmax_cli.features.pixels import Pixels
from softmax_cli.features.standardization import Standardization
from softmax_cli.model import softmax_loss_vectorized

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (50, 3072), dtype=np.uint8)
LABELS = RNG.integers(4, size=50)
MIRROR = Pixels().mirror
SYMMETRIC = Standardization.fit(IMAGES, center=True, scale="pixel", mirror=MIRROR)


def standardized(
    rows: NDArray[np.unsignedinteger], standardization: Standardization
) -> NDArray[np.float64]:
    out = np.empty(rows.shape, np.float32)
    standardization.apply(rows, out)
    return out.astype(np.float64)


def test_folded_loss_and_gradient_are_those_over_images_and_mirror_images() -> None:
    inputs = prepare_inputs(IMAGES, IMAGES, SYMMETRIC, MIRROR, "exact")
    X = standardized(inputs.train, inputs.standardization)
    V = RNG.normal(size=(1536, 4))
    loss, gradient = softmax_loss_vectorized(V, X, LABELS, 0.3)
    both = np.concatenate([IMAGES, IMAGES[:, MIRROR]])
    W = weights_by_feature(V, MIRROR, "exact")
    full_loss, full_gradient = softmax_loss_vectorized(
        W, standardized(both, SYMMETRIC), np.concatenate([LABELS, LABELS]), 0.3
    )
    assert loss == pytest.approx(full_loss, rel=1e-5)
    error = np.linalg.norm(weights_by_feature(gradient, MIRROR, "exact") - full_gradient)
    assert error <= 1e-5 * np.linalg.norm(full_gradient)


def test_without_folding_weights_stay_what_they_are() -> None:
    weights = RNG.normal(size=(3072, 4))
    assert weights_by_feature(weights, MIRROR, True) is weights
    assert prepare_inputs(IMAGES, IMAGES, SYMMETRIC, MIRROR, False).train is IMAGES
    assert len(prepare_inputs(IMAGES, IMAGES, SYMMETRIC, MIRROR, True).train) == 100


@pytest.mark.parametrize("flip", [True, "exact"])
def test_flips_need_a_mirror_permutation(flip: bool) -> None:
    with pytest.raises(ValueError, match="mirror permutation"):
        prepare_inputs(IMAGES, IMAGES, SYMMETRIC, None, flip)


def test_folded_weights_are_not_taken_for_those_of_features() -> None:
    with pytest.raises(ValueError, match="mirror permutation"):
        weights_by_feature(RNG.normal(size=(1536, 4)), None, "exact")
