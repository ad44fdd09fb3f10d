from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.errors import SoftmaxError
from softmax_cli.features import row_files
from softmax_cli.features.row_files import RowFile
from softmax_cli.runs.tables import read_json, write_json

ROWS = np.random.default_rng(0).integers(256, size=(10, 4), dtype=np.uint8)


@pytest.fixture
def file(tmp_path: Path) -> RowFile:
    file = RowFile(tmp_path, "abc")
    file.write(iter([ROWS[:6], ROWS[6:]]), (10, 4), {"kind": "some"})
    return file


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_rows_come_back_bit_for_bit(dtype: type, tmp_path: Path) -> None:
    file, rows = RowFile(tmp_path, "abc"), ROWS.astype(dtype) / dtype(1)
    rows = rows.astype(dtype)
    assert not file.exists()
    written = file.write(iter([rows[:1], rows[1:]]), (10, 4), {})
    assert file.exists()
    for again in (written, file.read((10, 4))):
        assert (again == rows).all()
        assert again.dtype == dtype
        assert not again.flags.writeable
    assert (np.load(file.rows) == rows).all()


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_flipped_bit_is_noticed(place: int, file: RowFile) -> None:
    content = bytearray(file.rows.read_bytes())
    content[place] ^= 1
    file.rows.write_bytes(content)
    with pytest.raises((SoftmaxError, ValueError)):
        file.read((10, 4))


@pytest.mark.parametrize("length", [0, 50, -1])
def test_rows_that_are_cut_short_are_noticed(length: int, file: RowFile) -> None:
    file.rows.write_bytes(file.rows.read_bytes()[:length])
    with pytest.raises(SoftmaxError):
        file.read((10, 4))


@pytest.mark.parametrize(
    ("key", "value"),
    [("images", 9), ("dtype", "object"), ("sha256", "0"), ("format_version", 2), ("features", "4")],
)
def test_a_note_that_says_something_else_is_noticed(key: str, value: object, file: RowFile) -> None:
    write_json(file.note, {**read_json(file.note), key: value})
    with pytest.raises(SoftmaxError):
        file.read((10, 4))


def test_rows_of_another_shape_than_wanted_are_refused(file: RowFile) -> None:
    with pytest.raises(SoftmaxError, match="shape"):
        file.read((10, 5))


def test_rows_without_a_note_do_not_count(file: RowFile) -> None:
    file.note.unlink()
    assert not file.exists()
    with pytest.raises(FileNotFoundError):
        file.read((10, 4))


def test_rows_are_hashed_once_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(row_files, "_checksum")
    assert (RowFile(tmp_path, "abc").write(iter([ROWS]), (10, 4), {}) == ROWS).all()


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def chunks() -> Iterator[np.ndarray]:
        yield ROWS[:6]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RowFile(tmp_path, "abc").write(chunks(), (10, 4), {})
    assert list(tmp_path.iterdir()) == []
