"""Atomic files: the old version or the new one, whatever fails on the way."""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import filelock
import pytest

from softmax_cli.runs import atomic
from softmax_cli.runs.atomic import (
    make_directory,
    remove_file,
    remove_leftovers,
    replacing,
    sync_directory,
    write_bytes,
    write_text,
)


@contextlib.contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, function: str, code: int, *, call: int = 1
) -> Iterator[list[int]]:
    """Let the ``call``-th call of ``os.<function>`` raise; yields the list of calls so far."""
    original: Callable[..., object] = getattr(os, function)
    calls: list[int] = []

    def fail_once(*args: object, **kwargs: object) -> object:
        calls.append(len(calls) + 1)
        if len(calls) == call:
            raise OSError(code, os.strerror(code))
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail_once)
        yield calls


@contextlib.contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let the kernel refuse to make any file longer than ``size`` bytes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_is_created_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_bytes(path, b"one")
    write_text(path, "zwei\nü\r\n")
    assert path.read_bytes() == "zwei\nü\r\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("function", "code"),
    [("fsync", errno.ENOSPC), ("fsync", errno.EIO), ("replace", errno.EROFS)],
)
def test_a_failed_operation_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, code: int
) -> None:
    path = tmp_path / "model.safetensors"
    write_bytes(path, b"old")
    with (
        failing(monkeypatch, function, code),
        pytest.raises(OSError, match=os.strerror(code)) as caught,
    ):
        write_bytes(path, b"new")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.posix("a sync of directories")
def test_a_failed_sync_of_the_directory_is_loud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    write_bytes(path, b"old")
    with (
        failing(monkeypatch, "fsync", errno.EIO, call=2),
        pytest.raises(OSError, match=os.strerror(errno.EIO)),
    ):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.posix("limits on the sizes of files")
def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_bytes(path, b"old")
    with limited_file_size(100_000), pytest.raises(OSError, match="too large") as caught:
        write_bytes(path, b"x" * 1_000_000)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_in_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as stream:
        stream.write(b"half %d" % (1 // 0))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_about_another_file_keeps_its_name(tmp_path: Path) -> None:
    other = tmp_path / "missing"
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "copy") as stream:
        stream.write(other.read_bytes())
    assert str(caught.value.filename) == str(other)


def test_a_missing_directory_is_reported_by_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "model.safetensors"
    with pytest.raises(FileNotFoundError) as caught:
        write_bytes(path, b"")
    assert caught.value.filename == str(path)


def test_a_directory_in_its_place_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.mkdir()
    with pytest.raises((IsADirectoryError, PermissionError)) as caught:
        write_bytes(path, b"")
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.posix("symbolic links")
def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"target")
    path.symlink_to(target)
    write_bytes(path, b"new")
    assert target.read_bytes() == b"target"
    assert not path.is_symlink()


@pytest.mark.posix("file modes")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_mode_is_what_the_umask_gives(tmp_path: Path, mask: int, mode: int) -> None:
    path = tmp_path / "summary.json"
    before = os.umask(mask)
    try:
        write_bytes(path, b"{}")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_directories_are_made_with_their_parents(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "train" / "demo"
    make_directory(path)
    make_directory(path)
    assert path.is_dir()


def test_a_file_where_a_directory_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(OSError, match="runs"):
        make_directory(tmp_path / "runs" / "train")


def test_a_drive_that_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_dir", lambda _: False)
    with pytest.raises(OSError, match=os.strerror(errno.EEXIST)):
        make_directory(tmp_path / "runs")


@pytest.mark.posix("a sync of directories")
@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_without_directory_sync_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    with failing(monkeypatch, "fsync", code) as calls:
        sync_directory(tmp_path)
    assert calls == [1]


@pytest.mark.posix("named pipes")
def test_only_abandoned_temporaries_are_leftovers(tmp_path: Path) -> None:
    kept = [
        ".notes.tmp",
        "model.safetensors.0123456789ab.tmp",
        ".model.safetensors.0123456789AB.tmp",
    ]
    stale = [".a.csv.0123456789ab.tmp", ".b.ba9876543210.tmp"]
    for name in kept + stale:
        (tmp_path / name).write_text("")
    (tmp_path / ".link.0123456789ab.tmp").symlink_to(kept[0])
    os.mkfifo(tmp_path / ".pipe.0123456789ab.tmp")
    kept += [".link.0123456789ab.tmp", ".pipe.0123456789ab.tmp"]
    assert [path.name for path in remove_leftovers(tmp_path)] == stale
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_a_temporary_in_use_is_no_leftover(tmp_path: Path) -> None:
    with replacing(tmp_path / "metrics.csv") as stream:
        stream.write(b"step")
        assert remove_leftovers(tmp_path) == []
    assert (tmp_path / "metrics.csv").read_bytes() == b"step"


def test_without_locks_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, *, blocking: bool) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    (tmp_path / ".a.csv.0123456789ab.tmp").write_text("")
    monkeypatch.setattr(filelock, "lock_descriptor", refuse)
    write_bytes(tmp_path / "metrics.csv", b"step")
    assert (tmp_path / "metrics.csv").read_bytes() == b"step"
    assert remove_leftovers(tmp_path) == []


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do as on Windows, with less patience."""
    monkeypatch.setattr(atomic, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(atomic, "_PATIENCE_SECONDS", 0.2)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("function", ["replace", "unlink"])
def test_windows_waits_until_another_program_has_closed_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    path = tmp_path / "metrics.csv"
    write_bytes(path, b"old")
    with failing(monkeypatch, function, errno.EACCES) as calls:
        write_bytes(path, b"new") if function == "replace" else remove_file(path)
    assert len(calls) == 2
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"new"] * (function == "replace")


@pytest.mark.usefixtures("windows")
def test_a_file_that_another_program_keeps_open_is_an_error_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.csv"
    write_bytes(path, b"old")

    def refuse(source: object, target: object) -> None:
        raise PermissionError(errno.EACCES, "Access is denied", str(source), None, str(target))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError, match="Access is denied") as caught:
        write_bytes(path, b"new")
    assert caught.value.filename == str(path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


@pytest.mark.usefixtures("windows")
def test_a_file_that_is_about_to_be_renamed_is_no_leftover_on_windows(tmp_path: Path) -> None:
    closed, abandoned = (tmp_path / f".{name}.0123456789ab.tmp" for name in ("a.csv", "b.csv"))
    for path in (closed, abandoned):
        path.write_text("step")
    renaming = threading.Timer(0.1, closed.rename, [tmp_path / "a.csv"])
    renaming.start()
    assert remove_leftovers(tmp_path) == [abandoned]
    renaming.join()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
