"""Histograms of oriented gradients (HOG), with histograms of colours beside them.

An image is cut into square cells. In each cell a histogram says how much brightness changes, and in
which orientations (Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR
2005). With x to the right, y downwards, colours from 0 to 1 and V = 0.299 R + 0.587 G + 0.114 B:

- *Gradient*: ``g = ((V[y, x+1] - V[y, x-1]) / 2, (V[y+1, x] - V[y-1, x]) / 2)``; the border is
  repeated outwards. Or that of the colour channel in which g is longest.
- *Vote*: the centres of the bins are n directions ``t_j = (j - (n-1)/2) w`` with ``w = 180°/n``,
  and the opposite ones. A gradient between the directions of two neighbouring bins is written as a
  sum of vectors in these directions, and the length of each is its vote:
  ``sin(w - d)/sin(w) |g|`` for the bin at an angle d from g, d < w. So votes change continuously
  with the gradient, and no arctangent is needed: with ``p_j = u_j x g``, the cross product with the
  unit vector of bin j, the vote for bin j is ``max(0, min(p_{j-1}, -p_{j+1})) / sin(w)``. Opposite
  directions share a bin, unless orientations are *signed*.
- *Cell*: the mean of the votes over its pixels. With *overlap*, pixels up to one cell away from the
  centre count, by a weight that falls linearly along each axis.
- *Block*: a histogram h is divided by ``sqrt(sum of the squares of all bins of a block + e^2)``,
  where a block are 2 x 2 cells, for each of the four blocks that the cell is in, and the four
  results, cut at *clip*, are averaged, as Felzenszwalb et al. do (PAMI 2010, section 6.2).
- *Square root* of each number: differences between small values count more.

Colours: the mean and the deviation of R, G and B over each cell; histograms of hue over each cell,
in which the part of a colour that is not gray, a vector in the plane of hues, votes as a gradient
does; and a histogram of hue over the whole image, the share of pixels in each of equal parts of the
circle of hues. A gray pixel has hue 0.

**The exercise of CS231n.** The defaults give what ``hog_feature`` and ``color_histogram_hsv`` of
its assignment on features give: 4 x 4 cells of 8 x 8 pixels, 9 bins that are centred at -80°, -60°
... 80°, and 10 hues; 154 numbers. They differ in this:

- A gradient of theirs whose x is negative, half of all, is in no bin: the angles run over 360° and
  the bins over 180°. Where x is 0, rounding decides. Here opposite directions share a bin, so that
  a mirrored image has the same features in other places.
- Their differences are those to the next pixel, and 0 in the last row and column; here they are
  central, because mirroring moves the former by a pixel.
- A gradient of theirs votes with its whole length for one bin; here for two. On the border between
  bins there is no jump, which rounding or mirroring could decide one way or the other.
- Their weight of blue is 0.144, which makes white brighter than 1; it is 0.114 (ITU-R BT.601).
- Their pixels go to 255, so their votes are 255 times as large, and cells come column by column.
- Their average is a moving one, read at one place in each cell; there it is the mean of the cell.
- The bins of hue are the same; here a hue on the border between two is never rounded down.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Images, Indices
from softmax_cli.data.images import IMAGE_SHAPE
from softmax_cli.features.chunks import transform_in_chunks
from softmax_cli.features.unlearned import Unlearned

Gradient: TypeAlias = Literal["gray", "strongest"]
Normalization: TypeAlias = Literal["none", "blocks"]

_Planes: TypeAlias = NDArray[np.float32]
"""Numbers (..., m) of m images. Images come last: whatever is done to pixels is done to a row of
numbers that lie side by side in memory, and does not depend on how many there are."""

_SIDE = IMAGE_SHAPE[1]
_GRAY = (0.299, 0.587, 0.114)
_CHUNK = 64  # images at a time: an array of a number per pixel takes 256 KB, and stays in the cache
_SOFTENING = 0.025
"""The ``e`` of blocks, in brightness per pixel: a block of less than this has little but noise."""


class Strokes(NamedTuple):
    """The weights of C classes for edges and hues, without those for the colours of cells.

    Attributes:
        cells: (C, k, k, bins), the cells row by row.
        angles: (bins,), the direction of each bin's gradients in radians, from right to down; from
            dark to light where they are signed. An edge is perpendicular to its gradient.
        hues: (C, hue bins), from red over green and blue back to red.
    """

    cells: Floats
    angles: NDArray[np.float64]
    hues: Floats


class Hog(Unlearned):
    """The feature map; nothing is learned.

    Features come part by part: orientations, colours, hues of cells, hues of the image. In a part
    they come bin by bin, and in a bin cell by cell, row by row.

    Args:
        cell_size: side of a cell in pixels, a divisor of 32.
        orientations: n, bins over 180 degrees, 2 or more.
        signed: bins over 360 degrees, 2 n of them.
        gradient: of the gray image, or the longest of the three channels.
        overlap: cells overlap, with weights that fall linearly.
        normalization: by blocks of 2 x 2 cells, or none.
        clip: what the histogram of a cell in a block is cut at, above 0; 1 changes nothing.
        square_root: of the histograms of the cells.
        cell_colors: mean and deviation of R, G and B over each cell.
        cell_hue_bins: bins of the histogram of hues of each cell: 0, or an even number from 4.
        hue_bins: bins of the histogram of hues of the image, 0 or more.
    """

    kind: ClassVar[str] = "hog"
    is_costly: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __init__(
        self,
        *,
        cell_size: int = 8,
        orientations: int = 9,
        signed: bool = False,
        gradient: Gradient = "gray",
        overlap: bool = False,
        normalization: Normalization = "none",
        clip: float = 1.0,
        square_root: bool = False,
        cell_colors: bool = False,
        cell_hue_bins: int = 0,
        hue_bins: int = 10,
    ) -> None:
        self._cell = cell_size
        self._cells = _SIDE // cell_size  # k, along each side
        self._orientations = orientations
        self._signed = signed
        self._gradient = gradient
        self._overlap = overlap
        self._normalization = normalization
        self._clip = clip
        self._square_root = square_root
        self._cell_colors = cell_colors
        self._cell_hue_bins = cell_hue_bins
        self._hue_bins = hue_bins

    @property
    def bins(self) -> int:
        """Bins of a cell's histogram of orientations."""
        return 2 * self._orientations if self._signed else self._orientations

    @property
    def size(self) -> int:
        """P."""
        per_cell = self.bins + 6 * self._cell_colors + self._cell_hue_bins
        return per_cell * self._cells**2 + self._hue_bins

    @property
    def mirror(self) -> Indices:
        """Cells change places, left and right, and so do the orientations; colours do not."""
        per_cell = np.arange(self.size - self._hue_bins).reshape(-1, self._cells, self._cells)
        bins = np.arange(len(per_cell))
        bins[: self.bins] = self._mirrored_bins()
        whole = np.arange(self.size - self._hue_bins, self.size)
        return np.concatenate([per_cell[bins, :, ::-1].reshape(-1), whole])

    def _mirrored_bins(self) -> Indices:
        """Where the direction ``180° - t_j`` is: at ``-t_j``, or opposite to it."""
        reversed_bins = np.arange(self._orientations)[::-1]
        if not self._signed:
            return reversed_bins
        return np.concatenate([reversed_bins + self._orientations, reversed_bins])

    def transform(self, images: Images) -> NDArray[np.float32]:
        """Features (n, P) of images (n, 3072); a row does not depend on the other images."""
        return transform_in_chunks(images, self._describe, size=self.size, chunk=_CHUNK)

    def to_pixels(self, weights: Floats) -> None:
        """None: the length of a gradient is not linear in the pixels."""

    def strokes(self, weights: Floats) -> Strokes:
        """Lay out the weights (P, C) of features so that they can be drawn."""
        counts = [self.bins * self._cells**2, self.size - self._hue_bins]
        orientations, _, hues = np.split(weights.T, counts, axis=1)
        cells = orientations.reshape(-1, self.bins, self._cells, self._cells)
        angles = _directions(self._orientations)
        return Strokes(
            cells=cells.transpose(0, 2, 3, 1),
            angles=np.concatenate([angles, angles + np.pi])[: self.bins],
            hues=hues,
        )

    def _describe(self, images: Images, out: NDArray[np.float32]) -> None:
        """Write the features of m images (m, 3072) into ``out`` (m, P)."""
        colors = np.ascontiguousarray(images.T).astype(np.float32)  # (3072, m)
        np.divide(colors, 255, out=colors)
        parts = self._parts(colors.reshape(*IMAGE_SHAPE, len(images)))
        np.concatenate([part.reshape(-1, len(images)) for part in parts], out=out.T)

    def _parts(self, colors: _Planes) -> Iterator[_Planes]:
        """The parts of the features of colours (3, 32, 32, m): (bins, k, k, m), and (bins, m)."""
        yield self._orientation_histograms(colors)
        if self._cell_colors:
            yield from self._color_moments(colors)
        if self._cell_hue_bins:
            across, up = _hue_vector(colors)
            directions = _directions(self._cell_hue_bins // 2)
            histograms = self._histograms(across, up, directions - directions[0], signed=True)
            yield np.sqrt(histograms, out=histograms) if self._square_root else histograms
        if self._hue_bins:
            yield _hue_histogram(colors, self._hue_bins)

    def _orientation_histograms(self, colors: _Planes) -> _Planes:
        x, y = _gray_gradient(colors) if self._gradient == "gray" else _strongest_gradient(colors)
        histograms = self._histograms(x, y, _directions(self._orientations), signed=self._signed)
        if self._normalization == "blocks":
            histograms = _normalized_by_blocks(histograms, self._clip)
        return np.sqrt(histograms, out=histograms) if self._square_root else histograms

    def _histograms(
        self, x: _Planes, y: _Planes, directions: NDArray[np.float64], *, signed: bool
    ) -> _Planes:
        """Histograms (bins, k, k, m) of vectors (32, 32, m): n bins, or 2 n if they are signed."""
        bins = len(directions)
        width = np.pi / bins
        scale = 1 / (np.sin(width) * self._cell**2)  # of votes, and of a mean over a cell
        histograms = np.empty(((1 + signed) * bins, self._cells, self._cells, x.shape[-1]), x.dtype)
        # Cross products with three directions in turn, p_{j-1}, p_j and -p_{j+1}: (32, 32, m) each.
        before, at, after = np.empty((3, *x.shape), x.dtype)
        votes, opposite = np.empty((2, *x.shape), x.dtype)

        def product(angle: float, out: _Planes) -> None:
            np.multiply(y, np.float32(scale * np.cos(angle)), out=out)
            np.multiply(x, np.float32(scale * np.sin(angle)), out=votes)
            np.subtract(out, votes, out=out)

        product(directions[0] - width, before)
        product(directions[0], at)
        for j, angle in enumerate(directions):
            product(angle + width + np.pi, after)
            np.minimum(before, after, out=votes)
            np.maximum(votes, 0, out=votes)
            np.maximum(before, after, out=opposite)
            np.minimum(opposite, 0, out=opposite)  # votes for bin j + n, below 0
            if signed:
                self._sum_cells(opposite, histograms[bins + j])
                np.negative(histograms[bins + j], out=histograms[bins + j])
            else:
                np.subtract(votes, opposite, out=votes)
            self._sum_cells(votes, histograms[j])
            before, at, after = at, np.negative(after, out=after), before
        return histograms

    def _sum_cells(self, pixels: _Planes, out: _Planes) -> None:
        """Sums (k, k, m) over the cells of pixels (32, 32, m)."""
        k, cell, m = self._cells, self._cell, pixels.shape[-1]
        sums = _overlapping_sums if self._overlap else _sums
        rows = sums(pixels.reshape(1, k, cell, -1))  # (1, k, 32 m)
        out[...] = sums(rows.reshape(k, k, cell, m))

    def _color_moments(self, colors: _Planes) -> Iterator[_Planes]:
        """Means, then deviations, (3, k, k, m) each."""
        k, cell, m = self._cells, self._cell, colors.shape[-1]

        def mean(values: _Planes) -> _Planes:
            rows = _sums(values.reshape(3, k, cell, -1))  # (3, k, 32 m)
            sums = _sums(rows.reshape(3 * k, k, cell, m))  # (3 k, k, m)
            return np.divide(sums, cell**2, out=sums).reshape(3, k, k, m)

        means = mean(colors)
        spread = np.repeat(np.repeat(means, cell, axis=1), cell, axis=2)
        np.subtract(colors, spread, out=spread)
        np.square(spread, out=spread)
        yield means
        yield np.sqrt(mean(spread))


def _directions(bins: int) -> NDArray[np.float64]:
    """Centres of n bins over 180°, in radians, from below 0 to above: symmetric to the bit."""
    places: NDArray[np.float64] = np.arange(bins, dtype=np.float64) - (bins - 1) / 2
    return places * (np.pi / bins)


def _gray_gradient(colors: _Planes) -> tuple[_Planes, _Planes]:
    red, green, blue = (colors[i] * np.float32(weight) for i, weight in enumerate(_GRAY))
    return _differences(red + green + blue)


def _strongest_gradient(colors: _Planes) -> tuple[_Planes, _Planes]:
    """At each pixel the longest of the three gradients; of equals the first."""
    x, y = _differences(colors[0])
    squares = x * x + y * y
    for color in colors[1:]:
        other_x, other_y = _differences(color)
        other_squares = other_x * other_x + other_y * other_y
        longer = other_squares > squares
        x, y = _where(longer, other_x, x), _where(longer, other_y, y)
        np.maximum(squares, other_squares, out=squares)
    return x, y


def _where(condition: NDArray[np.bool_], chosen: _Planes, otherwise: _Planes) -> _Planes:
    """``np.where`` for float32, by operations on bits, which are several times as fast."""
    mask = np.negative(condition.astype(np.int32))  # all bits, or none
    bits = otherwise.view(np.int32) ^ chosen.view(np.int32)
    np.bitwise_and(bits, mask, out=bits)
    np.bitwise_xor(bits, otherwise.view(np.int32), out=bits)
    return bits.view(np.float32)


def _differences(values: _Planes) -> tuple[_Planes, _Planes]:
    """Central differences across and down, (32, 32, m) each; the border is repeated outwards."""
    x, y = np.empty_like(values), np.empty_like(values)
    np.subtract(values[:, 2:], values[:, :-2], out=x[:, 1:-1])
    np.subtract(values[:, 1], values[:, 0], out=x[:, 0])
    np.subtract(values[:, -1], values[:, -2], out=x[:, -1])
    np.subtract(values[2:], values[:-2], out=y[1:-1])
    np.subtract(values[1], values[0], out=y[0])
    np.subtract(values[-1], values[-2], out=y[-1])
    return np.multiply(x, np.float32(0.5), out=x), np.multiply(y, np.float32(0.5), out=y)


def _sums(values: _Planes) -> _Planes:
    """Sums (a, k, b) of values (a, k, c, b) over cells of c values, in this order.

    The order in which numpy's own sum adds depends on the shape, and so on the number of images.
    """
    sums = values[:, :, 0] + values[:, :, 1]
    for position in range(2, values.shape[2]):
        np.add(sums, values[:, :, position], out=sums)
    return sums


def _overlapping_sums(values: _Planes) -> _Planes:
    """Sums (a, k, b) of values (a, k, c, b) over cells of 2 c values, by weights 1 - distance/c."""
    cell = values.shape[2]
    sums = np.zeros((*values.shape[:2], values.shape[3]), values.dtype)
    for position in range(cell):
        offset = (position + 0.5) / cell - 0.5  # from the centre of its own cell
        value = values[:, :, position]
        sums += value * np.float32(1 - abs(offset))
        neighbour = value * np.float32(abs(offset))
        if offset < 0:
            sums[:, :-1] += neighbour[:, 1:]
        else:
            sums[:, 1:] += neighbour[:, :-1]
    return sums


def _normalized_by_blocks(histograms: _Planes, clip: float) -> _Planes:
    """Histograms (bins, k, k, m), divided by the lengths of their four blocks and averaged."""
    k = histograms.shape[1]
    squares = histograms[0] * histograms[0]
    for histogram in histograms[1:]:
        np.add(squares, histogram * histogram, out=squares)
    # The cells at the border are repeated outwards, so that each cell is in four blocks.
    padded = np.pad(squares, ((1, 1), (1, 1), (0, 0)), mode="edge")
    pairs = padded[1:] + padded[:-1]
    blocks = pairs[:, 1:] + pairs[:, :-1]  # (k + 1, k + 1, m)
    factors = np.reciprocal(np.sqrt(blocks + np.float32(_SOFTENING**2)))
    around = [factors[i : i + k, j : j + k] for i in (0, 1) for j in (0, 1)]
    quarter = np.float32(0.25)
    if clip >= 1:  # no number in a block is greater than its length
        factor: _Planes = (around[0] + around[1] + (around[2] + around[3])) * quarter
        return histograms * factor
    cut = [np.minimum(histograms * factor, np.float32(clip)) for factor in around]
    total: _Planes = cut[0] + cut[1] + (cut[2] + cut[3])
    return total * quarter


def _hue_vector(colors: _Planes) -> tuple[_Planes, _Planes]:
    """Where a colour lies in the plane of hues: red to the right, then green, then blue."""
    red, green, blue = colors
    return red - (green + blue) * np.float32(0.5), (green - blue) * np.float32(np.sqrt(0.75))


def _hue_histogram(colors: _Planes, bins: int) -> _Planes:
    """Share of the pixels (bins, m) in each part of the circle of hues, of colours (3, 32, 32, m).

    Colours are multiples of 1/255, so six times the hue is a quotient of two small whole numbers.
    The rounded quotient of two such numbers is on the right side of every whole number.
    """
    m = colors.shape[-1]
    red, green, blue = np.rint(colors * 255).reshape(3, -1, m)
    greatest = np.maximum(np.maximum(red, green), blue)
    span = greatest - np.minimum(np.minimum(red, green), blue)
    circle = 6 * span
    hues = green - blue  # where red is greatest
    hues = _where(hues < 0, hues + circle, hues)
    hues = _where(greatest == green, blue - red + 2 * span, hues)
    hues = _where(greatest == blue, red - green + 4 * span, hues)
    hues = _where(span == 0, span, hues)  # gray
    np.maximum(circle, np.float32(1), out=circle)
    places = (hues * np.float32(bins) / circle).astype(np.intp)  # (1024, m)
    np.add(places * m, np.arange(m), out=places)  # positions in (bins, m)
    counts = np.bincount(places.reshape(-1), minlength=bins * m).reshape(bins, m)
    return (counts / (_SIDE * _SIDE)).astype(np.float32)
