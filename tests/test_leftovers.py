"""The check that ends every run of these tests finds what it should, and nothing else."""

import mmap
from pathlib import Path

import pytest

from tests import leftovers
from tests.leftovers import Leftovers

pytestmark = pytest.mark.usefixtures("_at_once")


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_SECONDS", 0.0)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    folders = tmp_path / "temporary", tmp_path / "working", tmp_path / "shm"
    for folder in folders:
        folder.mkdir()
        (folder / "older").touch()
    return folders


def test_what_is_new_is_found_with_the_test_that_made_it(places: tuple[Path, Path, Path]) -> None:
    left = Leftovers(*places)
    left.note("first")
    for folder in places:
        (folder / "new").touch()
    left.note("second")
    left.note("third")
    assert left.found() == [f"{folder / 'new'}, first seen after second" for folder in places]


def test_what_is_removed_or_kept_by_tools_is_not(places: tuple[Path, Path, Path]) -> None:
    left = Leftovers(*places)
    (places[0] / "passing").touch()
    (places[1] / ".pytest_cache").mkdir()
    left.note("first")
    (places[0] / "passing").unlink()
    assert left.found() == []


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_shared_memory_in_use_is_left_to_its_users(places: tuple[Path, Path, Path]) -> None:
    left = Leftovers(*places)
    (places[2] / "sem.of-others").write_bytes(b"x" * 32)
    with (places[2] / "sem.of-others").open("r+b") as file, mmap.mmap(file.fileno(), 0):
        assert left.found() == []
    assert len(left.found()) == 1
