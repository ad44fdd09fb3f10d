import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from softmax_cli.data.feature_files import (
    check_features,
    check_finite,
    in_row_order,
    open_array_file,
    row_chunks,
)
from softmax_cli.errors import DataError
from tests.data.foreign import WEB_PAGE
from tests.data.own_arrays import CLASSES, examples, write_npz


def owner_of(array: NDArray[Any]) -> object:
    """What holds the memory of an array."""
    base: Any = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    return base


def is_mapped(array: NDArray[Any]) -> bool:
    return type(owner_of(array)).__name__ == "mmap"


@pytest.mark.parametrize("names", [("features", "labels"), ("X", "y"), ("x", "y")])
@pytest.mark.parametrize("kind", ["npz", "safetensors"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_arrays_are_found_by_their_names_and_mapped(
    names: tuple[str, str], kind: str, dtype: type, tmp_path: Path
) -> None:
    features, labels = examples()
    features = np.abs(features).astype(dtype)
    path = tmp_path / f"mine.{kind}"
    arrays: dict[str, NDArray[Any]] = {names[0]: features, names[1]: labels}
    if kind == "npz":
        np.savez(path, allow_pickle=False, **arrays)
    else:
        save_file(arrays, path)
    file = open_array_file(path)
    assert file.shape_of("features", "X", "x") == features.shape
    found = file.find("features", "X", "x")
    assert is_mapped(found)
    assert found.dtype == dtype
    assert (found == features).all()
    assert (file.find("labels", "y") == labels).all()


def test_npy_file_has_one_array_without_a_name(tmp_path: Path) -> None:
    features, _ = examples()
    np.save(tmp_path / "x.npy", features)
    found = open_array_file(tmp_path / "x.npy").find("features")
    assert is_mapped(found)
    assert (found == features).all()


def test_compressed_arrays_are_read(tmp_path: Path) -> None:
    features, labels = examples()
    np.savez_compressed(tmp_path / "c.npz", X=features, y=labels)
    file = open_array_file(tmp_path / "c.npz")
    assert file.shape_of("X") == features.shape
    assert (file.find("X") == features).all()


def test_class_names_in_the_file(tmp_path: Path) -> None:
    features, labels = examples()
    write_npz(tmp_path / "a.npz", class_names=np.array(CLASSES))
    write_npz(tmp_path / "b.npz", class_names=np.array(CLASSES).astype("S"))
    metadata = {"class_names": json.dumps(CLASSES)}
    save_file({"x": features, "y": labels}, tmp_path / "c.safetensors", metadata)
    for name in ("a.npz", "b.npz", "c.safetensors"):
        assert open_array_file(tmp_path / name).class_names == CLASSES


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[700] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_archive(
    damage: Callable[[Path], None], save: Callable[..., None], tmp_path: Path
) -> None:
    features, labels = examples()
    save(tmp_path / "a.npz", features=features, labels=labels)
    damage(tmp_path / "a.npz")
    with pytest.raises(DataError, match=r"a\.npz: not an intact \.npz file"):
        open_array_file(tmp_path / "a.npz").find("features")


def test_truncated_files(tmp_path: Path) -> None:
    features, labels = examples()
    np.save(tmp_path / "a.npy", features)
    save_file({"features": features, "labels": labels}, tmp_path / "a.safetensors")
    for path in (tmp_path / "a.npy", tmp_path / "a.safetensors"):
        cut(path)
        with pytest.raises(DataError, match="intact"):
            open_array_file(path).find("features")


class Trap:
    """An object whose unpickling would be noticed."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("form", ["npy", "npz", "compressed"])
def test_objects_are_refused_without_unpickling(form: str, tmp_path: Path) -> None:
    trap = np.array([Trap(tmp_path / "ran"), None], dtype=object)
    path = tmp_path / ("x.npy" if form == "npy" else "x.npz")
    if form == "npy":
        np.save(path, trap)
    else:
        {"npz": np.savez, "compressed": np.savez_compressed}[form](path, labels=trap)
    with pytest.raises(DataError, match="holds Python objects, which are never unpickled") as error:
        open_array_file(path).find("labels")
    assert "dtype=str" in str(error.value.hint)
    assert not (tmp_path / "ran").exists()


def test_names_that_are_missing_or_ambiguous(tmp_path: Path) -> None:
    features, labels = examples()
    np.savez(tmp_path / "a.npz", embeddings=features, y=labels)
    with pytest.raises(DataError, match="an array named features or X or x, got embeddings, y"):
        open_array_file(tmp_path / "a.npz").find("features", "X", "x")
    np.savez(tmp_path / "b.npz", x=features, X=features, y=labels)
    with pytest.raises(DataError, match="one array named features or X or x, got X, x"):
        open_array_file(tmp_path / "b.npz").find("features", "X", "x")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("missing.npy", None, "No such file"),
        ("a.npz", WEB_PAGE, r"expected a \.npy, \.npz or \.safetensors file, got a web page"),
        ("a.pkl", b"\x80\x04.", "got a pickle"),
        ("a.safetensors", b"\x05\x00", "not an intact safetensors file"),
        ("a.npy", b"\x93NUMPY\x01\x00\x10", "is not an intact array"),
    ],
)
def test_what_is_no_file_of_arrays(
    name: str, content: bytes | None, expected: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=expected):
        open_array_file(tmp_path / name).find("features")


def test_type_that_numpy_lacks(tmp_path: Path) -> None:
    entry = {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}
    header = json.dumps({"features": entry}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    with pytest.raises(DataError, match=r"expected features as one of F16, .*, got BF16"):
        open_array_file(path).find("features")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (np.zeros((3, 2), np.int64), r"expected features \(n, D\) as float16, .* got int64"),
        (np.zeros(3), r"got float64 of shape \(3,\)"),
        (np.zeros((3, 2, 2)), r"got float64 of shape \(3, 2, 2\)"),
        (np.zeros((0, 2)), r"at least one row and one column, got \(0, 2\)"),
        (np.array([["a"]]), "got <U1"),
    ],
)
def test_what_features_cannot_be(features: NDArray[Any], expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        check_features(features, Path("a.npy"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_number_that_is_not_finite_is_named_by_its_row(value: float) -> None:
    rows = np.zeros((4, 3))
    rows[2, 1] = value
    with pytest.raises(DataError, match=r"got (nan|-?inf|1e\+39) in row 12, column 1"):
        check_finite(rows, 10, Path("a.npy"))


def test_rows_come_in_order_whatever_the_file_has(tmp_path: Path) -> None:
    features, _ = examples()
    np.save(tmp_path / "f.npy", np.asfortranarray(features).astype(">f4"))
    found = in_row_order(open_array_file(tmp_path / "f.npy").find("x"))
    assert found.flags.c_contiguous
    assert found.dtype == np.float32
    assert (found == features).all()
    again = np.concatenate([chunk for _, chunk in row_chunks(found)])
    assert (again == features).all()
