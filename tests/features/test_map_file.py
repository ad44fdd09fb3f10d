from pathlib import Path

import numpy as np
import pytest

from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.errors import DataError
from softmax_cli.features.feature_maps import FEATURE_MAPS, unfitted_map
from softmax_cli.features.map_file import MapFile
from tests.features.channel_means import ChannelMeans

IMAGES = make_synthetic("train", size=100).images
SETTINGS = {"kind": "channel_means", "storage": "bytes"}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEATURE_MAPS, ChannelMeans.kind, ChannelMeans)


def test_a_map_comes_back_as_it_was(tmp_path: Path) -> None:
    file = MapFile(tmp_path / "map.safetensors", SETTINGS)
    assert not file.exists()
    fitted = unfitted_map(SETTINGS).fit(IMAGES, np.random.SeedSequence(0))
    file.write(fitted)
    assert file.exists()
    assert (file.read().transform(IMAGES) == fitted.transform(IMAGES)).all()


def test_arrays_of_another_map_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.safetensors"
    fitted = unfitted_map(SETTINGS).fit(IMAGES, np.random.SeedSequence(0))
    MapFile(path, SETTINGS).write(fitted)
    with pytest.raises(ValueError, match="expected"):
        MapFile(path, {**SETTINGS, "storage": "float32"}).read()


def test_a_missing_or_altered_file_is_refused(tmp_path: Path) -> None:
    file = MapFile(tmp_path / "map.safetensors", SETTINGS)
    with pytest.raises(DataError, match="no feature map"):
        file.read()
    file.path.write_bytes(b"something else")
    with pytest.raises(DataError, match="not a feature map"):
        file.read()
