import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from softmax_cli.features.folding import Folding, with_mirrored
from softmax_cli.features.pixels import Pixels
from softmax_cli.features.standardization import Standardization

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (1100, 3072), dtype=np.uint8)
PIXEL_MIRROR = Pixels().mirror


@st.composite
def involutions(draw: st.DrawFn) -> NDArray[np.int64]:
    """Permutations of up to 30 features that are their own inverse, some features self-paired."""
    size = draw(st.integers(1, 30))
    pairs = draw(st.integers(0, size // 2))
    order = np.array(draw(st.permutations(range(size))), np.int64)
    mirror = np.arange(size)
    left, right = order[:pairs], order[pairs : 2 * pairs]
    mirror[left], mirror[right] = right, left
    return mirror


def folded_and_scaled(folding: Folding, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a model sees of folded features that need no standardisation."""
    neutral = np.ones(rows.shape[1], np.float32)
    standardization = folding.standardization(Standardization(0 * neutral, neutral))
    out = np.empty((len(rows), folding.size), np.float32)
    standardization.apply(folding.fold(rows), out)
    return out.astype(np.float64)


@given(involutions())
def test_the_folded_basis_is_orthonormal(mirror: NDArray[np.int64]) -> None:
    folding = Folding(mirror)
    basis = folded_and_scaled(folding, np.eye(len(mirror), dtype=np.float32))  # (P, F)
    assert folding.size == (len(mirror) + np.count_nonzero(mirror == np.arange(len(mirror)))) // 2
    np.testing.assert_allclose(basis.T @ basis, np.eye(folding.size), atol=1e-6)
    np.testing.assert_allclose(folding.unfold(np.eye(folding.size)), basis, atol=1e-6)


@given(involutions(), st.integers(0, 2**32 - 1))
def test_an_image_and_its_mirror_image_have_one_score(mirror: NDArray[np.int64], seed: int) -> None:
    rng = np.random.default_rng(seed)
    folding, rows = Folding(mirror), rng.normal(size=(5, len(mirror))).astype(np.float32)
    weights = rng.normal(size=(folding.size, 3))
    mirrored = rows[:, mirror]
    assert (folding.fold(mirrored) == folding.fold(rows)).all()
    whole = folding.unfold(weights)
    np.testing.assert_allclose(mirrored @ whole, rows @ whole, atol=1e-6)
    np.testing.assert_allclose(rows @ whole, folded_and_scaled(folding, rows) @ weights, atol=1e-5)


@given(involutions(), st.integers(0, 2**32 - 1))
def test_standardised_sums_are_folded_standardised_features(
    mirror: NDArray[np.int64], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (40, len(mirror)), dtype=np.uint8)
    folding = Folding(mirror)
    whole = Standardization.fit(rows, center=True, scale="pixel", mirror=mirror)
    standardized = np.empty(rows.shape, np.float32)
    whole.apply(rows, standardized)
    out = np.empty((len(rows), folding.size), np.float32)
    folding.standardization(whole).apply(folding.fold(rows), out)
    np.testing.assert_allclose(out, folded_and_scaled(folding, standardized), atol=1e-4)


def test_folding_adds_each_pixel_to_its_mirror_image() -> None:
    sums = IMAGES.astype(np.uint16) + IMAGES[:, PIXEL_MIRROR]
    left = sums.reshape(-1, 96, 32)[:, :, :16].reshape(-1, 1536)
    folded = Folding(PIXEL_MIRROR).fold(IMAGES)
    assert folded.dtype == np.uint16
    assert (folded == left).all()


def test_with_mirrored_has_all_images_and_then_all_mirror_images() -> None:
    both = with_mirrored(IMAGES, PIXEL_MIRROR)
    assert (both[:1100] == IMAGES).all()
    assert (both[1100:] == IMAGES[:, PIXEL_MIRROR]).all()


def test_a_permutation_that_is_not_its_own_inverse_is_refused() -> None:
    with pytest.raises(ValueError, match="its own inverse"):
        Folding(np.array([1, 2, 0]))


def test_standardisation_that_is_not_flip_symmetric_is_refused() -> None:
    lopsided = Standardization.fit(IMAGES, center=True, scale="none")
    with pytest.raises(ValueError, match="flip-symmetric"):
        Folding(PIXEL_MIRROR).standardization(lopsided)
