import gzip
import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from softmax_cli.data import dataset_files
from softmax_cli.data.cifar10 import PUBLICATION
from softmax_cli.data.dataset_files import find_folder, not_intact, verify, write_verified
from softmax_cli.errors import DataError
from softmax_cli.paths import quoted
from tests.data.conftest import FOLDER
from tests.data.foreign import LFS_POINTER, WEB_PAGE, zip_of

if TYPE_CHECKING:
    from tests.data.conftest import SmallDataSet


def states(small: "SmallDataSet", data_dir: Path) -> dict[str, str]:
    return {finding.name: finding.state for finding in verify(data_dir, small.publication)}


def test_finds_the_folder_and_its_parent(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    assert find_folder(tmp_path, PUBLICATION) == folder
    assert find_folder(folder, PUBLICATION) == folder
    renamed = folder.rename(tmp_path / "elsewhere")
    assert find_folder(renamed, PUBLICATION) == renamed


@pytest.mark.parametrize("deeper", ["x", "x/y", FOLDER, f"{FOLDER}/x"])
def test_finds_what_lies_deeper(deeper: str, small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path / deeper)
    (tmp_path / "other/one").mkdir(parents=True)
    assert find_folder(tmp_path, PUBLICATION) == folder
    assert states(small, tmp_path).keys() == small.contents.keys()


def test_finds_a_folder_of_another_name_that_lies_deeper(
    small: "SmallDataSet", tmp_path: Path
) -> None:
    renamed = small.write(tmp_path / "x").rename(tmp_path / "x/batches")
    assert find_folder(tmp_path, PUBLICATION) == renamed


def test_what_lies_nearer_comes_first(small: "SmallDataSet", tmp_path: Path) -> None:
    small.write(tmp_path / "x/y")
    nearer = small.write(tmp_path / "x")
    assert find_folder(tmp_path, PUBLICATION) == nearer
    nearest = small.write(tmp_path)
    assert find_folder(tmp_path, PUBLICATION) == nearest


@pytest.mark.parametrize("elsewhere", ["x/y/z", f".{FOLDER}.part", ".hidden"])
def test_looks_two_folders_deep_and_into_no_hidden_ones(
    elsewhere: str, small: "SmallDataSet", tmp_path: Path
) -> None:
    small.write(tmp_path / elsewhere)
    with pytest.raises(DataError, match="not found"):
        find_folder(tmp_path, PUBLICATION)


def test_looks_into_a_limited_number_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        (tmp_path / f"{number}/empty").mkdir(parents=True)
    (tmp_path / "loop").symlink_to(tmp_path)
    looked: list[Path] = []

    def holders(folder: Path, publication: object) -> list[Path]:
        looked.append(folder)
        return []

    monkeypatch.setattr(dataset_files, "_MAX_ENTRIES", 10)
    monkeypatch.setattr(dataset_files, "_holders", holders)
    with pytest.raises(DataError, match="not found"):
        find_folder(tmp_path, PUBLICATION)
    assert 1 + 10 < len(looked) <= 1 + 10 + 10


def test_two_that_lie_equally_deep_are_both_named(small: "SmallDataSet", tmp_path: Path) -> None:
    one, two = small.write(tmp_path / "one"), small.write(tmp_path / "two")
    with pytest.raises(DataError, match=f"found it in {one}, {two}") as caught:
        find_folder(tmp_path, PUBLICATION)
    assert "--data-dir" in str(caught.value.hint)


def test_links_to_one_folder_are_no_choice(small: "SmallDataSet", tmp_path: Path) -> None:
    small.write(tmp_path / "one")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert find_folder(tmp_path, PUBLICATION).samefile(tmp_path / "one" / FOLDER)


def test_missing_folder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not found") as caught:
        find_folder(tmp_path, PUBLICATION)
    assert caught.value.hint is not None
    assert "softmax download" in caught.value.hint
    assert "Synthetic images never stand in" in caught.value.hint
    assert str(tmp_path / FOLDER) in caught.value.message
    assert "`--data-dir DIR`" in caught.value.hint
    assert f"softmax download --data-dir {quoted(tmp_path)}" in caught.value.hint
    with pytest.raises(DataError) as usual:
        find_folder(Path("data"), PUBLICATION)
    assert "Run `softmax download` to" in str(usual.value.hint)


@pytest.mark.parametrize(
    ("name", "content", "found", "advice"),
    [
        (
            "cifar-10-python.tar.gz",
            gzip.compress(b""),
            "its archive",
            "--data-dir '{0}' --from '{0}/cifar-10-python.tar.gz'",
        ),
        ("cifar-10-python.tar.gz", WEB_PAGE, "a web page", "get the file again"),
        ("cifar-10-python.zip", zip_of(a=b"b"), "a ZIP archive", "download --from FOLDER"),
        ("test_batch.bin", b"\x06", "the binary version of CIFAR-10", "cifar-10-python.tar.gz"),
    ],
)
def test_what_is_there_instead_is_named(
    name: str, content: bytes, found: str, advice: str, tmp_path: Path
) -> None:
    data_dir = tmp_path / "my data"
    data_dir.mkdir()
    (data_dir / name).write_bytes(content)
    with pytest.raises(DataError, match=f"not found: .*, found {found}") as caught:
        find_folder(data_dir, PUBLICATION)
    assert advice.format(data_dir) in str(caught.value.hint)


@pytest.mark.parametrize(
    "name", ["cifar-10-batches-bin", "cifar-10-batches-mat", "cifar-100-python"]
)
def test_folder_of_another_version_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    for data_dir in (tmp_path, tmp_path / name):
        with pytest.raises(DataError, match=r", found (the .* version|CIFAR-100)"):
            find_folder(data_dir, PUBLICATION)


def test_archive_given_as_a_folder(tmp_path: Path) -> None:
    archive = tmp_path / "cifar-10-python.tar.gz"
    archive.write_bytes(b"")
    with pytest.raises(DataError, match="expected a folder") as caught:
        find_folder(archive, PUBLICATION)
    assert f"softmax download --from {quoted(archive)}" in str(caught.value.hint)


def test_one_of_the_files_given_as_a_folder(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    with pytest.raises(DataError, match="got test_batch, one of the 7 files") as caught:
        find_folder(folder / "test_batch", small.publication)
    assert f"the folder that holds all of them: {folder}" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("place", "content", "got"),
    [
        ("small.zip", zip_of(a=b"b"), "a ZIP archive"),
        ("data_batch_1.bin", b"\x06" + bytes(3072), "the binary version of CIFAR-10"),
        ("cifar-100-python/train", b"\x80\x02}q\x01", "CIFAR-100"),
        ("train", b"\x80\x02}q\x01", "a pickle"),
    ],
)
def test_foreign_file_given_as_a_folder(
    place: str, content: bytes, got: str, tmp_path: Path
) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"expected a folder .*, got {got}: {path}") as caught:
        find_folder(path, PUBLICATION)
    assert "softmax download" in str(caught.value.hint)


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
    details = {finding.name: finding.detail for finding in verify(tmp_path, small.publication)}
    assert details["data_batch_1"] == f"expected {len(content):,} bytes, got {len(content) - 1:,}"
    assert details["data_batch_3"] == "expected data_batch_3, got data_batch_1"


def test_foreign_files_are_no_damage(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    (folder / "data_batch_1").write_bytes(LFS_POINTER)
    (folder / "data_batch_2").write_bytes(gzip.compress(small.contents["data_batch_2"]))
    (folder / "data_batch_3").write_bytes(WEB_PAGE * 9999)
    (folder / "batches.meta").write_bytes(WEB_PAGE)
    findings = {finding.name: finding for finding in verify(tmp_path, small.publication)}
    foreign = [name for name, finding in findings.items() if finding.state == "foreign"]
    assert foreign == ["data_batch_1", "data_batch_2", "data_batch_3", "batches.meta"]
    assert findings["data_batch_1"].detail == "expected a pickle, got a Git LFS pointer"
    error = not_intact(folder / "data_batch_1", findings["data_batch_1"], PUBLICATION)
    assert "git lfs pull" in str(error.hint)
    assert f"softmax download --data-dir {quoted(tmp_path)}" in str(error.hint)


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


def test_a_file_is_written_if_it_is_right(small: "SmallDataSet", tmp_path: Path) -> None:
    file = small.publication.files[0]
    content, target = small.contents[file.name], tmp_path / file.name
    assert write_verified(BytesIO(content).read, target, file) is None
    assert target.read_bytes() == content
    target.unlink()
    for wrong in (content[:-1], content[:-1] + b"?"):
        fault = write_verified(BytesIO(wrong).read, target, file)
        assert fault is not None
        assert fault.startswith(f"{file.name} is altered: expected SHA-256 {file.sha256[:16]}")
        assert not target.exists()


@pytest.mark.cifar10
def test_the_real_files_are_the_expected_ones(cifar10_dir: Path) -> None:
    assert {finding.state for finding in verify(cifar10_dir, PUBLICATION)} == {"intact"}
    assert len(PUBLICATION.files) == 7
