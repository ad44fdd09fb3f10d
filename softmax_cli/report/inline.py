"""Pictures as ``data:`` URIs, which an HTML page carries in itself."""

import io
from base64 import b64encode
from typing import TYPE_CHECKING

from softmax_cli.arrays import Images

if TYPE_CHECKING:
    from softmax_cli.plots import Figure

_MAX_SVG_BYTES = 500_000
_DPI = 120  # as wide as the page, for a picture of 8 inches


def data_uri(content: bytes, media_type: str) -> str:
    """Bytes as a ``data:`` URI."""
    return f"data:{media_type};base64,{b64encode(content).decode('ascii')}"


def figure_uri(figure: "Figure") -> str:
    """A figure as SVG, sharp at every size; as PNG where it has too many parts for that.

    In an image of its own its identifiers and styles cannot meet those of another picture.
    """
    from softmax_cli.plots.style import render

    drawn = render(figure, "svg")
    if len(drawn) > _MAX_SVG_BYTES:
        return data_uri(render(figure, "png", _DPI), "image/png")
    return data_uri(drawn, "image/svg+xml")


def png_uri(image: Images) -> str:
    """An image (H, W, 3) as PNG, a pixel of the file for each of its own."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png", optimize=True)
    return data_uri(stream.getvalue(), "image/png")
