"""Where patches lie in an image, and the regions that they are averaged over.

Along each axis the p positions of patches are shared out among g regions: region r has positions
``floor(r p / g)`` to ``ceil((r + 1) p / g)``, without the last. If g does not divide p, neighbours
share a position. So regions mirror each other whatever p and g are.

Patches are ordered *cell by cell*: a cell is a rectangle of positions that belong to the same
regions. The sum over a cell is then one over consecutive rows, and a region is a few cells.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Indices
from softmax_cli.data.images import IMAGE_SHAPE

CHANNELS, SIDE, _ = IMAGE_SHAPE


@dataclass(frozen=True)
class PatchGrid:
    """Square patches at regular distances, and regions.

    Attributes:
        patch_size: pixels along the side of a patch.
        stride: pixels between two patches; the last patch ends where the image ends.
        regions: g, along each side of the image.
    """

    patch_size: int
    stride: int
    regions: int

    @cached_property
    def pixels(self) -> int:
        """Numbers in a patch: its pixels times three channels."""
        return CHANNELS * self.patch_size**2

    @cached_property
    def side_positions(self) -> int:
        """p, the positions of patches along each side."""
        return (SIDE - self.patch_size) // self.stride + 1

    @cached_property
    def positions(self) -> int:
        """The patches of an image."""
        return self.side_positions**2

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """First and last-but-one position of each region along a side."""
        p, g = self.side_positions, self.regions
        return [(r * p // g, -(-(r + 1) * p // g)) for r in range(g)]

    @cached_property
    def _cuts(self) -> list[tuple[int, int]]:
        """The same of each cell."""
        return list(pairwise(sorted({edge for span in self._spans for edge in span})))

    @cached_property
    def rectangles(self) -> list[tuple[slice, slice]]:
        """Rows and columns of positions that make up each cell."""
        slices = [slice(*cut) for cut in self._cuts]
        return list(product(slices, slices))

    @cached_property
    def cells(self) -> list[slice]:
        """Where each cell's patches are, if patches are ordered cell by cell."""
        sizes = [
            (rows.stop - rows.start) * (columns.stop - columns.start)
            for rows, columns in self.rectangles
        ]
        return [slice(*edges) for edges in pairwise([0, *np.cumsum(sizes).tolist()])]

    @cached_property
    def order(self) -> Indices:
        """Positions (positions,), numbered row by row, in the order cell by cell."""
        numbers = np.arange(self.positions).reshape(self.side_positions, self.side_positions)
        return np.concatenate([numbers[rectangle].ravel() for rectangle in self.rectangles])

    @cached_property
    def averaging(self) -> NDArray[np.float32]:
        """The matrix (regions**2, cells) that makes means over regions from sums over cells."""
        member = np.array(
            [
                [start <= low and high <= stop for low, high in self._cuts]
                for start, stop in self._spans
            ]
        )
        lengths = np.array([stop - start for start, stop in self._spans])
        along = member / lengths[:, None]
        return np.kron(along, along).astype(np.float32)

    @cached_property
    def mirrored_pixels(self) -> Indices:
        """How mirroring a patch permutes its numbers (pixels,), which are channel-major."""
        size = self.patch_size
        numbers = np.arange(self.pixels).reshape(CHANNELS, size, size)
        return np.ascontiguousarray(numbers[:, :, ::-1]).ravel()
