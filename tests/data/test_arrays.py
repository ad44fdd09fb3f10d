from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli.data.arrays import check_test_columns, load_arrays
from softmax_cli.data.dataset import DataFolder
from softmax_cli.data.datasets import load_part, load_training_parts
from softmax_cli.errors import ConfigurationError, DataError
from tests.data.own_arrays import CLASSES, COLUMNS, examples, write_npz


def source(
    folder: Path,
    *,
    class_names: tuple[str, ...] | None = None,
    held_out: int = 30,
    train: tuple[Path, ...] = (),
    **others: Any,
) -> DataFolder:
    """Settings that name ``train.npz``, or other files."""
    files: Any = {"train": train or (folder / "train.npz",), **others}
    return DataFolder("arrays", folder, files, class_names, None, held_out)


def test_whole_numbers_are_the_classes_that_there_are(tmp_path: Path) -> None:
    features, labels = examples()
    write_npz(tmp_path / "train.npz", labels=10 * labels + 1)
    loaded = load_arrays(source(tmp_path), "train")
    assert (loaded.images == features).all()
    assert loaded.class_names == ("1", "11", "21")
    assert (loaded.labels == labels).all()
    assert not loaded.is_pictures


def test_numbers_are_sorted_as_numbers_and_text_as_text(tmp_path: Path) -> None:
    _, labels = examples()
    write_npz(tmp_path / "train.npz", labels=np.array([-5, 2, 10])[labels])
    assert load_arrays(source(tmp_path), "train").class_names == ("-5", "2", "10")
    write_npz(tmp_path / "train.npz", labels=np.array(["2", "é", "10"])[labels])
    loaded = load_arrays(source(tmp_path), "train")
    assert loaded.class_names == ("10", "2", "é")
    assert (loaded.labels == np.array([1, 2, 0])[labels]).all()


def test_names_of_positions_come_from_the_settings_or_the_file(tmp_path: Path) -> None:
    _, labels = examples()
    write_npz(tmp_path / "train.npz")
    named = load_arrays(source(tmp_path, class_names=CLASSES), "train")
    write_npz(tmp_path / "train.npz", class_names=np.array(CLASSES))
    stated = load_arrays(source(tmp_path), "train")
    assert named.class_names == stated.class_names == CLASSES
    assert (named.labels == labels).all()
    assert named.digest == stated.digest
    with pytest.raises(DataError, match="expected the classes cow, ant, bee, got ant, bee, cow"):
        load_arrays(source(tmp_path, class_names=("cow", "ant", "bee")), "train")


def test_text_is_looked_up_in_the_order_of_given_names(tmp_path: Path) -> None:
    _, labels = examples()
    write_npz(tmp_path / "train.npz", labels=np.array(CLASSES).astype("S")[labels])
    loaded = load_arrays(source(tmp_path, class_names=("cow", "bee", "ant")), "train")
    assert (loaded.labels == 2 - labels).all()


def test_all_parts_have_the_classes_of_training(tmp_path: Path) -> None:
    write_npz(tmp_path / "train.npz", labels=examples()[1] + 7)
    write_npz(tmp_path / "test.npz", 2, labels=np.array([9, 8]))
    settings = source(tmp_path, test=(tmp_path / "test.npz",))
    assert load_part(settings, "test").labels.tolist() == [2, 1]
    write_npz(tmp_path / "test.npz", 2, labels=np.array([9, 6]))
    with pytest.raises(DataError, match=r"test\.npz: expected the labels 7, 8, 9, got 6 in row 1"):
        load_part(settings, "test")


@pytest.mark.parametrize("label", [3, -1])
def test_label_out_of_range(label: int, tmp_path: Path) -> None:
    labels = examples()[1]
    labels[4] = label
    write_npz(tmp_path / "train.npz", labels=labels)
    with pytest.raises(DataError, match=f"expected labels from 0 to 2, .* got {label} in row 4"):
        load_arrays(source(tmp_path, class_names=CLASSES), "train")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"labels": examples()[1][:-1]}, r"one label for each of 90 rows, got .* \(89,\)"),
        ({"labels": examples()[1][:, None]}, r"got labels of shape \(90, 1\)"),
        ({"labels": examples()[1].astype(float)}, "whole numbers or text, got float64"),
        ({"labels": np.zeros(90, int)}, "expected 2 to 10,000 classes, got 1"),
        ({"labels": np.array(["a\nb", "c"])[np.arange(90) % 2]}, "class names of one printable"),
        ({"labels": np.array([b"\xff", b"a"])[np.arange(90) % 2]}, "expected labels in UTF-8"),
        ({"labels": None}, "expected an array named labels or y, got features"),
        ({"class_names": np.array(["a", "a", "b"])}, "class names that differ"),
        ({"class_names": np.arange(3)}, r"expected class_names as text of shape \(C,\), got int64"),
    ],
)
def test_labels_that_are_none(changes: dict[str, Any], expected: str, tmp_path: Path) -> None:
    write_npz(tmp_path / "train.npz", **changes)
    with pytest.raises(DataError, match=expected):
        load_arrays(source(tmp_path), "train")


def test_every_number_is_checked(tmp_path: Path) -> None:
    features = examples()[0].astype(np.float16)
    features[50, 2] = np.nan
    write_npz(tmp_path / "train.npz", features=features)
    with pytest.raises(DataError, match=r"train\.npz: .* got nan in row 50, column 2"):
        load_arrays(source(tmp_path), "train")


def test_digest_follows_features_labels_and_names(tmp_path: Path) -> None:
    features, labels = examples()
    digests = set()
    for changes in ({}, {"features": features + 1}, {"labels": 2 - labels}, {"labels": labels + 1}):
        write_npz(tmp_path / "train.npz", **changes)
        digests.add(load_arrays(source(tmp_path), "train").digest)
    assert len(digests) == 4
    np.savez_compressed(tmp_path / "train.npz", x=features, y=labels)
    assert load_arrays(source(tmp_path), "train").digest in digests


def test_features_and_labels_in_two_files(tmp_path: Path) -> None:
    features, labels = examples()
    np.save(tmp_path / "x.npy", features)
    np.save(tmp_path / "y.npy", labels)
    both = source(tmp_path, train=(tmp_path / "x.npy", tmp_path / "y.npy"))
    assert (load_arrays(both, "train").labels == labels).all()
    with pytest.raises(DataError, match=r"x\.npy: expected labels, too") as error:
        load_arrays(source(tmp_path, train=(tmp_path / "x.npy",)), "train")
    assert "data.train.labels" in str(error.value.hint)


def test_part_without_a_file(tmp_path: Path) -> None:
    write_npz(tmp_path / "train.npz")
    with pytest.raises(ConfigurationError, match=r"expected data\.test in the settings") as error:
        load_part(source(tmp_path), "test")
    assert "{features: PATH, labels: PATH}" in str(error.value.hint)


def test_validation_is_the_end_of_training_or_a_file(tmp_path: Path) -> None:
    features, _ = examples()
    write_npz(tmp_path / "train.npz")
    write_npz(tmp_path / "validation.npz", 12, seed=1)
    train, validation = load_training_parts(source(tmp_path))
    assert (len(train), len(validation)) == (60, 30)
    assert (validation.images == features[60:]).all()
    own = source(tmp_path, validation=(tmp_path / "validation.npz",))
    train, validation = load_training_parts(own)
    assert (len(train), len(validation)) == (90, 12)
    assert (load_part(own, "validation").images == examples(12, 1)[0]).all()


def test_validation_of_other_columns_is_refused(tmp_path: Path) -> None:
    write_npz(tmp_path / "train.npz")
    write_npz(tmp_path / "v.npz", features=examples()[0][:, 1:])
    with pytest.raises(DataError, match=rf"data\.validation: expected {COLUMNS} features .* got 4"):
        load_training_parts(source(tmp_path, validation=(tmp_path / "v.npz",)))


def test_test_arrays_of_other_columns_are_refused_by_their_header(tmp_path: Path) -> None:
    test = write_npz(tmp_path / "t.npz", features=examples()[0][:, 1:])
    named = source(tmp_path, test=(test,))
    check_test_columns(named, COLUMNS - 1)
    with pytest.raises(DataError, match=r"data\.test: expected 5 features as in data.train, got 4"):
        check_test_columns(named, COLUMNS)


def test_test_arrays_that_cannot_be_read_are_no_fault_of_a_training(tmp_path: Path) -> None:
    check_test_columns(source(tmp_path), COLUMNS)
    check_test_columns(source(tmp_path, test=(tmp_path / "gone.npz",)), COLUMNS)
    (tmp_path / "t.npz").write_bytes(b"PK\x03\x04")
    check_test_columns(source(tmp_path, test=(tmp_path / "t.npz",)), COLUMNS)


def test_class_without_training_examples(tmp_path: Path) -> None:
    order = np.argsort(examples()[1], kind="stable")
    write_npz(tmp_path / "train.npz", features=examples()[0][order], labels=examples()[1][order])
    with pytest.raises(DataError, match=r"got none before the last 30, .*, of 2") as error:
        load_training_parts(source(tmp_path))
    assert "shuffle them" in str(error.value.hint)
    four = (*CLASSES, "dog")
    with pytest.raises(DataError, match=r"got none there, of dog"):
        load_training_parts(source(tmp_path, class_names=four, held_out=0))
