import numpy as np
import pytest

from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.patch_dictionary import (
    DictionaryKind,
    PatchDictionary,
    learn_dictionary,
    normalized,
    spherical_kmeans,
)
from softmax_cli.features.patch_grid import PatchGrid

GRID = PatchGrid(patch_size=5, stride=1, regions=1)


def learned(kind: DictionaryKind = "random", seed: int = 1) -> PatchDictionary:
    return learn_dictionary(
        make_synthetic("train", size=50).images,
        GRID,
        np.random.default_rng(seed),
        kind=kind,
        filters=8,
        rank=20,
        epsilon=1e-3,
    )


def test_normalized_patches_have_no_mean_and_unit_variance() -> None:
    patches = np.random.default_rng(0).integers(0, 256, (20, 75)).astype(np.float32)
    rows = normalized(patches)
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(rows.var(axis=1), 1, rtol=0.01)
    assert (normalized(np.full((1, 75), 7, np.float32)) == 0).all(), "no contrast"


def test_whitened_patches_have_uncorrelated_coordinates() -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 3072)).astype(np.uint8)
    learned_map = learn_dictionary(
        images,
        GRID,
        np.random.default_rng(1),
        kind="random",
        filters=4,
        rank=20,
        epsilon=1e-6,
    )
    pictures = images.reshape(-1, 3, 32, 32)
    patches = normalized(
        np.concatenate(
            [
                pictures[:, :, top : top + 5, left : left + 5].reshape(len(images), -1)
                for top in range(0, 28, 3)
                for left in range(0, 28, 3)
            ]
        ).astype(np.float32)
    )
    whitened = patches @ learned_map.projection - learned_map.offset
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(20), atol=0.1)


@pytest.mark.parametrize("kind", ["random", "kmeans"])
def test_a_mirrored_patch_meets_the_mirrored_filters(kind: DictionaryKind) -> None:
    found = learned(kind)
    mirrored = found.projection[GRID.mirrored_pixels]
    np.testing.assert_allclose(mirrored, found.projection * found.parity, atol=1e-5)
    np.testing.assert_allclose(found.offset * found.parity, found.offset, atol=1e-5)
    assert set(found.parity.tolist()) == {-1.0, 1.0}
    whole = found.whole()
    assert whole.shape == (20, 8)
    assert (whole[:, 4:] == found.parity[:, None] * whole[:, :4]).all()


@pytest.mark.parametrize("kind", ["random", "kmeans"])
def test_filters_have_length_one_and_follow_from_the_seed(kind: DictionaryKind) -> None:
    found = learned(kind)
    np.testing.assert_allclose(np.linalg.norm(found.filters, axis=0), 1, rtol=1e-5)
    assert (learned(kind).filters == found.filters).all()
    assert (learned(kind, seed=2).filters != found.filters).any()


def test_images_without_contrast_give_a_dictionary_all_the_same() -> None:
    found = learn_dictionary(
        np.full((3, 3072), 9, np.uint8),
        GRID,
        np.random.default_rng(0),
        kind="kmeans",
        filters=4,
        rank=10,
        epsilon=1e-3,
    )
    for array in vars(found).values():
        assert np.isfinite(array).all()


def test_kmeans_lowers_its_objective_and_finds_directions() -> None:
    rng = np.random.default_rng(0)
    parity = np.array([1, 1, 1, -1, -1], np.float32)
    true = rng.standard_normal((5, 3)).astype(np.float32)
    true /= np.linalg.norm(true, axis=0)
    which, flipped = rng.integers(3, size=3000), rng.integers(2, size=3000)
    lengths = rng.standard_normal(3000) * 3  # of both signs
    exact = (true[:, which] * np.where(flipped, parity[:, None], 1) * lengths).T
    patches = (exact + 0.05 * rng.standard_normal(exact.shape)).astype(np.float32)
    begin = rng.standard_normal((5, 6)).astype(np.float32)
    begin = (begin / np.linalg.norm(begin, axis=0)).astype(np.float32)
    found, errors = spherical_kmeans(patches, begin, parity, 15)
    assert (np.diff(errors) <= 1e-6).all()
    assert errors[-1] < 0.1 * errors[0]
    both = np.concatenate([found, parity[:, None] * found], axis=1)
    assert (np.abs(true.T @ both).max(axis=1) > 0.99).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), 1, rtol=1e-5)
