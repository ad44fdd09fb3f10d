import numpy as np
import pytest

from softmax_cli.features.patch_grid import PatchGrid

GRIDS = [
    pytest.param(PatchGrid(6, 1, 3), id="27 positions in 3 regions"),
    pytest.param(PatchGrid(6, 2, 2), id="14 in 2"),
    pytest.param(PatchGrid(6, 1, 4), id="27 in 4, which share some"),
    pytest.param(PatchGrid(16, 16, 2), id="2 in 2"),
    pytest.param(PatchGrid(5, 1, 1), id="28 in 1"),
]


def test_positions_reach_from_edge_to_edge() -> None:
    grid = PatchGrid(patch_size=6, stride=2, regions=2)
    assert grid.side_positions == 14
    assert grid.positions == 14 * 14
    assert grid.pixels == 108


@pytest.mark.parametrize("grid", GRIDS)
def test_cells_hold_every_position_once(grid: PatchGrid) -> None:
    assert sorted(grid.order) == list(range(grid.positions))
    covered = np.concatenate([np.arange(grid.positions)[cell] for cell in grid.cells])
    assert covered.tolist() == list(range(grid.positions))


@pytest.mark.parametrize("grid", GRIDS)
def test_regions_are_means_and_mirror_each_other(grid: PatchGrid) -> None:
    p, g = grid.side_positions, grid.regions
    cell_of = np.zeros((len(grid.cells), grid.positions))
    for number, cell in enumerate(grid.cells):
        cell_of[number, grid.order[cell]] = 1
    shares = (grid.averaging @ cell_of).reshape(g, g, p, p)  # of each position in each region
    np.testing.assert_allclose(shares.sum(axis=(2, 3)), 1, rtol=1e-6)
    assert (shares == shares[:, ::-1, :, ::-1]).all()
    assert (shares.sum(axis=(0, 1)) > 0).all(), "no position is left out"


def test_regions_share_a_position_where_they_have_to() -> None:
    grid = PatchGrid(patch_size=6, stride=1, regions=2)  # 27 positions: 0 to 13, 13 to 26
    assert [cell.stop - cell.start for cell in grid.cells][:3] == [13 * 13, 13, 13 * 13]
    assert grid.averaging[0].tolist() == pytest.approx([14**-2] * 2 + [0] + [14**-2] * 2 + [0] * 4)


def test_a_patch_is_mirrored_along_its_columns() -> None:
    patch = np.arange(12).reshape(3, 2, 2)
    mirrored = patch.ravel()[PatchGrid(2, 1, 1).mirrored_pixels].reshape(3, 2, 2)
    assert (mirrored == patch[:, :, ::-1]).all()
