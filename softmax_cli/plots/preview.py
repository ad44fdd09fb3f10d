"""Images on a terminal: two pixels to a character, in 24-bit colour."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_UPPER_HALF = "\u2580"
_RESET = "\x1b[0m"
_GAP = 1
_WANTED_COLUMNS = 5


def half_block_lines(image: NDArray[np.uint8]) -> list[str]:
    """Draw one image with half blocks: the upper pixel is the foreground, the lower the background.

    Args:
        image: ``(H, W, 3)`` uint8 RGB; H even.

    Returns:
        ``H / 2`` lines of W characters with ANSI colour codes, colours reset at the end of each;
        ``rich.text.Text.from_ansi`` reads them.
    """
    return [
        "".join(map(_cell, upper.tolist(), lower.tolist())) + _RESET
        for upper, lower in zip(image[0::2], image[1::2], strict=True)
    ]


def preview_lines(images: NDArray[np.uint8], captions: Sequence[str], width: int) -> list[str]:
    """Draw captioned images side by side, as many as fit a terminal.

    Images are halved (2 x 2 pixels averaged) where five would not fit side by side at full size.

    Args:
        images: ``(n, H, W, 3)`` uint8 RGB; H and W multiples of 4.
        captions: n texts; cut to the images' width.
        width: of the terminal, in characters.

    Returns:
        Lines with ANSI colour codes.
    """
    if _WANTED_COLUMNS * (images.shape[2] + _GAP) - _GAP > width:
        images = _halved(images)
    cell = images.shape[2]
    per_row = max(1, (width + _GAP) // (cell + _GAP))
    lines: list[str] = []
    for start in range(0, len(images), per_row):
        shown = slice(start, start + per_row)
        names = (caption[:cell].center(cell) for caption in captions[shown])
        lines.append((" " * _GAP).join(names).rstrip())
        blocks = zip(*map(half_block_lines, images[shown]), strict=True)
        lines.extend((" " * _GAP).join(parts) for parts in blocks)
    return lines


def _cell(upper: Sequence[int], lower: Sequence[int]) -> str:
    foreground = ";".join(map(str, upper))
    background = ";".join(map(str, lower))
    return f"\x1b[38;2;{foreground};48;2;{background}m{_UPPER_HALF}"


def _halved(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // 2, 2, width // 2, 2, channels)
    means: NDArray[np.float64] = blocks.mean(axis=(2, 4))
    return np.rint(means).astype(np.uint8)
