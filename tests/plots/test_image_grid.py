import numpy as np
import pytest

from softmax_cli.plots.image_grid import grid_shape, images_from_rows, picture_grid


def test_rows_become_images_without_a_copy() -> None:
    rows = np.arange(2 * 3072).reshape(2, 3072)
    images = images_from_rows(rows)
    assert images.shape == (2, 32, 32, 3)
    assert np.shares_memory(images, rows)
    # Channel-major: all of red, row by row, then green, then blue.
    assert images[1, 2, 5].tolist() == [3072 + 2 * 32 + 5 + 1024 * channel for channel in range(3)]


@pytest.mark.parametrize("count", range(1, 60))
def test_grids_hold_all_images_with_few_gaps(count: int) -> None:
    rows, columns = grid_shape(count)

    assert count <= rows * columns < count + columns
    assert rows <= columns or count < 3
    if count in (10, 12, 20):
        assert (rows, columns) == {10: (2, 5), 12: (2, 6), 20: (3, 7)}[count]


@pytest.mark.parametrize("count", [1, 3, 10])
def test_each_image_has_its_caption_and_gaps_are_blank(count: int) -> None:
    images = np.random.default_rng(0).integers(256, size=(count, 4, 6, 3), dtype=np.uint8)
    captions = [f"image {number}" for number in range(count)]
    figure = picture_grid(images, captions, title="all of them")
    filled = [axes for axes in figure.axes if axes.images]

    assert figure.get_suptitle() == "all of them"
    assert [axes.get_title() for axes in filled] == captions
    for axes, image in zip(filled, images, strict=True):
        assert np.array_equal(np.asarray(axes.images[0].get_array()), image)
    assert not any(axes.axison for axes in figure.axes)


def test_longer_captions_make_a_higher_figure() -> None:
    images, captions = np.zeros((10, 32, 32, 3), np.uint8), [""] * 10
    low, high = (
        picture_grid(images, captions, title="", caption_lines=lines).get_figheight()
        for lines in (1, 2)
    )
    assert high > low
