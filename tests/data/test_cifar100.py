import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from softmax_cli.data.cifar100 import (
    CIFAR100,
    CIFAR100_COARSE,
    CLASS_NAMES,
    COARSE_CLASS_NAMES,
    FORM,
    PUBLICATION,
)
from softmax_cli.data.cifar_batches import load_batches
from softmax_cli.data.dataset_files import own_folder
from softmax_cli.errors import DataError

if TYPE_CHECKING:
    from tests.data.conftest import SmallCifar100


def test_the_class_names_make_the_published_file(small_100: "SmallCifar100") -> None:
    meta, published = small_100.meta(), PUBLICATION.files[2]
    assert (len(CLASS_NAMES), len(COARSE_CLASS_NAMES)) == (100, 20)
    assert len(meta) == published.size
    assert hashlib.md5(meta).hexdigest() == published.md5
    assert hashlib.sha256(meta).hexdigest() == published.sha256


@pytest.mark.parametrize("split", ["train", "test"])
def test_both_labels_of_the_same_images(
    split: str, small_100: "SmallCifar100", tmp_path: Path
) -> None:
    small_100.write(tmp_path)
    fine = load_batches(tmp_path, split, small_100.publication, FORM, "fine_labels")  # type: ignore[arg-type] # a parameter
    coarse = load_batches(tmp_path, split, small_100.publication, FORM, "coarse_labels")  # type: ignore[arg-type] # a parameter
    assert fine.images.tobytes() == coarse.images.tobytes() == small_100.pixels[split]
    assert fine.labels.tolist() == small_100.fine[split]
    assert coarse.labels.tolist() == small_100.coarse[split]
    assert (fine.class_names, coarse.class_names) == (CLASS_NAMES, COARSE_CLASS_NAMES)
    assert fine.digest != coarse.digest


def test_two_data_sets_of_one_publication() -> None:
    assert CIFAR100.publication is CIFAR100_COARSE.publication is PUBLICATION
    assert sum(file.examples for file in PUBLICATION.files) == 60_000


def test_only_the_files_of_the_split_are_needed(small_100: "SmallCifar100", tmp_path: Path) -> None:
    folder = small_100.write(tmp_path)
    (folder / "train").unlink()
    assert len(load_batches(folder, "test", small_100.publication, FORM, "fine_labels")) == 12
    with pytest.raises(DataError, match="train is missing") as caught:
        load_batches(folder, "train", small_100.publication, FORM, "fine_labels")
    assert "softmax download cifar100" in str(caught.value.hint)


def load_as_test(small: "SmallCifar100", content: bytes, parent: Path) -> None:
    """Load content whose hash is the expected one, so that only the reader stands guard."""
    small.contents["test"] = content
    small.write(parent)
    load_batches(parent, "test", small.describe(small.contents), FORM, "fine_labels")


@pytest.mark.parametrize(
    ("key", "label", "expected"),
    [
        (b"fine_labels", 100, "fine_labels: expected labels from 0 to 99"),
        (b"coarse_labels", 20, "coarse_labels: expected labels from 0 to 19"),
    ],
)
def test_labels_of_either_kind_are_checked(
    key: bytes, label: int, expected: str, small_100: "SmallCifar100", tmp_path: Path
) -> None:
    parts = small_100.batch_parts()
    parts[key] = small_100.list_of([small_100.integer(label)] * 12)
    with pytest.raises(DataError, match=expected):
        load_as_test(small_100, small_100.dict_of(parts), tmp_path)


def test_batch_of_ten_classes_is_refused(small_100: "SmallCifar100", tmp_path: Path) -> None:
    parts = small_100.batch_parts()
    parts[b"labels"] = parts.pop(b"fine_labels")
    with pytest.raises(DataError, match=r"dict of batch_label, coarse_labels, data, .*, fine_lab"):
        load_as_test(small_100, small_100.dict_of(parts), tmp_path)


@pytest.mark.parametrize("names", [{"fine": ["apple"] * 100}, {"coarse": ["fish"] * 20}])
def test_other_class_names_are_refused(
    names: dict[str, list[str]], small_100: "SmallCifar100", tmp_path: Path
) -> None:
    small_100.contents["meta"] = small_100.meta(**names)
    small_100.write(tmp_path)
    with pytest.raises(DataError, match="expected the class names of CIFAR-100"):
        load_batches(tmp_path, "test", small_100.describe(small_100.contents), FORM, "fine_labels")


def test_a_folder_with_a_file_called_test_is_none_of_it(
    small_100: "SmallCifar100", tmp_path: Path
) -> None:
    (tmp_path / "test").write_text("mine")
    with pytest.raises(DataError, match="CIFAR-100 not found"):
        load_batches(tmp_path, "test", small_100.publication, FORM, "fine_labels")
    assert own_folder(tmp_path, small_100.publication) == tmp_path / "cifar-100-python"
    renamed = small_100.write(tmp_path).rename(tmp_path / "renamed")
    (tmp_path / "test").unlink()
    assert own_folder(renamed, small_100.publication) == renamed
    assert len(load_batches(tmp_path, "test", small_100.publication, FORM, "fine_labels")) == 12
