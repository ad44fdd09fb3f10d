import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from softmax_cli.errors import DivergedError
from softmax_cli.plots import TemplateScale, render, template_images, templates_figure


def random_weights(num_classes: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(3072, num_classes)).astype(np.float32)


def test_pixels_are_where_their_weights_are() -> None:
    weights = np.zeros((3072, 2))
    weights[1 * 1024 + 5 * 32 + 7, 1] = 1.0
    image = template_images(weights, "global")[1]

    assert image.shape == (32, 32, 3)
    assert np.argwhere(image == 255).tolist() == [[5, 7, 1]]


def test_global_scale_spans_all_classes_and_class_scale_each() -> None:
    weights = random_weights(3) * [1.0, 0.5, 0.1]
    together = template_images(weights, "global")
    apart = template_images(weights, "class")

    assert (together.min(), together.max()) == (0, 255)
    assert int(np.ptp(together[2])) < 60
    for image in apart:
        assert (image.min(), image.max()) == (0, 255)


@pytest.mark.parametrize("scale", ["global", "class"])
def test_equal_weights_are_grey(scale: TemplateScale) -> None:
    assert np.unique(template_images(np.full((3072, 2), 0.3), scale)).tolist() == [128]


def test_weights_that_are_not_finite_are_refused() -> None:
    weights = random_weights(2)
    weights[4, 1] = np.nan

    with pytest.raises(DivergedError, match="finite weights"):
        template_images(weights, "global")


@pytest.mark.parametrize(("num_classes", "columns"), [(1, 1), (3, 3), (10, 5), (23, 8)])
def test_every_class_is_drawn_under_its_name(num_classes: int, columns: int) -> None:
    names = [f"class {i}" for i in range(num_classes)]
    images = template_images(random_weights(num_classes), "global")
    figure = templates_figure(images, names, scale="global")
    drawn = [axes for axes in figure.axes if axes.images]

    assert [axes.get_title() for axes in drawn] == names
    assert len(figure.axes) % columns == 0
    assert np.array_equal(np.asarray(drawn[-1].images[0].get_array()), images[-1])
    width, height = figure.get_size_inches()
    with Image.open(io.BytesIO(render(figure, "png", 40))) as picture:
        picture.load()
        assert picture.size == pytest.approx((40 * width, 40 * height), abs=1)


def test_long_names_are_cut() -> None:
    images = template_images(random_weights(1), "class")
    title = templates_figure(images, ["x" * 99], scale="class").axes[0].get_title()

    assert title == "x" * 17 + "…"
