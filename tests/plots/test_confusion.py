import io

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from softmax_cli.plots import confusion_figure, render


@pytest.mark.parametrize("size", [1, 2, 10, 25])
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


def test_of_many_classes_the_most_confused_pairs_are_drawn() -> None:
    matrix = 90 * np.eye(40, dtype=np.int64)
    matrix[3, 4], matrix[5, 6], matrix[7, 8] = 10, 30, 10
    matrix[7, 7] = 40
    figure = confusion_figure(matrix, [f"class {i}" for i in range(40)], examples="examples")
    (axes,) = figure.axes

    pairs = [label.get_text() for label in axes.get_yticklabels()]
    assert pairs == ["class 5 → class 6", "class 7 → class 8", "class 3 → class 4"]
    assert [text.get_text() for text in axes.texts] == ["30 of 120", "10 of 50", "10 of 100"]
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    assert [bar.get_width() for bar in bars] == [0.25, 0.2, 0.1]
    heading = figure.get_suptitle().replace("\N{NO-BREAK SPACE}", " ")
    assert heading == (
        "3,600 examples, accuracy 98.61 % (98.2 to 98.9 %)\n"
        "the 3 most frequent confusions among 40 classes"
    )
    assert render(figure, "png", 40)


def test_many_classes_without_a_mistake_are_drawn() -> None:
    figure = confusion_figure(np.eye(40, dtype=np.int64), [str(i) for i in range(40)])
    assert not figure.axes[0].patches
    assert render(figure, "png", 40)


def test_an_empty_matrix_is_drawn() -> None:
    assert render(confusion_figure(np.zeros((3, 3), np.int64), list("abc"), title="t"), "png", 40)
