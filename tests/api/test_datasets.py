from pathlib import Path

import numpy as np
import pytest

from softmax_cli import load_dataset
from softmax_cli.errors import ConfigurationError, DataError


def test_both_splits_with_their_class_names(tmp_path: Path) -> None:
    dataset = load_dataset("synthetic", tmp_path)
    assert (dataset.name, len(dataset.train), len(dataset.test)) == ("synthetic", 5000, 1000)
    assert dataset.train.images.shape == (5000, 3072)
    assert dataset.train.labels.dtype == np.int64
    assert dataset.class_names == dataset.test.class_names
    assert dataset.class_names[:2] == ("airplane", "automobile")
    assert repr(dataset) == (
        "<Dataset synthetic: 5000 training and 1000 test images of 10 classes>"
    )


def test_an_unknown_data_set_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"expected a data set \(cifar10, .*, got mnist"):
        load_dataset("mnist")


def test_missing_files_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset("cifar10", str(tmp_path))
    assert "softmax download" in str(caught.value.hint)
    monkeypatch.setenv("SOFTMAX_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match="elsewhere"):
        load_dataset()


@pytest.mark.cifar10
def test_cifar10(cifar10_dir: Path) -> None:
    dataset = load_dataset("cifar10", cifar10_dir)
    assert (len(dataset.train), len(dataset.test)) == (50_000, 10_000)
