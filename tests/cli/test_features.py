"""``softmax features``."""

from pathlib import Path

import numpy as np
import pytest

from softmax_cli.features.row_files import RowFile
from tests.cli.conftest import Run

SETTINGS = {"kind": "hog", "cell_size": 8}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A data directory with features in it."""
    folder = tmp_path / "pictures" / "features"
    folder.mkdir(parents=True)
    file = RowFile(folder, "0" * 24)
    file.write(iter([np.zeros((20, 154), np.uint8)]), (20, 154), SETTINGS)
    return folder


def test_lists_what_is_kept(run: Run, kept: Path) -> None:
    result = run("features", "--data-dir", str(kept.parent))
    assert result.code == 0
    assert all(text in result.out for text in ("hog", "20", "154", "cell_size=8"))
    document = run("features", "--data-dir", str(kept.parent), "--format", "json").json()
    assert document["folder"] == str(kept)
    (entry,) = document["features"]
    assert entry["settings"] == SETTINGS
    assert (entry["images"], entry["features"], entry["dtype"]) == (20, 154, "uint8")


def test_clears_what_is_kept_and_nothing_else(run: Run, kept: Path) -> None:
    (kept / "mine.npy").write_text("mine")
    document = run("features", "--clear", "--data-dir", str(kept.parent), "--format", "json").json()
    assert document["files"] == 2
    assert document["bytes"] > 20 * 154
    assert [path.name for path in kept.iterdir()] == ["mine.npy"]


def test_says_where_nothing_is_kept(run: Run, tmp_path: Path) -> None:
    result = run("features", "--data-dir", str(tmp_path))
    assert result.code == 0
    assert str(tmp_path / "features") in result.err
    assert "0 files" in run("features", "--clear", "--data-dir", str(tmp_path)).out
