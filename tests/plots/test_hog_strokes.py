import io

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from numpy.typing import NDArray
from PIL import Image

from softmax_cli.errors import DivergedError
from softmax_cli.features.hog import Hog
from softmax_cli.plots import render, strokes_figure
from softmax_cli.plots.style import BLUE, VERMILION

FOUR = np.radians([-67.5, -22.5, 22.5, 67.5])
NO_HUES = np.zeros((2, 0))


def strokes_of(axes: Axes) -> list[tuple[NDArray[np.float64], str, float]]:
    """Ends (2, 2), colour and opacity of each stroke."""
    return [
        (np.asarray(ends), to_hex(color[:3]), float(color[3]))
        for lines in axes.collections
        if isinstance(lines, LineCollection)
        for ends, color in zip(lines.get_segments(), np.asarray(lines.get_colors()), strict=True)
    ]


def test_a_stroke_is_perpendicular_to_the_gradient_in_its_cell() -> None:
    cells = np.zeros((2, 2, 2, 4))
    cells[0, 0, 1, 2] = 1.0  # the upper right cell
    figure = strokes_figure(cells, FOUR, NO_HUES, ["a", "b"], scale="global")
    ((ends, color, opacity),) = strokes_of(figure.axes[0])
    assert (color, opacity) == (BLUE.lower(), 1)
    np.testing.assert_allclose(ends.mean(axis=0), [0.75, 0.25])
    along = ends[1] - ends[0]
    assert along @ [np.cos(FOUR[2]), np.sin(FOUR[2])] == pytest.approx(0, abs=1e-12)
    assert strokes_of(figure.axes[1]) == []


def test_what_speaks_against_a_class_is_below() -> None:
    cells = np.zeros((2, 2, 2, 4))
    cells[0, 0, 0, 0], cells[1, 0, 0, 0] = 1.0, -0.5
    figure = strokes_figure(cells, FOUR, NO_HUES, ["a", "b"], scale="global")
    ((_, blue, _),), ((ends, red, opacity),) = map(strokes_of, figure.axes[:2])
    assert (blue, red, opacity) == (BLUE.lower(), VERMILION.lower(), 0.5)
    assert ends[:, 1].min() > 1
    each = strokes_figure(cells, FOUR, NO_HUES, ["a", "b"], scale="class")
    assert [strokes_of(axes)[0][2] for axes in each.axes] == [1, 1]


def test_a_signed_stroke_is_on_the_light_side() -> None:
    cells = np.zeros((1, 1, 1, 8))
    cells[0, 0, 0, 5:7] = 1.0  # gradients to the left
    angles = np.concatenate([FOUR, FOUR + np.pi])
    figure = strokes_figure(cells, angles, NO_HUES[:1], ["a"], scale="global")
    for ends, _, _ in strokes_of(figure.axes[0]):
        assert ends[:, 0].mean() < 0.4


def test_the_strongest_is_drawn_last_and_the_faintest_not_at_all() -> None:
    cells = np.array([0.5, 1.0, 0.001, 0.7]).reshape(1, 1, 1, 4)
    figure = strokes_figure(cells, FOUR, NO_HUES[:1], ["a"], scale="global")
    assert [opacity for _, _, opacity in strokes_of(figure.axes[0])] == [0.5, 0.7, 1.0]


def test_hues_are_bars_up_and_down() -> None:
    hues = np.array([[2.0, -1.0, 0.0]])
    figure = strokes_figure(np.zeros((1, 1, 1, 4)), FOUR, hues, ["a"], scale="global")
    bars = figure.axes[0].containers[0].patches  # type: ignore[attr-defined]
    up, down, none = (bar.get_height() for bar in bars)
    assert up < 0, "upwards, because the axis points down"
    assert down == pytest.approx(-up / 2)
    assert none == 0
    assert to_hex(bars[0].get_facecolor()) != to_hex(bars[1].get_facecolor())


@pytest.mark.parametrize("count", [1, 3, 10, 100])
def test_every_class_is_drawn_under_its_name(count: int) -> None:
    hog = Hog(cell_size=16)
    weights = np.random.default_rng(0).normal(size=(hog.size, count))
    strokes = hog.strokes(weights)
    names = ["x" * 40, *(f"class {i}" for i in range(1, count))]
    figure = strokes_figure(strokes.cells, strokes.angles, strokes.hues, names, scale="class")
    drawn = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert drawn == ["x" * 17 + "…", *names[1:]]
    if count <= 10:
        width, height = figure.get_size_inches()
        with Image.open(io.BytesIO(render(figure, "png", 40))) as picture:
            picture.load()
            assert picture.size == pytest.approx((40 * width, 40 * height), abs=1)


def test_weights_that_are_all_zero_are_an_empty_picture() -> None:
    figure = strokes_figure(
        np.zeros((2, 2, 2, 4)), FOUR, np.zeros((2, 3)), ["a", "b"], scale="class"
    )
    assert [strokes_of(axes) for axes in figure.axes] == [[], []]
    assert render(figure, "png", 40)


@pytest.mark.parametrize("place", ["cells", "hues"])
def test_weights_that_are_not_finite_are_refused(place: str) -> None:
    cells, hues = np.zeros((2, 1, 1, 4)), np.zeros((2, 3))
    {"cells": cells, "hues": hues}[place][1] = np.nan
    with pytest.raises(DivergedError, match="finite weights"):
        strokes_figure(cells, FOUR, hues, ["a", "b"], scale="global")
