import pickle
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from softmax_cli.data.cifar10 import CIFAR10, CLASS_NAMES, FORM, PUBLICATION
from softmax_cli.data.cifar_batches import load_batches
from softmax_cli.errors import DataError
from tests.data.conftest import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.data.conftest import SmallDataSet

load_cifar10 = partial(load_batches, form=FORM, labels="labels")


def test_train_is_the_five_batches_in_order(small: "SmallDataSet", tmp_path: Path) -> None:
    small.write(tmp_path)
    train = load_cifar10(tmp_path, "train", small.publication)
    names = [f"data_batch_{i}" for i in range(1, 6)]
    assert train.images.tobytes() == b"".join(small.pixels[name] for name in names)
    assert train.labels.tolist() == [label for name in names for label in small.labels[name]]
    assert train.class_names == CLASS_NAMES


def test_only_the_files_of_the_split_are_needed(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    for path in folder.glob("data_batch_*"):
        path.unlink()
    test = load_cifar10(folder, "test", small.publication)
    assert test.images.tobytes() == small.pixels["test_batch"]
    with pytest.raises(DataError, match="data_batch_1 is missing"):
        load_cifar10(folder, "train", small.publication)


def test_digest_follows_the_content(small: "SmallDataSet", tmp_path: Path) -> None:
    small.write(tmp_path)
    train = load_cifar10(tmp_path, "train", small.publication)
    test = load_cifar10(tmp_path, "test", small.publication)
    assert train.digest == load_cifar10(tmp_path, "train", small.publication).digest != test.digest


@pytest.mark.parametrize("at", [3, 200, 20_000, -3])
def test_one_flipped_bit_anywhere_is_refused(
    small: "SmallDataSet", tmp_path: Path, at: int
) -> None:
    folder = small.write(tmp_path)
    content = bytearray(small.contents["data_batch_4"])
    content[at] ^= 16
    (folder / "data_batch_4").write_bytes(content)
    with pytest.raises(DataError, match="data_batch_4 is altered") as caught:
        load_cifar10(tmp_path, "train", small.publication)
    assert "softmax download" in str(caught.value.hint)


def test_truncated_and_swapped_are_named(small: "SmallDataSet", tmp_path: Path) -> None:
    folder = small.write(tmp_path)
    (folder / "test_batch").write_bytes(small.contents["test_batch"][:-5])
    with pytest.raises(DataError, match=r"test_batch is truncated: expected .* bytes, got"):
        load_cifar10(tmp_path, "test", small.publication)
    (folder / "test_batch").write_bytes(small.contents["data_batch_2"])
    with pytest.raises(DataError, match="is swapped: expected test_batch, got data_batch_2"):
        load_cifar10(tmp_path, "test", small.publication)


def load_as_test_batch(small: "SmallDataSet", content: bytes, parent: Path) -> None:
    """Load content whose hash is the expected one, so that only the unpickler stands guard."""
    small.contents["test_batch"] = content
    small.write(parent)
    load_cifar10(parent, "test", small.describe(small.contents))


SPOILT: dict[str, tuple[bytes, "Callable[[SmallDataSet, bytes], bytes]"]] = {
    "rows that are not there": (
        b"data",
        lambda small, data: small.array(small.string(data), rows=13),
    ),
    "another dtype": (b"data", lambda small, data: small.array(small.string(data), dtype=b"i8")),
    "objects": (
        b"data",
        lambda small, data: small.array(small.list_of([small.integer(1)]), dtype=b"O8"),
    ),
    "order that is not C": (
        b"data",
        lambda small, data: small.array(small.string(data), order=b"K\x01"),
    ),
    "too few pixels": (b"data", lambda small, data: small.array(small.string(data[:-1]))),
    "too many pixels": (b"data", lambda small, data: small.array(small.string(data + b"x"))),
    "no array": (b"data", lambda small, data: small.string(data)),
    "label 10": (b"labels", lambda small, _: small.list_of([small.integer(10)] * 12)),
    "label -1": (b"labels", lambda small, _: small.list_of([b"J\xff\xff\xff\xff"] * 12)),
    "a label missing": (b"labels", lambda small, _: small.list_of([small.integer(1)] * 11)),
    "labels that are strings": (
        b"labels",
        lambda small, _: small.list_of([small.string(b"1")] * 12),
    ),
    "labels that are lists": (b"labels", lambda small, _: small.list_of([b"]"] * 12)),
    "no list of labels": (b"labels", lambda small, _: small.integer(1)),
    "a label of the batch that is no string": (
        b"batch_label",
        lambda small, data: small.array(small.string(data)),
    ),
    "file names missing": (b"filenames", lambda small, _: small.list_of([small.string(b"a")] * 11)),
}


@pytest.mark.parametrize("case", SPOILT)
def test_batch_of_the_right_hash_is_still_checked(
    case: str, small: "SmallDataSet", tmp_path: Path
) -> None:
    key, spoil = SPOILT[case]
    spoilt = small.batch_parts() | {key: spoil(small, small.pixels["test_batch"])}
    wrong_value = r"((labels|filenames|batch_label): )?expected"
    wrong_length = r"not a pickle of CIFAR-10: at byte \d+: refused the instruction BINSTRING"
    with pytest.raises(DataError, match=f"test_batch: ({wrong_value}|{wrong_length})"):
        load_as_test_batch(small, small.dict_of(spoilt), tmp_path)


@pytest.mark.parametrize("key", [b"batch_label", b"labels", b"data", b"filenames"])
def test_batch_without_a_key_is_refused(key: bytes, small: "SmallDataSet", tmp_path: Path) -> None:
    parts = small.batch_parts()
    del parts[key]
    with pytest.raises(DataError, match="expected a dict of batch_label, data, filenames, labels"):
        load_as_test_batch(small, small.dict_of(parts), tmp_path)


def test_code_in_a_batch_of_the_right_hash_does_not_run(
    small: "SmallDataSet", tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    command = f"touch {marker}".encode()
    parts = small.batch_parts()
    parts[b"batch_label"] = b"cos\nsystem\n(" + small.string(command) + b"tR"
    with pytest.raises(DataError, match=r"test_batch: .* refused to look up 'os\.system'"):
        load_as_test_batch(small, small.dict_of(parts), tmp_path)
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"}.", b"]."])
def test_file_that_is_no_batch(content: bytes, small: "SmallDataSet", tmp_path: Path) -> None:
    with pytest.raises(DataError, match="test_batch"):
        load_as_test_batch(small, content, tmp_path)


def test_other_class_names_are_refused(small: "SmallDataSet", tmp_path: Path) -> None:
    names = small.list_of([small.string(b"cat")] * 10)
    spoilt = small.names_parts() | {b"label_names": names}
    small.contents["batches.meta"] = small.dict_of(spoilt)
    small.write(tmp_path)
    with pytest.raises(DataError, match="class names"):
        load_cifar10(tmp_path, "test", small.describe(small.contents))


@pytest.fixture
def linked_cifar10(cifar10_dir: Path, tmp_path: Path) -> Path:
    """The real data set as symbolic links, of which a test may replace some."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    for file in PUBLICATION.files:
        (folder / file.name).symlink_to(cifar10_dir / FOLDER / file.name)
    return folder


@pytest.mark.cifar10
def test_real_data_equals_what_pickle_reads(cifar10_dir: Path) -> None:
    train, test = (CIFAR10.load(cifar10_dir, split) for split in ("train", "test"))
    assert train.images.flags.c_contiguous
    assert np.bincount(train.labels).tolist() == [5000] * 10
    for part, file in zip(
        [*(train.section(i, i + 10_000) for i in range(0, 50_000, 10_000)), test],
        PUBLICATION.files,
        strict=False,
    ):
        with (cifar10_dir / FOLDER / file.name).open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's note on the old dtype
            batch = pickle.load(stream, encoding="bytes")
        assert np.array_equal(part.images, batch[b"data"])
        assert part.labels.tolist() == batch[b"labels"]


@pytest.mark.posix("symbolic links")
@pytest.mark.cifar10
def test_real_batch_truncated(linked_cifar10: Path) -> None:
    path = linked_cifar10 / "test_batch"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:20_000_000])
    with pytest.raises(DataError, match="truncated: expected 31,035,526 bytes, got 20,000,000"):
        CIFAR10.load(linked_cifar10, "test")


@pytest.mark.posix("symbolic links")
@pytest.mark.cifar10
def test_real_batch_altered(linked_cifar10: Path) -> None:
    path = linked_cifar10 / "data_batch_2"
    content = bytearray(path.read_bytes())
    content[15_000_000] ^= 1
    path.unlink()
    path.write_bytes(content)
    with pytest.raises(DataError, match="data_batch_2 is altered: expected SHA-256 766b2cef"):
        CIFAR10.load(linked_cifar10, "train")


@pytest.mark.posix("symbolic links")
@pytest.mark.cifar10
def test_real_batches_swapped(linked_cifar10: Path) -> None:
    (linked_cifar10 / "data_batch_1").rename(linked_cifar10 / "aside")
    (linked_cifar10 / "data_batch_3").rename(linked_cifar10 / "data_batch_1")
    (linked_cifar10 / "aside").rename(linked_cifar10 / "data_batch_3")
    with pytest.raises(DataError, match="swapped: expected data_batch_1, got data_batch_3"):
        CIFAR10.load(linked_cifar10, "train")
