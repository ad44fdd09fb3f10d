import io
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from softmax_cli.plots import half_block_lines, preview_lines

CELL = re.compile("\x1b\\[38;2;(\\d+);(\\d+);(\\d+);48;2;(\\d+);(\\d+);(\\d+)m\u2580")
CODES = re.compile(r"\x1b\[[\d;]*m")


def random_images(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(256, size=(count, 32, 32, 3), dtype=np.uint8)


def test_every_pixel_is_in_the_lines() -> None:
    image = random_images(1)[0]
    lines = half_block_lines(image)
    cells = np.array([CELL.findall(line) for line in lines], dtype=np.uint8)

    assert cells.shape == (16, 32, 6)
    assert np.array_equal(cells[:, :, :3], image[0::2])
    assert np.array_equal(cells[:, :, 3:], image[1::2])
    assert all(line.endswith("\x1b[0m") for line in lines)


@pytest.mark.parametrize(
    ("width", "per_row", "cell"), [(20, 1, 16), (80, 4, 16), (84, 5, 16), (164, 5, 32)]
)
def test_images_fit_the_terminal(width: int, per_row: int, cell: int) -> None:
    names = [f"class {i}" for i in range(10)]
    lines = preview_lines(random_images(10), names, width)
    plain = [CODES.sub("", line) for line in lines]
    rows = -(-10 // per_row)

    assert len(lines) == rows * (1 + cell // 2)
    assert max(map(len, plain)) == per_row * (cell + 1) - 1
    assert max(map(len, plain)) <= width
    assert re.findall(r"class \d", plain[0]) == names[:per_row]


def test_halved_images_are_averages() -> None:
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, :2, :2, 0] = [[100, 200], [0, 100]]
    first = CELL.match(preview_lines(image, ["x"], 40)[1])

    assert first is not None
    assert first.groups()[:3] == ("100", "0", "0")


def test_rich_prints_the_lines_unchanged_in_width() -> None:
    lines = preview_lines(random_images(10), ["name"] * 10, 80)
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(Text.from_ansi(line))

    assert len(out.getvalue().splitlines()) == len(lines)
