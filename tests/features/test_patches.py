import math
import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.arrays import Images
from softmax_cli.blas import limited_to
from softmax_cli.config.feature_schema import PatchFeatures
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.patches import Patches
from tests.features.test_feature_maps import check_promises, options_of

SMALL = {"filters": 24, "rank": 20}
CASES = [
    pytest.param({}, id="as by default"),
    pytest.param({"stride": 2, "regions": 2}, id="stride 2"),
    pytest.param({"regions": 4}, id="regions that share positions"),
    pytest.param({"patch_size": 5, "regions": 1, "threshold": 0.0}, id="one region, no threshold"),
    pytest.param({"dictionary": "kmeans", "threshold": 1.5}, id="k-means"),
    pytest.param({"activation": "triangle"}, id="triangle"),
    pytest.param({"activation": "triangle", "dictionary": "kmeans", "stride": 2}, id="triangle 2"),
]
SEED = np.random.SeedSequence(1)


def settings(**changed: Any) -> dict[str, Any]:
    return options_of(PatchFeatures.model_validate({"kind": "patches"} | SMALL | changed))


def some_images() -> Images:
    """Smooth ones, noise, and two without any contrast."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (4, 3072)).astype(np.uint8)
    plain = np.repeat(np.array([[0], [251]], np.uint8), 3072, axis=1)
    return np.concatenate([make_synthetic("train", size=20).images, noise, plain])


def plain_features(feature_map: Patches, image: NDArray[Any], **options: Any) -> NDArray[Any]:
    """The definition of the features, patch by patch in float64."""
    learned, size = feature_map.dictionary, options["patch_size"]
    picture = image.reshape(3, 32, 32).astype(np.float64)
    filters = learned.whole().astype(np.float64)
    count = (32 - size) // options["stride"] + 1
    answers = np.empty((count, count, feature_map.signs, filters.shape[1]))
    for row in range(count):
        for column in range(count):
            top, left = row * options["stride"], column * options["stride"]
            x = picture[:, top : top + size, left : left + size].ravel()
            y = (x - x.mean()) / math.sqrt(x.var() + 10)
            h = y @ learned.projection - learned.offset
            if options["activation"] == "threshold":
                a = h @ filters
                answers[row, column, 0] = np.maximum(a - options["threshold"], 0)
                answers[row, column, 1] = np.maximum(-a - options["threshold"], 0)
            else:
                z = np.linalg.norm(h[:, None] - math.sqrt(len(h)) * filters, axis=0)
                answers[row, column, 0] = np.maximum(z.mean() - z, 0)
    g = options["regions"]
    spans = [slice(r * count // g, math.ceil((r + 1) * count / g)) for r in range(g)]
    means = np.array(
        [[answers[rows, columns].mean(axis=(0, 1)) for columns in spans] for rows in spans]
    )
    return (np.sqrt(means + 0.01) - 0.1).ravel()


@pytest.mark.parametrize("changed", CASES)
def test_features_are_those_of_the_definition(changed: dict[str, Any]) -> None:
    options, images = settings(**changed), some_images()
    fitted = Patches(**options).fit(images, SEED)
    features = fitted.transform(images)
    for row in (0, 5, 21, 24, 25):
        expected = plain_features(fitted, images[row], **options)
        np.testing.assert_allclose(features[row], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("changed", CASES)
def test_every_kind_of_patches_keeps_the_promises_of_a_map(changed: dict[str, Any]) -> None:
    check_promises(Patches, settings(**changed))


@pytest.mark.parametrize("changed", CASES)
def test_a_row_has_the_same_bits_in_any_company(changed: dict[str, Any]) -> None:
    images = some_images()
    fitted = Patches(**settings(**changed)).fit(images, SEED)
    with limited_to(1):
        alone = np.concatenate([fitted.transform(image[None]) for image in images])
    with limited_to(3):
        together = fitted.transform(np.concatenate([images[::-1], images, images]))
    assert (together[: len(images)] == alone[::-1]).all()
    assert (together[len(images) : 2 * len(images)] == alone).all()


def test_an_image_without_contrast_has_the_same_row_whatever_its_colour() -> None:
    fitted = Patches(**settings()).fit(some_images(), SEED)
    black, bright = fitted.transform(some_images()[-2:])
    np.testing.assert_allclose(black, bright, atol=1e-5)


def test_floats_are_taken_for_what_they_are() -> None:
    images = some_images()
    fitted = Patches(**settings()).fit(images, SEED)
    of_floats = fitted.transform(images.astype(np.float32))
    assert (of_floats == fitted.transform(images)).all()


def test_a_map_has_a_row_for_each_region_sign_and_filter() -> None:
    assert Patches(**settings()).shape == (3, 3, 2, 24)
    assert Patches(**settings(activation="triangle", regions=2)).shape == (2, 2, 1, 24)
    assert Patches(**settings()).size == 9 * 2 * 24


def test_fitting_does_not_depend_on_the_number_of_threads() -> None:
    images, maps = some_images(), []
    for threads in (1, 3):
        with limited_to(threads):
            maps.append(Patches(**settings(dictionary="kmeans")).fit(images, SEED).arrays())
    for name, array in maps[0].items():
        assert (array == maps[1][name]).all()


def test_an_unfitted_map_says_so() -> None:
    with pytest.raises(ValueError, match="fitted"):
        Patches(**settings()).transform(some_images())


def test_arrays_of_other_settings_are_refused() -> None:
    arrays = Patches(**settings()).fit(some_images(), SEED).arrays()
    with pytest.raises(ValueError, match=r"expected projection float32 of shape \(75, 20\)"):
        Patches.from_arrays(arrays, **settings(patch_size=5))
    with pytest.raises(ValueError, match="expected filters float32"):
        Patches.from_arrays(arrays, **settings(filters=22))


def test_no_thread_is_left_behind() -> None:
    fitted = Patches(**settings()).fit(some_images(), SEED)
    before = threading.active_count()
    with limited_to(2):
        fitted.transform(some_images())
    assert threading.active_count() == before


def test_views_show_the_patches_that_filters_stand_for() -> None:
    images = some_images()
    fitted = Patches(**settings(rank=107)).fit(images, SEED)
    views = fitted.views(np.zeros((fitted.size, 4)))
    assert views.filters.shape == (12, 6, 6, 3)
    assert views.patches.shape == (24, 6, 6, 3)
    assert views.weights.shape == (4, 24, 3, 3)
    # A whitened image of a filter points where the filter does.
    whitened = views.filters.transpose(0, 3, 1, 2).reshape(12, -1) @ fitted.dictionary.projection
    cosines = (whitened * fitted.dictionary.filters.T).sum(axis=1) / np.linalg.norm(
        whitened, axis=1
    )
    np.testing.assert_allclose(cosines, 1, atol=1e-3)


def test_views_join_the_weights_of_a_filter_and_its_mirror_image() -> None:
    fitted = Patches(**settings()).fit(some_images(), SEED)
    weights = np.zeros((*fitted.shape, 1))
    weights[0, 0, 1, 5] = 2  # the negative of filter 5, above left
    weights[0, 2, 1, 12 + 5] = 3  # that of its mirror image, above right
    weights[2, 1, 0, 12 + 7] = -1
    (found,) = fitted.views(weights.reshape(-1, 1)).weights
    assert found[12 + 5, 0, 0] == 5
    assert found[7, 2, 1] == -1
    assert np.count_nonzero(found) == 2
