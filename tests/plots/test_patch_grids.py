import numpy as np
import pytest
from matplotlib.colors import to_rgb

from softmax_cli.errors import DivergedError
from softmax_cli.plots import dictionary_figure, patches_figure, render
from softmax_cli.plots.style import BLUE, VERMILION

TILE, GAP = 48, 6
FILTERS = np.random.default_rng(0).standard_normal((12, 5, 5, 3))


def colour(name: str) -> list[float]:
    return [round(255 * part) for part in to_rgb(name)]


def test_the_dictionary_shows_each_filter_around_grey() -> None:
    filters = np.zeros((6, 2, 2, 3))
    filters[0, 0, 0] = 2
    filters[0, 1, 1] = -1
    filters[5, 0, 1, 0] = -3
    figure = dictionary_figure(filters, total=12)
    (image,) = figure.axes[0].images
    mosaic = np.asarray(image.get_array())
    assert mosaic[0, 0].tolist() == [255] * 3
    assert mosaic[1, 1].tolist() == [64] * 3
    assert mosaic[0, 1].tolist() == [128] * 3
    assert mosaic[-2, -1].tolist() == [0, 128, 128]
    assert "6 filters; with their mirror images there are 12" in figure.get_suptitle()


def test_of_a_very_large_dictionary_the_first_filters_are_drawn() -> None:
    figure = dictionary_figure(np.zeros((1200, 2, 2, 3)), total=2400)
    assert "1000 of 1200 filters" in figure.get_suptitle()


def test_the_strongest_patches_stand_above_and_those_against_below() -> None:
    weights = np.zeros((2, 12, 3, 3))
    weights[0, 7, 0, 2] = 4  # most for the first class, above right
    weights[0, 3, 1, 1] = 2
    weights[0, 9, 2, 0] = -4
    figure = patches_figure(FILTERS, weights, ["a", "b"], scale="global")
    image = np.asarray(figure.axes[0].images[0].get_array())
    assert image.shape == (4 * (TILE + GAP) + GAP, 5 * (TILE + GAP) - GAP, 3)
    third = TILE // 3
    above = image[TILE + GAP : 2 * TILE + GAP]  # the maps of the patches for the class
    assert above[third // 2, TILE - 1].tolist() == colour(BLUE)
    assert above[TILE - 1, 0].tolist() == [255] * 3
    second = above[TILE // 2, TILE + GAP + TILE // 2]  # half as strong
    np.testing.assert_allclose(second, (255 + np.array(colour(BLUE))) / 2, atol=1)
    below = image[-TILE:]
    assert below[TILE - 1, 0].tolist() == colour(VERMILION)
    largest = np.abs(FILTERS[7]).max()
    assert image[0, 0].tolist() == np.rint(127.5 * (1 + FILTERS[7, 0, 0] / largest)).tolist()


def test_each_class_can_have_its_own_scale() -> None:
    weights = np.zeros((2, 12, 1, 1))
    weights[0, 0], weights[1, 0] = 1, 0.1
    corner = (TILE + GAP, 0)
    for scale, faint in (("global", True), ("class", False)):
        figure = patches_figure(FILTERS, weights, ["a", "b"], scale=scale)  # type: ignore[arg-type]
        image = np.asarray(figure.axes[1].images[0].get_array())
        assert (image[corner].tolist() != colour(BLUE)) == faint


def test_one_filter_without_weights_is_drawn_all_the_same() -> None:
    figure = patches_figure(FILTERS[:1], np.zeros((1, 1, 2, 2)), ["$5"], scale="class")
    assert render(figure).startswith(b"\x89PNG")


def test_weights_that_diverged_are_refused() -> None:
    with pytest.raises(DivergedError, match="finite weights"):
        patches_figure(FILTERS, np.full((1, 12, 1, 1), np.nan), ["a"], scale="global")
