import io

import numpy as np
import pytest
from PIL import Image

from softmax_cli.plots import confusion_figure, render


@pytest.mark.parametrize("size", [1, 2, 10, 30])
def test_the_matrix_is_drawn_with_names_and_a_colour_bar(size: int) -> None:
    matrix = np.random.default_rng(0).integers(100, size=(size, size))
    names = [f"class {i}" for i in range(size)]
    figure = confusion_figure(matrix, names)
    axes, bar = figure.axes

    assert [label.get_text() for label in axes.get_xticklabels()] == names
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert bar.get_ylabel() == "share of the true class"
    width, height = figure.get_size_inches()
    with Image.open(io.BytesIO(render(figure, "png", 50))) as picture:
        picture.load()
        assert picture.size == pytest.approx((50 * width, 50 * height), abs=1)


def test_cells_show_counts_and_colours_show_shares_of_the_row() -> None:
    matrix = np.array([[1, 3], [0, 100]])
    figure = confusion_figure(matrix, ["x", "y"])
    axes = figure.axes[0]

    assert [text.get_text() for text in axes.texts] == ["1", "3", "0", "100"]
    assert np.asarray(axes.images[0].get_array()).tolist() == [[0.25, 0.75], [0, 1]]
    heading, interval = figure.get_suptitle().splitlines()
    assert heading == "104 images, accuracy 97.12 %"
    assert interval.split() == ["(91.9", "to", "99.0", "%)"]


def test_many_classes_have_no_numbers() -> None:
    assert (
        not confusion_figure(np.eye(40, dtype=np.int64), [str(i) for i in range(40)]).axes[0].texts
    )


def test_an_empty_matrix_is_drawn() -> None:
    assert render(confusion_figure(np.zeros((3, 3), np.int64), list("abc"), title="t"), "png", 40)
