import bz2
import gzip
import lzma
import pickle
import tarfile

import numpy as np
import pytest

from softmax_cli.data.cifar10 import PUBLICATION
from softmax_cli.data.file_kinds import (
    BZIP2,
    GZIP,
    PICKLE,
    START_BYTES,
    TAR,
    XZ,
    FileKind,
    recognise,
    recognise_other_form,
)
from tests.data.foreign import LFS_POINTER, WEB_PAGE, ZSTD, written, zip_of
from tests.data.tar import member

WEB_PAGES = {
    "bare": WEB_PAGE,
    "doctype": b"<!DOCTYPE html>\n<title>Log in</title>",
    "capitals behind blank lines": b"\r\n\r\n  <HTML>",
    "byte order mark": "\ufeff<!doctype html><p>Bitte anmelden: Gerät".encode(),
    "error of a bucket": b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code>",
    "comment": b"<!-- moved -->",
    "not in English": "<p>登录</p>".encode(),
}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(b""), GZIP),
        (bz2.compress(b""), BZIP2),
        (lzma.compress(b""), XZ),
        (member("x", b"content"), TAR),
        (tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT), TAR),
        *((pickle.dumps({"data": 1}, protocol), PICKLE) for protocol in range(2, 6)),
    ],
)
def test_kinds_that_the_program_deals_with(content: bytes, kind: FileKind) -> None:
    assert recognise(content[:START_BYTES]) is kind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (zip_of(a=b"b"), "a ZIP archive"),
        (zip_of(), "a ZIP archive"),
        (written(lambda stream: np.savez(stream, a=np.zeros(3))), "a ZIP archive"),
        (written(lambda stream: np.save(stream, np.zeros(3))), "a NumPy array"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive"),
        (b"Rar!\x1a\x07\x00\xcf", "a RAR archive"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (ZSTD, "a file compressed with zstd"),
        (b"\x04\x22\x4d\x18\x64\x40", "a file compressed with lz4"),
        (b"LZIP\x01\x0c", "a file compressed with lzip"),
        (lzma.compress(b"a" * 99, lzma.FORMAT_ALONE), "a file compressed with lzma"),
        (b"\x1f\x9d\x90", "a file compressed with Unix compress"),
        (b"PAR1\x15\x04\x15", "a Parquet table"),
        (b"ARROW1\0\0", "an Arrow table"),
        (b"\x89HDF\r\n\x1a\n\0", "an HDF5 file"),
        (b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128) + b"\0\1IM", "a MATLAB file"),
        (LFS_POINTER, "a Git LFS pointer"),
        (b'{"message": "API rate limit exceeded"}', "a text file"),
        (b"Access denied\r\n", "a text file"),
    ],
)
def test_foreign_kinds(content: bytes, name: str) -> None:
    kind = recognise(content[:START_BYTES])
    assert kind is not None
    assert kind.name == name
    assert kind.advice(PUBLICATION)


@pytest.mark.parametrize("content", WEB_PAGES.values(), ids=WEB_PAGES.keys())
def test_web_pages(content: bytes) -> None:
    kind = recognise(content)
    assert kind is not None
    assert kind.name == "a web page"


@pytest.mark.parametrize("content", [b"", bytes(512), bytes(range(256)), b"\x06\x3b\x2b", b"\x1f"])
def test_what_tells_nothing(content: bytes) -> None:
    assert recognise(content) is None


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (["cifar-10-batches-bin", "readme.html"], "the binary version of CIFAR-10"),
        (["x", "test_batch.bin"], "the binary version of CIFAR-10"),
        (["data_batch_5.mat"], "the MATLAB version of CIFAR-10"),
        (["cifar-100-python", "train"], "CIFAR-100"),
        (["cifar-100-binary"], "CIFAR-100"),
    ],
)
def test_other_versions(names: list[str], version: str) -> None:
    kind = recognise_other_form(names, PUBLICATION)
    assert kind is not None
    assert kind.name == version
    assert "cifar-10-python.tar.gz" in kind.advice(PUBLICATION)


@pytest.mark.parametrize(
    "names", [[], ["data_batch_1"], ["cifar-10-batches-py"], ["my_data_batch_1.bin"]]
)
def test_names_of_no_other_version(names: list[str]) -> None:
    assert recognise_other_form(names, PUBLICATION) is None
