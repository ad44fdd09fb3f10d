import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from softmax_cli.data.cifar10 import CIFAR10, PUBLICATION
from softmax_cli.data.datasets import DATASETS
from tests.cli.conftest import Run
from tests.data.conftest import SmallCifar100
from tests.data.foreign import LFS_POINTER, WEB_PAGE, ZSTD, zip_of

REFUSED = "http://127.0.0.1:9/cifar-10-python.tar.gz"


@pytest.fixture
def only_closed_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mirrors that refuse the connection, asked without pauses."""
    alone = replace(PUBLICATION, archive=replace(PUBLICATION.archive, mirrors=()))
    monkeypatch.setitem(DATASETS, CIFAR10.name, replace(CIFAR10, publication=alone))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.cifar10
def test_imports_verifies_and_then_does_nothing(
    run: Run, cifar10_dir: Path, tmp_path: Path
) -> None:
    first = run("download", "--from", cifar10_dir, "--format", "json")
    assert first.code == 0
    assert first.json() == {"data_dir": "data", "already_there": False}
    assert (tmp_path / "data/cifar-10-batches-py/test_batch").stat().st_size == 31035526
    assert run("download", "--verify").code == 0
    again = run("download")
    assert again.code == 0
    assert "already there" in again.out


@pytest.mark.cifar10
@pytest.mark.parametrize("damage", ["truncated", "altered", "swapped", "missing"])
def test_a_damaged_data_set_is_named_and_no_training_starts(
    run: Run, cifar10_dir: Path, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "data/cifar-10-batches-py"
    shutil.copytree(cifar10_dir / "cifar-10-batches-py", folder)
    victim = folder / "data_batch_3"
    if damage == "truncated":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif damage == "altered":
        content = bytearray(victim.read_bytes())
        content[20_000_000] ^= 1
        victim.write_bytes(content)
    elif damage == "swapped":
        shutil.copy(folder / "data_batch_2", victim)
    else:
        victim.unlink()
    for arguments in (("download", "--verify"), ("train", "--config", "cs231n")):
        result = run(*arguments)
        assert result.code == 3
        assert "data_batch_3" in result.err
        assert "softmax download" in result.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("only_closed_mirrors")
def test_a_failed_download_says_how_to_go_on_by_hand(run: Run, tmp_path: Path) -> None:
    result = run("download", "--url", REFUSED)
    assert result.code == 1
    assert REFUSED in result.err
    assert "--from" in result.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--from", "nowhere.tar.gz"), 3),
        (("--verify",), 3),
        (("--verify", "--from", "x"), 2),
        (("--from", "x", "--url", REFUSED), 2),
    ],
)
def test_wrong_use_leaves_nothing_behind(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    assert run("download", *arguments).code == code
    assert not list(tmp_path.iterdir())


def test_an_archive_that_is_none_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.tar.gz").write_bytes(b"certainly no archive" * 100)
    result = run("download", "--from", "mine.tar.gz")
    assert result.code == 3
    assert "mine.tar.gz" in result.err


@pytest.mark.parametrize(
    ("content", "name", "advice"),
    [
        (zip_of(a=b"b"), "a ZIP archive", "softmax download --from FOLDER"),
        (ZSTD, "compressed with zstd", "softmax download --from FOLDER"),
        (WEB_PAGE, "a web page", "get the file again"),
    ],
)
@pytest.mark.parametrize("option", ["--from", "--data-dir"])
def test_a_foreign_file_is_named_and_nothing_is_left(
    run: Run, tmp_path: Path, option: str, content: bytes, name: str, advice: str
) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(content)
    command = "download" if option == "--from" else "train"
    result = run(command, option, "cifar-10-python.tar.gz")
    assert result.code == 3
    assert name in result.err
    assert advice in result.err
    assert "damaged" not in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-python.tar.gz"]


def test_files_that_are_foreign_are_verified_as_such(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data/cifar-10-batches-py"
    folder.mkdir(parents=True)
    (folder / "data_batch_1").write_bytes(LFS_POINTER)
    result = run("download", "--verify", "--format", "json")
    assert result.code == 3
    assert result.json()["files"][0] == {
        "name": "data_batch_1",
        "state": "foreign",
        "detail": "expected a pickle, got a Git LFS pointer",
    }
    assert "git lfs pull" in result.err
    assert "Run `softmax download` to fetch" in result.err


@pytest.mark.cifar10
def test_a_folder_above_the_data_set_will_do(run: Run, cifar10_dir: Path, tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    (above / "deeper").symlink_to(cifar10_dir)
    assert run("download", "--verify", "--data-dir", "above").code == 0
    assert run("download", "--data-dir", "above").out.rstrip().endswith("already there, intact")
    assert run("download", "--from", "above").code == 0
    assert run("download", "--verify").code == 0


@pytest.mark.cifar10
def test_a_single_file_of_the_data_set_names_its_folder(
    run: Run, cifar10_dir: Path, tmp_path: Path
) -> None:
    folder = cifar10_dir / "cifar-10-batches-py"
    for command, option in (("download", "--from"), ("train", "--data-dir")):
        result = run(command, option, folder / "data_batch_3")
        assert result.code == 3
        assert "got data_batch_3, one of the 7 files of CIFAR-10" in result.err
        assert f"all of them: {folder}" in result.err
    assert not list(tmp_path.iterdir())


def test_the_other_data_set_has_its_own_folder(
    run: Run, tmp_path: Path, small_cifar100: SmallCifar100
) -> None:
    (tmp_path / "small.tar").write_bytes(small_cifar100.archive())
    first = run("download", "cifar100", "--from", "small.tar")
    assert first.code == 0
    assert first.out.endswith("data/cifar-100-python: complete and verified\n")
    again = run("download", "cifar100-coarse", "--format", "json")
    assert again.json() == {"data_dir": "data", "already_there": True}
    (tmp_path / "data/cifar-100-python/test").write_bytes(b"")
    result = run("download", "cifar100", "--verify")
    assert result.code == 3
    assert "not intact: test" in result.err
    assert "Run `softmax download cifar100` to fetch CIFAR-100" in result.err


@pytest.mark.parametrize("name", ["synthetic", "cifar1000"])
def test_what_cannot_be_downloaded(run: Run, name: str) -> None:
    result = run("download", name)
    assert result.code == 2
    assert f"cifar10, cifar100, cifar100-coarse), got {name}" in result.err.replace(
        ", synthetic", ""
    )


def test_both_labels_are_trained_on_and_evaluated(
    run: Run, tmp_path: Path, small_cifar100: SmallCifar100
) -> None:
    small_cifar100.write(tmp_path / "data")
    settings = ("data.validation_size=4", "training.iterations=5", "training.batch_size=4")
    for name, classes in (("cifar100", 100), ("cifar100-coarse", 20)):
        training = run("train", f"data.dataset={name}", *settings, "--run-dir", name)
        assert training.code == 0, training.err
        table = run("evaluate", name).out
        assert ("(83 others)" in table) == (classes == 100)
        assert ("with --format json" in table) == (classes == 100)
        document = run("evaluate", name, "--format", "json").json()
        assert document["examples"] == 12
        assert len(document["per_class"]) == classes
        assert [len(row) for row in document["confusion_matrix"]] == [classes] * classes
