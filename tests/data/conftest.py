"""Data sets of CIFAR's layouts that are small enough for faults by the dozen."""

import hashlib
import io
import itertools
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.data import cifar100
from softmax_cli.data.cifar10 import CLASS_NAMES, PUBLICATION
from softmax_cli.data.dataset import Publication, PublishedFile
from softmax_cli.data.images import PIXELS
from tests.data.expectation import cifar100_publication_of, publication_of

FOLDER = PUBLICATION.folder
IMAGES = 12


class SmallDataSet:
    """Six batches of twelve images and a file of names; ``contents`` are the bytes by file name."""

    folder = FOLDER
    names_file = "batches.meta"

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.pixels: dict[str, bytes] = {}
        self.labels: dict[str, list[int]] = {}
        self.contents: dict[str, bytes] = {}
        for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
            self.pixels[name] = rng.bytes(IMAGES * PIXELS)
            self.labels[name] = rng.integers(0, 10, IMAGES).tolist()
            self.contents[name] = self.dict_of(self.batch_parts(name))
        self.contents["batches.meta"] = self.dict_of(self.names_parts())
        self.publication = self.describe(self.contents)

    @staticmethod
    def integer(value: int) -> bytes:
        return b"K" + bytes([value])

    @staticmethod
    def string(value: bytes) -> bytes:
        if len(value) < 256:
            return b"U" + bytes([len(value)]) + value
        return b"T" + len(value).to_bytes(4, "little") + value

    @staticmethod
    def list_of(items: list[bytes]) -> bytes:
        return b"]q\x05(" + b"".join(items) + b"e"

    @staticmethod
    def array(
        data: bytes, *, rows: int = IMAGES, dtype: bytes = b"u1", order: bytes = b"\x89"
    ) -> bytes:
        """A numpy array the way Python 2 pickled it."""
        kind = b"U" + bytes([len(dtype)]) + dtype
        return (
            b"cnumpy.core.multiarray\n_reconstruct\nq\x06cnumpy\nndarray\nq\x07K\x00\x85q\x08"
            b"U\x01bq\x09\x87q\x0aRq\x0b(K\x01M" + rows.to_bytes(2, "little") + b"M\x00\x0c\x86"
            b"cnumpy\ndtype\nq\x0d" + kind + b"K\x00K\x01\x87q\x0fRq\x10(K\x03U\x01|NNN"
            b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb" + order + data + b"tb"
        )

    @staticmethod
    def dict_of(pairs: dict[bytes, bytes]) -> bytes:
        items = b"".join(
            b"U" + bytes([len(key)]) + key + b"q\x02" + value for key, value in pairs.items()
        )
        return b"\x80\x02}q\x01(" + items + b"u."

    def batch_parts(self, name: str = "test_batch") -> dict[bytes, bytes]:
        """The pickled values of a batch, by key."""
        return {
            b"batch_label": self.string(b"batch " + name.encode()),
            b"labels": self.list_of([self.integer(label) for label in self.labels[name]]),
            b"data": self.array(self.string(self.pixels[name])),
            b"filenames": self.list_of([self.string(f"{i}.png".encode()) for i in range(IMAGES)]),
        }

    def names_parts(self) -> dict[bytes, bytes]:
        return {
            b"num_cases_per_batch": self.integer(IMAGES),
            b"label_names": self.list_of([self.string(name.encode()) for name in CLASS_NAMES]),
            b"num_vis": b"M" + PIXELS.to_bytes(2, "little"),
        }

    def describe(
        self, contents: dict[str, bytes], examples: Mapping[str, int] | None = None
    ) -> Publication:
        """What a data set of these contents would be expected to be."""
        counts = dict.fromkeys(contents, IMAGES) | {self.names_file: 0} | dict(examples or {})
        return self.published(
            PublishedFile(
                name=name,
                size=len(content),
                md5=hashlib.md5(content).hexdigest(),
                sha256=hashlib.sha256(content).hexdigest(),
                examples=counts[name],
            )
            for name, content in contents.items()
        )

    def published(self, files: Iterable[PublishedFile]) -> Publication:
        """CIFAR-10 of these files."""
        return publication_of(files)

    def write(self, parent: Path) -> Path:
        """Write the files below ``parent`` and return their folder."""
        folder = parent / self.folder
        folder.mkdir(parents=True)
        for name, content in self.contents.items():
            (folder / name).write_bytes(content)
        return folder

    def archive(self, prefix: str | None = None, style: int = tarfile.USTAR_FORMAT) -> bytes:
        """The data set as an uncompressed tar."""
        prefix = f"{self.folder}/" if prefix is None else prefix
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=style) as tar:
            for name, content in self.contents.items():
                member = tarfile.TarInfo(prefix + name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return buffer.getvalue()


class SmallCifar100(SmallDataSet):
    """Files ``train`` and ``test`` of twelve images, and ``meta``, byte for byte the real one."""

    folder = cifar100.PUBLICATION.folder
    names_file = "meta"

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.pixels = {name: rng.bytes(IMAGES * PIXELS) for name in ("train", "test")}
        self.fine = {name: rng.integers(0, 100, IMAGES).tolist() for name in self.pixels}
        self.coarse = {name: rng.integers(0, 20, IMAGES).tolist() for name in self.pixels}
        self.contents = {name: self.dict_of(self.batch_parts(name)) for name in self.pixels}
        self.contents["meta"] = self.meta()
        self.publication = self.describe(self.contents)

    def batch_parts(self, name: str = "test") -> dict[bytes, bytes]:
        """The pickled values of a file, by key, in the order of the real one."""
        return {
            b"filenames": self.list_of([self.string(f"{i}.png".encode()) for i in range(IMAGES)]),
            b"batch_label": self.string(name.encode() + b"ing batch 1 of 1"),
            b"fine_labels": self.list_of([self.integer(label) for label in self.fine[name]]),
            b"coarse_labels": self.list_of([self.integer(label) for label in self.coarse[name]]),
            b"data": self.array(self.string(self.pixels[name])),
        }

    @staticmethod
    def meta(
        fine: Sequence[str] = cifar100.CLASS_NAMES,
        coarse: Sequence[str] = cifar100.COARSE_CLASS_NAMES,
    ) -> bytes:
        """The file of class names, as Python 2 wrote it."""
        places = itertools.count(1)

        def put(value: bytes) -> bytes:
            return value + b"q" + bytes([next(places)])

        def string(text: str) -> bytes:
            return put(b"U" + bytes([len(text)]) + text.encode())

        def names(key: str, values: Sequence[str]) -> bytes:
            return string(key) + put(b"]") + b"(" + b"".join(map(string, values)) + b"e"

        start = put(b"\x80\x02}") + b"("
        return start + names("fine_label_names", fine) + names("coarse_label_names", coarse) + b"u."

    def published(self, files: Iterable[PublishedFile]) -> Publication:
        """CIFAR-100 of these files."""
        return cifar100_publication_of(files)


@pytest.fixture
def small_100() -> SmallCifar100:
    return SmallCifar100()


@pytest.fixture
def small() -> SmallDataSet:
    return SmallDataSet()
