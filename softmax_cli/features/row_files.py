"""Files of feature rows: written a chunk at a time, checked when they are read.

::

    rows-<digest>.npy    features (n, P), one row an image
    rows-<digest>.json   their SHA-256, shape and dtype, and the settings they were made with

The JSON file is written last, so rows without it do not count.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from softmax_cli.arrays import Rows
from softmax_cli.errors import DataError
from softmax_cli.runs.atomic import replacing
from softmax_cli.runs.tables import read_json, write_json

_VERSION = 1
_DTYPES: dict[str, np.dtype[Any]] = {"uint8": np.dtype(np.uint8), "float32": np.dtype("<f4")}
_BLOCK = 2**22  # bytes hashed at a time


@dataclass(frozen=True)
class RowFile:
    """Where the rows of one digest are, or will be."""

    folder: Path
    digest: str

    @property
    def rows(self) -> Path:
        """The rows themselves."""
        return self.folder / f"rows-{self.digest}.npy"

    @property
    def note(self) -> Path:
        """What says that they are whole, and what they are."""
        return self.folder / f"rows-{self.digest}.json"

    def write(
        self, chunks: Iterator[Rows], shape: tuple[int, int], settings: Mapping[str, Any]
    ) -> Rows:
        """Write rows, and return them, memory-mapped and read-only.

        Args:
            chunks: the rows (n, P) from first to last, uint8 or float32, at least one chunk.
            shape: (n, P).
            settings: the section ``features`` of a configuration, for who lists the folder.

        Raises:
            DataError: another program changed them at once.
            OSError: they could not be written; ``chunks`` may be consumed.
        """
        first = next(chunks)
        checksum = hashlib.sha256()
        with replacing(self.rows) as stream:
            npy.write_array_header_1_0(
                stream, {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
            )
            for chunk in chain([first], chunks):
                data = np.ascontiguousarray(chunk).data.cast("B")
                checksum.update(data)
                stream.write(data)
        write_json(
            self.note,
            {
                "format_version": _VERSION,
                "sha256": checksum.hexdigest(),
                "images": shape[0],
                "features": shape[1],
                "dtype": str(first.dtype),
                "settings": dict(settings),
            },
        )
        return self._mapped(shape, first.dtype)

    def read(self, shape: tuple[int, int]) -> Rows:
        """The rows, checked; memory-mapped and read-only.

        Args:
            shape: (n, P), as they should be.

        Raises:
            DataError: they are not intact, or of another form.
            IntegrityError: the note is no note.
            OSError: they are not there, or cannot be read.
        """
        note = read_json(self.note)
        dtype = _DTYPES.get(str(note.get("dtype")))
        stated = (note.get("images"), note.get("features"))
        if note.get("format_version") != _VERSION or dtype is None or stated != shape:
            raise DataError(f"{self.note}: expected a note of rows of shape {shape}")
        rows = self._mapped(shape, dtype)
        if _checksum(rows) != note.get("sha256"):
            raise self._damaged()
        return rows

    def exists(self) -> bool:
        """Whether there are rows, intact or not."""
        return self.note.exists()

    def _mapped(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> Rows:
        """The rows, of which the header alone is checked."""
        try:
            rows: Rows = np.load(self.rows, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise DataError(f"{self.rows}: expected rows of features, got another file") from error
        if rows.shape != shape or rows.dtype != dtype:
            raise self._damaged()
        return np.asarray(rows)

    def _damaged(self) -> DataError:
        return DataError(f"{self.rows}: damaged or altered")


def _checksum(rows: Rows) -> str:
    checksum = hashlib.sha256()
    data = np.ascontiguousarray(rows).data.cast("B")
    for start in range(0, len(data), _BLOCK):
        checksum.update(data[start : start + _BLOCK])
    return checksum.hexdigest()
