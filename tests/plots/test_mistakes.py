import io

import numpy as np
import pytest
from PIL import Image

from softmax_cli.plots import mistakes_figure, render

NAMES = ["airplane", "automobile", "bird"]


@pytest.mark.parametrize("count", [1, 10, 20])
def test_images_are_drawn_with_both_classes_and_their_probabilities(count: int) -> None:
    rows = np.random.default_rng(0).integers(256, size=(count, 3072), dtype=np.uint8)
    probabilities = np.tile([0.004, 0.72, 0.276], (count, 1))
    figure = mistakes_figure(rows, np.zeros(count, int), probabilities, NAMES)
    drawn = [axes for axes in figure.axes if axes.images]

    assert len(drawn) == count
    assert drawn[0].get_title() == "automobile 72 %\n(airplane <1 %)"
    assert np.array_equal(
        np.asarray(drawn[-1].images[0].get_array())[:, :, 2], rows[-1, 2048:].reshape(32, 32)
    )
    width, height = figure.get_size_inches()
    with Image.open(io.BytesIO(render(figure, "png", 50))) as picture:
        picture.load()
        assert picture.size == pytest.approx((50 * width, 50 * height), abs=1)


def test_near_certainty_is_not_rounded_to_certainty() -> None:
    figure = mistakes_figure(
        np.zeros((1, 3072), np.uint8), np.array([2]), np.array([[0.999, 0.001, 0.0]]), NAMES
    )

    assert figure.axes[0].get_title() == "airplane >99 %\n(bird 0 %)"


def test_a_model_without_mistakes_gets_a_sentence() -> None:
    figure = mistakes_figure(
        np.zeros((0, 3072), np.uint8), np.zeros(0, int), np.zeros((0, 3)), NAMES
    )

    assert [text.get_text() for text in figure.axes[0].texts] == ["no mistakes"]
    assert render(figure, "png", 50)
