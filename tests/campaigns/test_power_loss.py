"""What the campaign of crashes takes for lost where power is."""

import os
from pathlib import Path

import pytest

from campaigns.disk.power_loss import UnsyncedChanges


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").write_bytes(b"kept")
    (tmp_path / "shadow").mkdir()
    return folder


def sync(changes: UnsyncedChanges, folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    changes.synced(descriptor, folder)
    os.close(descriptor)


def remove_all(changes: UnsyncedChanges, folder: Path) -> None:
    changes.about_to_remove(folder / "inner" / "file")
    (folder / "inner" / "file").unlink()
    changes.about_to_remove_directory(folder / "inner")
    (folder / "inner").rmdir()


@pytest.mark.posix("directories that are synced")
def test_a_removal_that_is_on_the_disk_stays(folder: Path) -> None:
    changes = UnsyncedChanges(folder, folder.parent / "shadow")
    remove_all(changes, folder)
    sync(changes, folder)
    changes.lose(keep_removals=False)
    assert list(folder.iterdir()) == []


@pytest.mark.posix("directories that are synced")
@pytest.mark.parametrize("keep_removals", [False, True])
def test_a_removal_that_is_not_returns_or_not(folder: Path, keep_removals: bool) -> None:
    changes = UnsyncedChanges(folder, folder.parent / "shadow")
    remove_all(changes, folder)
    changes.lose(keep_removals=keep_removals)
    assert (folder / "inner" / "file").exists() is not keep_removals


@pytest.mark.posix("directories that are synced")
def test_what_was_deeper_inside_stays_away_too(folder: Path) -> None:
    changes = UnsyncedChanges(folder.parent, folder.parent / "shadow")
    remove_all(changes, folder)
    changes.about_to_remove_directory(folder)
    folder.rmdir()
    sync(changes, folder.parent)
    changes.lose(keep_removals=False)
    assert not folder.exists()
