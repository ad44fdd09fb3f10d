import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from softmax_cli.data.batch_files import CIFAR10_FILES, FOLDER, find_batches, verify
from softmax_cli.errors import DataError

if TYPE_CHECKING:
    from tests.data.conftest import SmallDataSet


def states(small: "SmallDataSet", data_dir: Path) -> dict[str, str]:
    return {finding.name: finding.state for finding in verify(data_dir, small.files)}


def test_finds_the_folder_and_its_parent(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    assert find_batches(tmp_path) == folder
    assert find_batches(folder) == folder
    renamed = folder.rename(tmp_path / "elsewhere")
    assert find_batches(renamed) == renamed


def test_missing_folder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not found") as caught:
        find_batches(tmp_path)
    assert caught.value.hint is not None
    assert "softmax download" in caught.value.hint
    assert "Synthetic images never stand in" in caught.value.hint
    assert str(tmp_path / FOLDER) in caught.value.message


def test_archive_given_as_a_folder(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    archive.write_bytes(b"")
    with pytest.raises(DataError, match="expected a folder") as caught:
        find_batches(archive)
    assert f"softmax download --from {archive}" in str(caught.value.hint)


def test_intact(small: "SmallDataSet", tmp_path: Path) -> None:
    small.write(tmp_path)
    assert set(states(small, tmp_path).values()) == {"intact"}


def test_every_kind_of_damage_is_told_apart(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    content = small.contents["data_batch_1"]
    (folder / "data_batch_1").write_bytes(content[:-1])
    (folder / "data_batch_2").write_bytes(small.contents["data_batch_2"] + b"x")
    (folder / "data_batch_3").write_bytes(content)
    (folder / "data_batch_4").unlink()
    flipped = bytearray(small.contents["data_batch_5"])
    flipped[2000] ^= 1
    (folder / "data_batch_5").write_bytes(flipped)
    (folder / "test_batch").unlink()
    (folder / "test_batch").mkdir()
    assert states(small, tmp_path) == {
        "data_batch_1": "truncated",
        "data_batch_2": "altered",
        "data_batch_3": "swapped",
        "data_batch_4": "missing",
        "data_batch_5": "altered",
        "test_batch": "unreadable",
        "batches.meta": "intact",
    }
    details = {finding.name: finding.detail for finding in verify(tmp_path, small.files)}
    assert details["data_batch_1"] == f"expected {len(content):,} bytes, got {len(content) - 1:,}"
    assert details["data_batch_3"] == "expected data_batch_3, got data_batch_1"


@pytest.mark.posix("named pipes")
def test_pipe_in_place_of_a_file_does_not_block(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    (folder / "test_batch").unlink()
    os.mkfifo(folder / "test_batch")
    assert states(small, tmp_path)["test_batch"] == "unreadable"


def test_file_far_too_large_is_not_read(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    with (folder / "test_batch").open("wb") as sparse:
        sparse.truncate(1 << 40)
    assert states(small, tmp_path)["test_batch"] == "altered"


@pytest.mark.cifar10
def test_the_real_files_are_the_expected_ones(cifar10_dir: Path) -> None:
    assert {finding.state for finding in verify(cifar10_dir)} == {"intact"}
    assert len(CIFAR10_FILES) == 7
