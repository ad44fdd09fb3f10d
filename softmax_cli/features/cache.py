"""Features that are kept on disk, so that they are computed once for the same images and settings.

::

    <data-dir>/features/
      map-<digest>.safetensors          what a feature map learned from training images
      rows-<digest>.npy, and .json      features of some images, see ``row_files``

The digests in the names cover everything that the content depends on: the feature map's settings
and version, random stream, images, learned arrays. What is not intact is made anew. One process at
a time computes; others that need the same wait for it.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from softmax_cli.arrays import Rows
from softmax_cli.data.images import ImageSet
from softmax_cli.errors import SoftmaxError
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.feature_maps import unfitted_map
from softmax_cli.features.map_file import MapFile
from softmax_cli.features.row_files import RowFile
from softmax_cli.runs.atomic import make_directory, remove_file, remove_leftovers
from softmax_cli.runs.locks import DirectoryLock
from softmax_cli.runs.tables import read_json

FOLDER = "features"
"""Its name in the data directory."""

_KEPT_FILE = re.compile(r"(map-[0-9a-f]{24}\.safetensors|rows-[0-9a-f]{24}\.(npy|json))")
_DIGITS = 24
_CHUNK = 500  # images whose features are computed between two reports of progress
_WAIT_SECONDS = 0.2

Settings = Mapping[str, Any]
"""What a configuration says about features."""
_Kept = TypeVar("_Kept")


class ExtractionObserver(Protocol):
    """Who watches features being computed."""

    def extracted(self, completed: int, total: int) -> None:
        """The features of so many images out of a split are computed."""

    def warned(self, message: str) -> None:
        """Something is not as it should be, but there will be features."""


class Unobserved:
    """Nobody watches."""

    def extracted(self, completed: int, total: int) -> None:
        """Nothing happens."""

    def warned(self, message: str) -> None:
        """Nothing happens."""


class FeatureCache:
    """The folder of features in a data directory.

    Where there is no such directory, or nothing can be written to it, features are computed in
    memory.

    Args:
        data_dir: the data directory; None keeps nothing.
        observer: is told of progress and of files that are not intact.
    """

    def __init__(self, data_dir: Path | None, observer: ExtractionObserver | None = None) -> None:
        self._folder = data_dir / FOLDER if data_dir is not None and data_dir.is_dir() else None
        self._observer = observer or Unobserved()

    def fit(
        self, settings: Settings, images: ImageSet, seed: "np.random.SeedSequence"
    ) -> FeatureMap:
        """The feature map of some settings, fitted to training images.

        Args:
            settings: what to make it from.
            images: the training images.
            seed: the random stream that it draws from.
        """
        unfitted = unfitted_map(settings)

        def fit() -> FeatureMap:
            return unfitted.fit(images.images, seed)

        if self._folder is None or not unfitted.is_costly:
            return fit()
        file = _map_file(self._folder, unfitted, settings, images, seed)

        def write() -> FeatureMap:
            fitted = fit()
            file.write(fitted)
            return fitted

        return self._read_or_write(self._folder, file.exists, file.read, write, fit)

    def rows(self, feature_map: FeatureMap, settings: Settings, images: ImageSet) -> Rows:
        """Features (n, P) of images; read-only where they are kept.

        Args:
            feature_map: fitted.
            settings: what it was made from.
            images: n of them.
        """
        if not (feature_map.is_costly and len(images)):
            return feature_map.transform(images.images)

        def compute() -> Rows:
            return np.concatenate(list(self._chunks(feature_map, images)))

        if self._folder is None:
            return compute()
        file = RowFile(self._folder, rows_digest(feature_map, settings, images))
        shape = (len(images), feature_map.size)

        def write() -> Rows:
            return file.write(self._chunks(feature_map, images), shape, settings)

        return self._read_or_write(
            self._folder, file.exists, lambda: file.read(shape), write, compute
        )

    def kept_map(
        self, settings: Settings, images: ImageSet, seed: "np.random.SeedSequence"
    ) -> FeatureMap | None:
        """The map that :meth:`fit` would find; None if it would have to fit one."""
        if self._folder is None:
            return None
        file = _map_file(self._folder, unfitted_map(settings), settings, images, seed)
        return _read_intact(file.exists, file.read)[0]

    def has_rows(self, feature_map: FeatureMap, settings: Settings, images: ImageSet) -> bool:
        """Whether the rows of images are there, as far as names tell."""
        if self._folder is None:
            return False
        return RowFile(self._folder, rows_digest(feature_map, settings, images)).exists()

    def _chunks(self, feature_map: FeatureMap, images: ImageSet) -> Iterator[Rows]:
        for start in range(0, len(images), _CHUNK):
            chunk = images.images[start : start + _CHUNK]
            yield feature_map.transform(chunk)
            self._observer.extracted(start + len(chunk), len(images))

    def _read_or_write(
        self,
        folder: Path,
        exists: Callable[[], bool],
        read: Callable[[], _Kept],
        write: Callable[[], _Kept],
        compute: Callable[[], _Kept],
    ) -> _Kept:
        """What is kept; or else it is computed and kept, or at least computed."""
        kept, _ = _read_intact(exists, read)
        if kept is not None:
            return kept
        try:
            make_directory(folder)
            with self._alone(folder):
                # Another process may have written it meanwhile.
                kept, problem = _read_intact(exists, read)
                if kept is not None:
                    return kept
                if problem:
                    self._observer.warned(f"kept features are computed anew: {problem}")
                return write()
        except OSError as error:
            self._observer.warned(f"features cannot be kept: {_reason(error)}")
            return compute()

    @contextmanager
    def _alone(self, folder: Path) -> Iterator[None]:
        """One process at a time."""
        lock = None
        while lock is None:
            try:
                lock = DirectoryLock(folder)
            except BlockingIOError:
                time.sleep(_WAIT_SECONDS)
        try:
            remove_leftovers(folder)
            yield
        finally:
            lock.release()


def _map_file(
    folder: Path,
    unfitted: FeatureMap,
    settings: Settings,
    images: ImageSet,
    seed: "np.random.SeedSequence",
) -> MapFile:
    stream = json.dumps([str(seed.entropy), *seed.spawn_key])
    digest = _digest("map", unfitted, settings, images.digest, stream)
    return MapFile(folder / f"map-{digest}.safetensors", settings)


def rows_digest(feature_map: FeatureMap, settings: Settings, images: ImageSet) -> str:
    """What the features of some images are called: a digest of all that they depend on."""
    learned = hashlib.sha256()
    for name, array in sorted(feature_map.arrays().items()):
        learned.update(f"{name} {array.dtype} {array.shape}".encode())
        learned.update(np.ascontiguousarray(array).data)
    return _digest("rows", feature_map, settings, images.digest, learned.hexdigest())


def _digest(kind: str, feature_map: FeatureMap, settings: Settings, *parts: str) -> str:
    # The first version is not named: features that were kept before there were versions count.
    version = [feature_map.version] if feature_map.version > 1 else []
    text = json.dumps([kind, dict(settings), *parts, *version], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _read_intact(exists: Callable[[], bool], read: Callable[[], _Kept]) -> tuple[_Kept | None, str]:
    """What is kept, or None and what is wrong with it, if it is there at all."""
    if not exists():
        return None, ""
    try:
        return read(), ""
    except (SoftmaxError, ValueError, OSError) as error:
        return None, _reason(error)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)


@dataclass(frozen=True)
class KeptFeatures:
    """Rows in a folder of features.

    Attributes:
        digest: that in their name.
        size: bytes on disk.
        modified: when they were written, in seconds since the epoch.
        images: n.
        features: P.
        dtype: ``uint8`` or ``float32``.
        settings: the section ``features`` of the configuration that they were made for.
    """

    digest: str
    size: int
    modified: float
    images: int
    features: int
    dtype: str
    settings: dict[str, Any]


def kept_features(data_dir: Path) -> list[KeptFeatures]:
    """Rows that are kept in a data directory, the newest first; notes that are damaged are skipped.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    for note in sorted((data_dir / FOLDER).glob("rows-*.json")):
        rows = note.with_suffix(".npy")
        try:
            content, status = read_json(note), rows.stat()
            found.append(
                KeptFeatures(
                    digest=note.stem.removeprefix("rows-"),
                    size=status.st_size,
                    modified=status.st_mtime,
                    images=int(content["images"]),
                    features=int(content["features"]),
                    dtype=str(content["dtype"]),
                    settings=dict(content["settings"]),
                )
            )
        except (SoftmaxError, OSError, KeyError, TypeError, ValueError):
            continue
    return sorted(found, key=lambda kept: -kept.modified)


def clear_features(data_dir: Path) -> tuple[int, int]:
    """Remove all features that are kept in a data directory, and nothing else.

    Returns:
        Number of files, and their bytes.

    Raises:
        OSError: a file could not be removed.
    """
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return 0, 0
    remove_leftovers(folder)
    files = [path for path in folder.iterdir() if _KEPT_FILE.fullmatch(path.name)]
    # Notes first, so that no rows count that are half removed.
    files.sort(key=lambda path: path.suffix != ".json")
    size = 0
    for path in files:
        size += path.stat().st_size
        remove_file(path)
    return len(files), size
