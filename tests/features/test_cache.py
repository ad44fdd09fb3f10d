import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.cache import (
    FOLDER,
    FeatureCache,
    clear_features,
    kept_features,
)
from softmax_cli.features.feature_maps import FEATURE_MAPS
from softmax_cli.runs.locks import DirectoryLock
from tests.features.channel_means import ChannelMeans

IMAGES = make_synthetic("train", size=1200)
SETTINGS = {"kind": "channel_means", "storage": "bytes"}
SEED = np.random.SeedSequence(0)


class Watcher:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.completed: list[tuple[int, int]] = []
        self.warnings: list[str] = []

    def extracted(self, completed: int, total: int) -> None:
        self.completed.append((completed, total))

    def warned(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEATURE_MAPS, ChannelMeans.kind, ChannelMeans)
    monkeypatch.setattr(ChannelMeans, "computed", [])


def rows_from(
    data_dir: Path | None, settings: dict[str, str] = SETTINGS, watcher: Watcher | None = None
) -> np.ndarray:
    cache = FeatureCache(data_dir, watcher)
    return cache.rows(cache.fit(settings, IMAGES, SEED), settings, IMAGES)


def rows_file(data_dir: Path, suffix: str = ".npy") -> Path:
    (path,) = (data_dir / FOLDER).glob(f"rows-*{suffix}")
    return path


@pytest.mark.parametrize("storage", ["bytes", "float32"])
def test_kept_features_are_those_that_are_computed_bit_for_bit(
    storage: str, tmp_path: Path
) -> None:
    settings = {"kind": "channel_means", "storage": storage}
    fresh = rows_from(None, settings)
    made, watcher = rows_from(tmp_path, settings), Watcher()
    ChannelMeans.computed.clear()
    kept = rows_from(tmp_path, settings, watcher)
    assert ChannelMeans.computed == [] or storage == "float32"
    assert watcher.completed == []
    assert fresh.dtype == (np.uint8 if storage == "bytes" else np.float32)
    assert (made == fresh).all()
    assert (kept == fresh).all()


def test_progress_is_told_image_by_image(tmp_path: Path) -> None:
    watcher = Watcher()
    rows_from(tmp_path, watcher=watcher)
    assert watcher.completed == [(500, 1200), (1000, 1200), (1200, 1200)]
    assert watcher.warnings == []


@pytest.mark.parametrize("damage", ["cut", "altered", "removed"])
def test_damaged_features_are_noticed_and_made_anew(damage: str, tmp_path: Path) -> None:
    rows = np.array(rows_from(tmp_path))
    path = rows_file(tmp_path)
    content = path.read_bytes()
    path.unlink()  # not written over: a mapping of the old file is still alive
    if damage == "cut":
        path.write_bytes(content[:-1])
    elif damage == "altered":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    watcher = Watcher()
    assert (rows_from(tmp_path, watcher=watcher) == rows).all()
    (warning,) = watcher.warnings
    assert "computed anew" in warning
    assert str(path) in warning
    assert rows_file(tmp_path).read_bytes() == content


def test_a_damaged_map_is_fitted_anew(tmp_path: Path) -> None:
    rows = np.array(rows_from(tmp_path))
    (path,) = (tmp_path / FOLDER).glob("map-*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    watcher = Watcher()
    assert (rows_from(tmp_path, watcher=watcher) == rows).all()
    assert len(watcher.warnings) == 1
    assert path.read_bytes() == content


def test_other_settings_images_and_seeds_have_files_of_their_own(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    fitted = cache.fit(SETTINGS, IMAGES, SEED)
    cache.rows(fitted, SETTINGS, IMAGES)
    cache.rows(fitted, SETTINGS, IMAGES.take_first(600))
    cache.fit(SETTINGS, IMAGES, np.random.SeedSequence(1))
    other = cache.fit(SETTINGS, IMAGES.take_first(600), SEED)
    cache.rows(other, SETTINGS, IMAGES)
    floats = {**SETTINGS, "storage": "float32"}
    cache.rows(cache.fit(floats, IMAGES, SEED), floats, IMAGES)
    assert len(list((tmp_path / FOLDER).glob("rows-*.npy"))) == 4
    assert len(list((tmp_path / FOLDER).glob("map-*"))) == 4


def test_a_map_of_another_version_makes_its_features_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_from(tmp_path)
    before = {path.name for path in (tmp_path / FOLDER).iterdir()}
    monkeypatch.setattr(ChannelMeans, "version", 2)
    ChannelMeans.computed.clear()
    rows_from(tmp_path)
    assert sum(ChannelMeans.computed) >= len(IMAGES)
    assert len({path.name for path in (tmp_path / FOLDER).iterdir()} - before) == 3


def test_where_nothing_can_be_written_features_are_computed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("no folder")
    watcher = Watcher()
    assert (rows_from(tmp_path, watcher=watcher) == rows_from(None)).all()
    assert len(watcher.warnings) == 2  # the map, and the rows
    assert all("cannot be kept" in warning for warning in watcher.warnings)


def test_without_a_data_directory_nothing_is_kept(tmp_path: Path) -> None:
    rows_from(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_pixels_are_not_kept(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    pixels = cache.fit({"kind": "pixels"}, IMAGES, SEED)
    assert cache.rows(pixels, {"kind": "pixels"}, IMAGES) is IMAGES.images
    assert list(tmp_path.iterdir()) == []


def test_a_process_waits_for_another_that_computes(tmp_path: Path) -> None:
    rows = np.array(rows_from(tmp_path))
    content = {path: path.read_bytes() for path in (tmp_path / FOLDER).iterdir()}
    clear_features(tmp_path)
    other = DirectoryLock(tmp_path / FOLDER)
    found: list[np.ndarray] = []
    waiting = threading.Thread(target=lambda: found.append(rows_from(tmp_path)))
    waiting.start()
    time.sleep(0.3)
    assert not found
    ChannelMeans.computed.clear()
    for path, data in content.items():  # the other process writes what both want
        path.write_bytes(data)
    other.release()
    waiting.join(30)
    assert (found[0] == rows).all()
    assert ChannelMeans.computed == []


def test_what_is_kept_is_listed_and_cleared(tmp_path: Path) -> None:
    assert kept_features(tmp_path) == []
    assert clear_features(tmp_path) == (0, 0)
    rows_from(tmp_path)
    (tmp_path / FOLDER / "mine.npy").write_text("mine")
    (kept,) = kept_features(tmp_path)
    assert (kept.images, kept.features, kept.dtype) == (1200, 3, "uint8")
    assert kept.settings == SETTINGS
    assert kept.size == rows_file(tmp_path).stat().st_size
    files, size = clear_features(tmp_path)
    assert files == 3
    assert size > kept.size
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["mine.npy"]


def test_features_that_were_interrupted_are_the_same_the_next_time(tmp_path: Path) -> None:
    class Interrupting(Watcher):
        def extracted(self, completed: int, total: int) -> None:
            if completed == 1000:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rows_from(tmp_path, watcher=Interrupting())
    assert [path.name[:4] for path in (tmp_path / FOLDER).iterdir()] == ["map-"]
    assert (rows_from(tmp_path) == rows_from(None)).all()
    rows_file(tmp_path)


def test_two_processes_at_once_compute_once(tmp_path: Path) -> None:
    """Both ask for the same features; the one that waits reads what the other wrote."""
    code = """
import sys
from pathlib import Path
import numpy as np
from softmax_cli.features.feature_maps import FEATURE_MAPS
from tests.features.channel_means import ChannelMeans
from tests.features.test_cache import IMAGES, SEED, SETTINGS, Watcher, rows_from
FEATURE_MAPS[ChannelMeans.kind] = ChannelMeans
watcher = Watcher()
rows = rows_from(Path(sys.argv[1]), watcher=watcher)
print(rows.sum(), len(watcher.completed), watcher.warnings)
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    root = Path(__file__).parents[2]
    both = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    printed = [process.communicate(timeout=120)[0].split(maxsplit=2) for process in both]
    assert printed[0][0] == printed[1][0] == str(rows_from(None).sum())
    assert sorted(int(words[1]) for words in printed) == [0, 3]
    assert [words[2].strip() for words in printed] == ["[]", "[]"]
