import multiprocessing
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from softmax_cli.data import dataset_files
from softmax_cli.data.cifar10 import PUBLICATION
from softmax_cli.data.dataset_files import verify
from softmax_cli.data.installation import Received, Step, import_dataset, install
from softmax_cli.errors import DataError
from tests.data.conftest import FOLDER

if TYPE_CHECKING:
    from tests.data.conftest import SmallDataSet


@pytest.fixture
def archive(small: "SmallDataSet", tmp_path: Path) -> Path:
    path = tmp_path / "downloads" / "any name"
    path.parent.mkdir()
    path.write_bytes(small.archive())
    return path


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def visible(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.name != ".cifar-10.lock"}


def test_import_of_an_archive(small: "SmallDataSet", archive: Path, data_dir: Path) -> None:
    events: list[Step | Received] = []
    done = import_dataset(small.publication, archive, data_dir / "new", report=events.append)
    assert (done.folder, done.already_there) == (data_dir / "new" / FOLDER, False)
    assert contents(done.folder) == small.contents
    assert visible(data_dir / "new") == {FOLDER}
    assert len(events) == 1 + len(small.publication.files)


def test_import_of_a_folder(small: "SmallDataSet", data_dir: Path, tmp_path: Path) -> None:
    source = small.write(tmp_path / "elsewhere")
    (source / "readme.html").write_text("")
    done = import_dataset(small.publication, source, data_dir)
    assert contents(done.folder) == small.contents


def test_intact_data_is_left_alone(small: "SmallDataSet", data_dir: Path, tmp_path: Path) -> None:
    folder = small.write(data_dir)
    before = {path: path.stat() for path in data_dir.rglob("*")}
    done = import_dataset(small.publication, tmp_path / "not looked at", data_dir)
    assert (done.folder, done.already_there) == (folder, True)
    assert {path: path.stat() for path in data_dir.rglob("*")} == before


def test_damaged_files_are_replaced_and_kept(
    small: "SmallDataSet", archive: Path, data_dir: Path
) -> None:
    folder = small.write(data_dir)
    (folder / "data_batch_1").write_bytes(b"mine")
    (folder / "data_batch_2").unlink()
    (folder / "data_batch_3").unlink()
    (folder / "data_batch_3").mkdir()
    (folder / "notes.txt").write_text("mine too")
    (folder / "data_batch_1.damaged-1").write_text("older")
    untouched = (folder / "data_batch_4").stat()
    import_dataset(small.publication, archive, data_dir)
    assert {finding.state for finding in verify(data_dir, small.publication)} == {"intact"}
    assert (folder / "data_batch_1.damaged-1").read_text() == "older"
    assert (folder / "data_batch_1.damaged-2").read_bytes() == b"mine"
    assert (folder / "data_batch_3.damaged-1").is_dir()
    assert (folder / "notes.txt").read_text() == "mine too"
    assert (folder / "data_batch_4").stat() == untouched


def test_folder_itself_as_data_dir(small: "SmallDataSet", archive: Path, tmp_path: Path) -> None:
    folder = small.write(tmp_path).rename(tmp_path / "batches")
    (folder / "test_batch").unlink()
    assert import_dataset(small.publication, archive, folder).folder == folder
    assert {finding.state for finding in verify(folder, small.publication)} == {"intact"}


@pytest.mark.posix("symbolic links")
def test_symbolic_link_is_kept(small: "SmallDataSet", archive: Path, tmp_path: Path) -> None:
    real = small.write(tmp_path / "real")
    (real / "test_batch").unlink()
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    (data_dir / FOLDER).symlink_to(real)
    import_dataset(small.publication, archive, data_dir)
    assert (data_dir / FOLDER).is_symlink()
    assert (real / "test_batch").read_bytes() == small.contents["test_batch"]


def test_file_in_place_of_the_folder_is_kept(
    small: "SmallDataSet", archive: Path, data_dir: Path
) -> None:
    data_dir.mkdir()
    (data_dir / FOLDER).write_text("mine")
    import_dataset(small.publication, archive, data_dir)
    assert (data_dir / f"{FOLDER}.damaged-1").read_text() == "mine"
    assert contents(data_dir / FOLDER) == small.contents


@pytest.mark.parametrize("existing", [False, True])
def test_failure_changes_nothing(
    existing: bool, small: "SmallDataSet", data_dir: Path, tmp_path: Path
) -> None:
    if existing:
        (small.write(data_dir) / "data_batch_5").write_bytes(b"mine")
    else:
        data_dir.mkdir()
    before = {path: path.is_dir() or path.read_bytes() for path in data_dir.rglob("*")}
    broken = tmp_path / "broken"
    broken.write_bytes(small.archive()[:-30_000])
    with pytest.raises(DataError, match="broken"):
        import_dataset(small.publication, broken, data_dir)
    if existing:
        (data_dir / ".cifar-10.lock").unlink()
    assert {p: p.is_dir() or p.read_bytes() for p in data_dir.rglob("*")} == before


@pytest.mark.parametrize("state", ["missing", "empty", "made by others meanwhile"])
def test_failure_leaves_no_folder_that_it_made(
    state: str, small: "SmallDataSet", tmp_path: Path
) -> None:
    parent = tmp_path / "new" / "newer"
    data_dir = parent / "data"
    if state == "empty":
        data_dir.mkdir(parents=True)

    def gather(staging: Path) -> None:
        (staging / "data_batch_1").write_bytes(b"half")
        if state == "made by others meanwhile":
            (parent / "notes.txt").write_text("mine")
        raise DataError("no luck")

    with pytest.raises(DataError, match="no luck"):
        install(small.publication, data_dir, gather, report=lambda _: None)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {
        "missing": set(),
        "empty": {"new", "new/newer", "new/newer/data"},
        "made by others meanwhile": {"new", "new/newer", "new/newer/notes.txt"},
    }.get(state)


def test_process_that_waits_goes_on_where_the_first_one_fails(
    small: "SmallDataSet", archive: Path, data_dir: Path
) -> None:
    gathering, waiting = threading.Event(), threading.Event()

    def fail(staging: Path) -> None:
        gathering.set()
        assert waiting.wait(10)
        raise DataError("no luck")

    def first() -> None:
        with pytest.raises(DataError, match="no luck"):
            install(small.publication, data_dir, fail, report=lambda _: None)

    def report(event: Step | Received) -> None:
        if isinstance(event, Step) and event.kind == "waiting":
            waiting.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert gathering.wait(10)
    done = import_dataset(small.publication, archive, data_dir, report=report)
    thread.join()
    assert waiting.is_set()
    assert contents(done.folder) == small.contents
    assert (data_dir / ".cifar-10.lock").is_file()


def test_file_in_place_of_the_data_dir(
    small: "SmallDataSet", archive: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="expected a folder to put CIFAR-10 into") as caught:
        import_dataset(small.publication, archive, archive)
    assert "--data-dir" in str(caught.value.hint)


def test_source_folder_one_level_deeper(
    small: "SmallDataSet", data_dir: Path, tmp_path: Path
) -> None:
    small.write(tmp_path / "elsewhere" / "x")
    done = import_dataset(small.publication, tmp_path / "elsewhere", data_dir)
    assert done.folder == data_dir / FOLDER
    assert contents(done.folder) == small.contents


def test_intact_data_that_lies_deeper_is_there_already(
    small: "SmallDataSet", data_dir: Path, tmp_path: Path
) -> None:
    folder = small.write(data_dir / "x")
    done = import_dataset(small.publication, tmp_path / "not looked at", data_dir)
    assert (done.folder, done.already_there) == (folder, True)
    assert visible(data_dir) == {"x"}


def test_damaged_data_that_lies_deeper_is_left_alone(
    small: "SmallDataSet", archive: Path, data_dir: Path
) -> None:
    deeper = small.write(data_dir / "x")
    (deeper / "test_batch").write_bytes(b"mine")
    done = import_dataset(small.publication, archive, data_dir)
    assert done.folder == data_dir / FOLDER
    assert (deeper / "test_batch").read_bytes() == b"mine"
    assert {finding.state for finding in verify(data_dir, small.publication)} == {"intact"}


def test_source_folder_without_it_says_where_to_get_it(
    small: "SmallDataSet", data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(DataError, match="CIFAR-10 not found") as caught:
        import_dataset(small.publication, tmp_path / "elsewhere", data_dir)
    assert "to --from" in str(caught.value.hint)
    assert not data_dir.exists()


def test_damaged_source_folder(small: "SmallDataSet", data_dir: Path, tmp_path: Path) -> None:
    source = small.write(tmp_path / "elsewhere")
    (source / "data_batch_2").write_bytes(small.contents["data_batch_2"][:-1])
    with pytest.raises(DataError, match="data_batch_2 is truncated"):
        import_dataset(small.publication, source, data_dir)
    assert not data_dir.exists()


def test_source_that_is_not_there(small: "SmallDataSet", data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found neither at .*nowhere"):
        import_dataset(small.publication, tmp_path / "nowhere", data_dir)


def test_interrupt_leaves_nothing(small: "SmallDataSet", data_dir: Path) -> None:
    def gather(staging: Path) -> None:
        (staging / "data_batch_1").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(small.publication, data_dir, gather, report=lambda _: None)
    assert not data_dir.exists()


def test_leftovers_of_a_killed_process_are_cleared(
    small: "SmallDataSet", archive: Path, data_dir: Path
) -> None:
    leftover = data_dir / f".{FOLDER}.part"
    leftover.mkdir(parents=True)
    (leftover / "data_batch_1").write_bytes(b"half")
    import_dataset(small.publication, archive, data_dir)
    assert visible(data_dir) == {FOLDER}


def test_full_disk_names_the_file(
    small: "SmallDataSet", archive: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(stream: object, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dataset_files, "write_all", no_space)
    with pytest.raises(OSError, match="No space left") as caught:
        import_dataset(small.publication, archive, data_dir)
    monkeypatch.undo()
    assert str(caught.value.filename).startswith(str(data_dir))
    assert not data_dir.exists()


def test_second_process_waits_and_finds_it_done(
    small: "SmallDataSet", archive: Path, data_dir: Path
) -> None:
    gathering, waiting = threading.Event(), threading.Event()

    def slowly(staging: Path) -> None:
        gathering.set()
        assert waiting.wait(10)
        for name, content in small.contents.items():
            (staging / name).write_bytes(content)

    def first() -> None:
        install(small.publication, data_dir, slowly, report=lambda _: None)

    thread = threading.Thread(target=first)
    thread.start()
    assert gathering.wait(10)

    def report(event: Step | Received) -> None:
        assert isinstance(event, Step)
        assert event.kind == "waiting"
        waiting.set()

    done = import_dataset(small.publication, archive, data_dir, report=report)
    thread.join()
    assert done.already_there
    assert contents(done.folder) == small.contents


@pytest.mark.posix("forks")
def test_lock_of_a_dead_process_does_not_bind(
    small: "SmallDataSet", archive: Path, data_dir: Path
) -> None:
    context = multiprocessing.get_context("fork")
    process = context.Process(
        target=install,
        args=(small.publication, data_dir, lambda _: os.kill(os.getpid(), 9)),
        kwargs={"report": lambda _: None},
    )
    process.start()
    process.join()
    assert process.exitcode == -9
    assert (data_dir / f".{FOLDER}.part").is_dir()
    done = import_dataset(small.publication, archive, data_dir)
    assert contents(done.folder) == small.contents


def test_an_archive_of_something_else_says_where_to_get_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "other.tar").write_bytes(bytes(2000))
    for source in ("other.tar", "nowhere.tar"):
        with pytest.raises(DataError) as refused:
            import_dataset(PUBLICATION, tmp_path / source, tmp_path / "data")
        assert "softmax download" in (refused.value.hint or "")
