import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.data.array_files import read_image_arrays
from softmax_cli.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (70, 32, 32, 3), dtype=np.uint8)


def read(path: Path) -> NDArray[np.uint8]:
    """All images of a file, as (N, 32, 32, 3)."""
    parts = list(read_image_arrays(str(path), 32))
    assert all(part.dtype == np.uint8 and len(part) <= 32 for part in parts)
    return np.concatenate(parts).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def error_of(path: Path) -> str:
    with pytest.raises(DataError) as raised:
        read(path)
    return raised.value.message


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_one_array_of_images_in_an_archive_is_read(tmp_path: Path, save: object) -> None:
    assert callable(save)
    labels = np.arange(70)
    save(tmp_path / "a.npz", IMAGES)
    save(tmp_path / "b.npz", labels=labels, names=np.array([{}], object), x=IMAGES)
    (tmp_path / "b.npz").rename(tmp_path / "B.NPZ")
    assert (read(tmp_path / "a.npz") == IMAGES).all()
    assert (read(tmp_path / "B.NPZ") == IMAGES).all()


def test_contents_count_more_than_a_suffix(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", IMAGES)
    np.save(tmp_path / "b.npy", IMAGES)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    (tmp_path / "b.npy").rename(tmp_path / "b.npz")
    assert (read(tmp_path / "a.npy") == IMAGES).all()
    assert (read(tmp_path / "b.npz") == IMAGES).all()


def test_an_archive_of_several_arrays_of_images_is_refused_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=IMAGES, x_test=IMAGES, y_test=np.arange(3))
    message = error_of(tmp_path / "a.npz")
    assert "x_train, x_test" in message
    assert "save one of them as a .npy file" in message


@pytest.mark.parametrize(
    ("arrays", "got"),
    [
        ([IMAGES.transpose(0, 3, 1, 2).copy()], "arr_0: uint8 of shape (70, 3, 32, 32)"),
        ([IMAGES / 255, np.arange(3)], "arr_1: int64 of shape (3,)"),
        ([np.asfortranarray(IMAGES)], "in Fortran order"),
        ([np.array([{"a": 1}], object)], "arr_0: object of shape (1,)"),
        ([], "got none"),
    ],
)
def test_an_archive_without_images_is_refused(
    tmp_path: Path, arrays: list[NDArray[np.generic]], got: str
) -> None:
    np.savez(tmp_path / "a.npz", *arrays)
    message = error_of(tmp_path / "a.npz")
    assert message.startswith("expected one array, uint8 of shape (N, 32, 32, 3), got ")
    assert got in message


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", IMAGES)
    content = (tmp_path / "a.npz").read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for damaged in (content[:-100], flipped, b"PK\3\4", b"", b"no archive"):
        (tmp_path / "b.npz").write_bytes(damaged)
        assert error_of(tmp_path / "b.npz").startswith("not an intact .npz file: ")
    for at in range(0, len(content), len(content) // 50):
        altered = bytearray(content)
        altered[at] ^= 0xFF
        (tmp_path / "b.npz").write_bytes(altered)
        try:
            assert (read(tmp_path / "b.npz") == IMAGES).all()
        except DataError:
            continue


@pytest.mark.parametrize("count", [60, 80])
def test_an_archive_that_holds_another_number_of_images_is_refused(
    tmp_path: Path, count: int
) -> None:
    buffer = io.BytesIO()
    np.save(buffer, IMAGES)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue().replace(b"(70, 32", b"(%d, 32" % count))
    assert "images" in error_of(tmp_path / "a.npz")


def test_a_bomb_is_unpacked_in_parts(tmp_path: Path) -> None:
    header = np.lib.format.header_data_from_array_1_0(IMAGES) | {"shape": (10**9, 32, 32, 3)}
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w") as stream,
    ):
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(bytes(3072 * 1000))
    images = read_image_arrays(str(tmp_path / "a.npz"), 32)
    assert next(images).shape == (32, 3072)


def test_any_header_is_read_or_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, IMAGES[:1])
    content, rng = buffer.getvalue(), np.random.default_rng(2)
    for number in range(300):
        altered = bytearray(content)
        for at in rng.integers(0, 90, size=1 + number % 3):
            altered[at] = rng.choice(list(b"([{'\"\\\0 ,:#x")) if number % 2 else rng.integers(256)
        (tmp_path / "a.npy").write_bytes(altered)
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("x.npy", bytes(altered))
        for name in ("a.npy", "a.npz"):
            with contextlib.suppress(DataError):
                read(tmp_path / name)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("unpickled",))

    trap = np.array([Trap()], object)
    np.savez(tmp_path / "a.npz", trap)
    np.save(tmp_path / "b.npy", trap)
    assert "object" in error_of(tmp_path / "a.npz")
    assert "plain numbers" in error_of(tmp_path / "b.npy")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 32, 32, 3), np.float32),
        np.zeros((3, 3, 32, 32), np.uint8),
        np.zeros((32, 32, 3), np.uint8),
        np.array([{"a": 1}], dtype=object),
        np.zeros((), np.uint8),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: NDArray[np.generic]) -> None:
    np.save(tmp_path / "x.npy", array)
    assert error_of(tmp_path / "x.npy")


def test_an_array_that_promises_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((10, 32, 32, 3), np.uint8))
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(
        content.replace(b"(10, 32", b"(99999999, 32").replace(b" " * 6, b"", 1)
    )
    (tmp_path / "y.npy").write_bytes(content[:-1])
    (tmp_path / "z.npy").write_bytes(b"")
    for name in "xyz":
        assert error_of(tmp_path / f"{name}.npy")
