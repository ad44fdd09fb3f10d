import base64
import io

import numpy as np
from PIL import Image

from softmax_cli.plots.confusion import confusion_figure
from softmax_cli.plots.style import new_figure
from softmax_cli.report.inline import data_uri, figure_uri, png_uri


def content(uri: str) -> tuple[str, bytes]:
    head, _, data = uri.partition(";base64,")
    return head, base64.b64decode(data)


def test_bytes_come_back_from_a_uri() -> None:
    assert content(data_uri(b"\0<>\xff", "text/x")) == ("data:text/x", b"\0<>\xff")


def test_a_figure_is_svg_that_names_no_other_file() -> None:
    uri = figure_uri(confusion_figure(np.eye(2, dtype=np.int64), ["a", "</svg><script>"]))
    kind, svg = content(uri)
    assert kind == "data:image/svg+xml"
    assert b"<script>" not in svg


def test_a_figure_of_very_many_parts_is_png() -> None:
    figure = new_figure(4, 4, "")
    axes = figure.subplots()
    axes.vlines(range(5000), 0, 1)
    kind, png = content(figure_uri(figure))
    assert kind == "data:image/png"
    with Image.open(io.BytesIO(png)) as read:
        assert read.size == (480, 480)


def test_an_image_is_png_of_its_own_pixels() -> None:
    image = np.random.default_rng(0).integers(256, size=(4, 5, 3), dtype=np.uint8)
    kind, png = content(png_uri(image))
    assert kind == "data:image/png"
    with Image.open(io.BytesIO(png)) as read:
        np.testing.assert_array_equal(np.asarray(read), image)
