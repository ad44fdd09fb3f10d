import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from softmax_cli.data.archive import extract_archive
from softmax_cli.data.cifar10 import PUBLICATION
from softmax_cli.errors import DataError
from tests.data.conftest import FOLDER
from tests.data.foreign import LFS_POINTER, WEB_PAGE, ZSTD, zip_of
from tests.data.tar import member

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.data.conftest import SmallDataSet


def extract(content: bytes, small: "SmallDataSet", tmp_path: Path) -> dict[str, bytes]:
    """Extract an archive of this content, and check that nothing came out but into the folder."""
    outside, folder = tmp_path / "outside", tmp_path / "outside" / "folder"
    folder.mkdir(parents=True)
    archive = tmp_path / "archive"
    archive.write_bytes(content)
    try:
        extract_archive(archive, folder, small.publication, lambda _: None)
    finally:
        assert list(outside.iterdir()) == [folder]
        assert {path.name for path in tmp_path.iterdir()} == {"outside", "archive"}
        for path in folder.iterdir():
            assert path.name in small.contents
            assert path.is_file()
            assert not path.is_symlink()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def whole(small: "SmallDataSet", **replaced: bytes) -> bytes:
    """A tar of the data set with some members replaced by given blocks, by file name."""
    return b"".join(
        replaced.get(name, member(f"{FOLDER}/{name}", content))
        for name, content in small.contents.items()
    )


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"]
)
def test_format_is_told_by_content(
    compress: "Callable[[bytes], bytes]", small: "SmallDataSet", tmp_path: Path
) -> None:
    assert extract(compress(small.archive()), small, tmp_path) == small.contents


@pytest.mark.parametrize("prefix", ["", "./", f"./{FOLDER}/"])
def test_usual_prefixes(prefix: str, small: "SmallDataSet", tmp_path: Path) -> None:
    assert extract(small.archive(prefix), small, tmp_path) == small.contents


@pytest.mark.parametrize(
    "prefix", [f"data/{FOLDER}/", f"./a/b/c/{FOLDER}/", f"/home/me/{FOLDER}/", "batches/", "./././"]
)
def test_unusual_prefixes(prefix: str, small: "SmallDataSet", tmp_path: Path) -> None:
    assert extract(small.archive(prefix), small, tmp_path) == small.contents


@pytest.mark.parametrize("style", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_prefix_that_no_header_has_room_for(
    style: int, small: "SmallDataSet", tmp_path: Path
) -> None:
    long = f"home/{'someone.' * 9}/courses/{FOLDER}/"
    assert extract(small.archive(long, style), small, tmp_path) == small.contents


def test_wrong_files_of_another_folder_are_passed_over(
    small: "SmallDataSet", tmp_path: Path
) -> None:
    altered = small.contents["test_batch"][::-1]
    before = member(f"old/{FOLDER}/test_batch", altered) + member("old/data_batch_1", b"short")
    behind = member(f"new/{FOLDER}/test_batch", altered)
    assert extract(before + whole(small) + behind, small, tmp_path) == small.contents


def test_files_of_two_folders_may_be_the_same(small: "SmallDataSet", tmp_path: Path) -> None:
    copy = small.archive(f"copy/{FOLDER}/")[:-1024].rstrip(b"\0")
    copy += bytes(-len(copy) % 512)
    assert extract(copy + whole(small) + copy, small, tmp_path) == small.contents


def test_wrong_file_of_another_folder_is_named_if_there_is_no_other(
    small: "SmallDataSet", tmp_path: Path
) -> None:
    small.contents["test_batch"] = small.contents["test_batch"][::-1]
    with pytest.raises(DataError, match=r"lacks test_batch\n  test_batch is altered.*data/test_"):
        extract(small.archive("data/"), small, tmp_path)


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (["cifar-10-batches-bin/data_batch_1.bin"], "the binary version of CIFAR-10"),
        (["data_batch_1.mat", "readme.html"], "the MATLAB version of CIFAR-10"),
        (["cifar-100-python/meta", "cifar-100-python/test"], "CIFAR-100"),
    ],
)
def test_other_versions_of_the_data_set_are_named(
    names: list[str], version: str, small: "SmallDataSet", tmp_path: Path
) -> None:
    content = gzip.compress(b"".join(member(name, b"content") for name in names))
    with pytest.raises(DataError, match=f"the Python version of CIFAR-10, got {version}") as caught:
        extract(content, small, tmp_path)
    assert "cifar-10-python.tar.gz" in str(caught.value.hint)


def test_archive_of_something_else_is_described(small: "SmallDataSet", tmp_path: Path) -> None:
    content = b"".join(member(name, b"x") for name in ("a\x1b[2J", "b" * 90, "c", "d"))
    with pytest.raises(DataError, match=r"it holds 'a\\x1b\[2J', 'b{60}', 'c'$"):
        extract(content, small, tmp_path)


FOREIGN: "dict[str, tuple[bytes, str, str]]" = {
    "zip": (zip_of(a=b"b"), "a ZIP archive", "download --from FOLDER"),
    "zst": (ZSTD, "compressed with zstd", "download --from FOLDER"),
    "Parquet": (b"PAR1" + bytes(99), "a Parquet table", "cifar-10-python.tar.gz"),
    "web page": (WEB_PAGE, "a web page", "get the file again"),
    "compressed web page": (gzip.compress(WEB_PAGE), "a web page", "get the file again"),
    "Git LFS pointer": (LFS_POINTER, "a Git LFS pointer", "git lfs pull"),
    "compressed twice": (lzma.compress(gzip.compress(b"x")), "compressed with gzip", "Decompress"),
    "compressed batch": (gzip.compress(b"\x80\x02}q\x01"), "a pickle", "softmax download"),
}


@pytest.mark.parametrize(("content", "name", "advice"), FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_files_are_named(
    content: bytes, name: str, advice: str, small: "SmallDataSet", tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"expected a tar archive, .*, got .*{name}") as caught:
        extract(content, small, tmp_path)
    assert "damaged" not in caught.value.message
    assert advice in str(caught.value.hint)


def test_one_of_the_files_is_no_archive_of_them(small: "SmallDataSet", tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got data_batch_2, one of the 7 files") as caught:
        extract(small.contents["data_batch_2"], small, tmp_path)
    assert f"the folder that holds all of them: {tmp_path}" in str(caught.value.hint)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["tar", "gz"])
def test_first_header_with_a_wrong_checksum_is_damage(
    compress: "Callable[[bytes], bytes]", small: "SmallDataSet", tmp_path: Path
) -> None:
    content = bytearray(small.archive())
    content[0] ^= 1
    with pytest.raises(DataError, match=r"is damaged: .*checksum"):
        extract(compress(bytes(content)), small, tmp_path)


def joined_xz(content: bytes, *, length: int = 1 << 20, between: int = 0) -> bytes:
    """Streams of so many bytes of content each, with zeros between them."""
    starts = range(0, len(content), length)
    return bytes(between).join(lzma.compress(content[at : at + length], preset=0) for at in starts)


@pytest.mark.parametrize("behind", [b"", b"noise", bytes(8) + b"noise" * 999])
@pytest.mark.parametrize("between", [0, 4, 600, 1 << 20])
@pytest.mark.parametrize("length", [130_000, 50_000])
def test_joined_xz_streams(
    length: int, between: int, behind: bytes, small: "SmallDataSet", tmp_path: Path
) -> None:
    content = joined_xz(small.archive(), length=length, between=between) + behind
    assert extract(content, small, tmp_path) == small.contents


def test_last_of_joined_xz_streams_cut_short(small: "SmallDataSet", tmp_path: Path) -> None:
    tar = small.archive()
    content = joined_xz(tar, length=130_000)
    with pytest.raises(DataError, match="ends within a compressed stream"):
        extract(content[:-30_000], small, tmp_path)


@pytest.mark.parametrize("style", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_archives_as_tarfile_makes_them(
    style: int, small: "SmallDataSet", tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = small.write(tmp_path_factory.mktemp("source"))
    (folder / "readme.html").write_text("<a>")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=style) as tar:
        tar.add(folder, arcname=FOLDER)
    assert extract(buffer.getvalue(), small, tmp_path) == small.contents


def test_every_acceptance_is_reported(small: "SmallDataSet", tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(small.archive())
    (tmp_path / "folder").mkdir()
    names: list[str] = []
    extract_archive(
        archive, tmp_path / "folder", small.publication, lambda file: names.append(file.name)
    )
    assert names == list(small.contents)


EVIL = member("../evil", b"evil") + member("/tmp/evil", b"evil") + member("a/../../evil", b"evil")
PASSED_OVER = {
    "paths that lead out": EVIL,
    "symbolic link": member("link", kind=tarfile.SYMTYPE, link="/etc"),
    "link, then a file through it": member("cifar-10-batches-py", kind=tarfile.SYMTYPE, link="..")
    + member("link/evil", b"evil"),
    "hard link": member("hard", kind=tarfile.LNKTYPE, link="/etc/passwd"),
    "hard link that states a size": member("hard", kind=tarfile.LNKTYPE, link="a", size=5000),
    "device": member("dev", kind=tarfile.CHRTYPE),
    "pipe": member("pipe", kind=tarfile.FIFOTYPE),
    "folder in place of a file's parent": member("data_batch_1/", kind=tarfile.DIRTYPE),
    "pax header that renames": member("x", b"23 path=../evil\n30 size=9\n", kind=tarfile.XHDTYPE),
    "pax header of many megabytes": member("x", b"\0" * (4 << 20), kind=tarfile.XGLTYPE),
    "long name": member("././@LongLink", b"../evil\0", kind=tarfile.GNUTYPE_LONGNAME),
    "absolute name of a batch": member(f"/{FOLDER}/data_batch_1", b"evil"),
    "parent of a batch": member(f"../{FOLDER}/data_batch_1", b"evil"),
    "batch in a folder of its own": member("other/data_batch_1", b"evil"),
    "name that is not text": member("\udcff\udcfe", b"evil"),
    "pipe of a batch's name with a slash": member("test_batch/", kind=tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("block", PASSED_OVER.values(), ids=PASSED_OVER.keys())
def test_unexpected_members_are_passed_over(
    block: bytes, small: "SmallDataSet", tmp_path: Path
) -> None:
    assert extract(block + whole(small) + block, small, tmp_path) == small.contents


REFUSED: "dict[str, tuple[bytes, str]]" = {
    "symbolic link": (member("test_batch", kind=tarfile.SYMTYPE, link="data_batch_1"), "regular"),
    "hard link": (member("test_batch", kind=tarfile.LNKTYPE, link="data_batch_1"), "regular"),
    "character device": (member("test_batch", kind=tarfile.CHRTYPE), "regular"),
    "block device": (member("test_batch", kind=tarfile.BLKTYPE), "regular"),
    "pipe": (member("test_batch", kind=tarfile.FIFOTYPE), "regular"),
    "folder": (member("test_batch", kind=tarfile.DIRTYPE), "lacks test_batch|regular"),
    "sparse": (member("test_batch", b"x", kind=tarfile.GNUTYPE_SPARSE), "regular"),
    "contiguous": (member("test_batch", b"x", kind=tarfile.CONTTYPE), "regular"),
    "unknown type": (member("test_batch", b"x", kind=b"?"), "regular"),
    "too short": (member("test_batch", b"short"), "expected .* bytes for test_batch, got 5"),
    "too long": (member("test_batch", b"x" * 100_000), "got 100,000"),
    "gigantic": (member("test_batch", size=8**11 - 1), "got 8,589,934,591"),
    "size in base 256": (member("test_batch", size=1 << 60), "not octal"),
    "another member gigantic": (member("x", size=8**11 - 1), "at most .* bytes of content"),
    "missing": (b"", "lacks test_batch"),
    "elsewhere": (member("../test_batch", b"x"), "lacks test_batch"),
    "end before it": (
        b"\0" * 1024,
        "lacks test_batch, batches.meta|lacks batches.meta, test_batch",
    ),
    "header of noise": (b"\xa5" * 512, "not octal|checksum"),
    "many members": (member("x") * 1001, "at most 1000 members"),
    "many pax headers": (member("x", b"5 a=\n", kind=tarfile.XHDTYPE) * 1001, "at most 1000"),
}


@pytest.mark.parametrize(("block", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_hostile_member_in_place_of_a_file(
    block: bytes, reason: str, small: "SmallDataSet", tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=reason):
        extract(whole(small, test_batch=block), small, tmp_path)


def test_altered_file(small: "SmallDataSet", tmp_path: Path) -> None:
    content = bytearray(small.contents["test_batch"])
    content[1000] ^= 1
    altered = member("test_batch", bytes(content))
    with pytest.raises(DataError, match="test_batch is altered"):
        extract(whole(small, test_batch=altered), small, tmp_path)


def test_swapped_files(small: "SmallDataSet", tmp_path: Path) -> None:
    small.contents["data_batch_1"], small.contents["data_batch_2"] = (
        small.contents["data_batch_2"],
        small.contents["data_batch_1"],
    )
    with pytest.raises(DataError, match="data_batch_1"):
        extract(small.archive(), small, tmp_path)


@pytest.mark.parametrize("name", [f"{FOLDER}/test_batch", "./test_batch", "test_batch"])
def test_duplicate(name: str, small: "SmallDataSet", tmp_path: Path) -> None:
    again = member(name, small.contents["test_batch"])
    with pytest.raises(DataError, match="expected test_batch once, got it twice"):
        extract(whole(small) + again, small, tmp_path)


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"]
)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.95])
def test_truncated(
    share: float, compress: "Callable[[bytes], bytes]", small: "SmallDataSet", tmp_path: Path
) -> None:
    content = compress(small.archive())
    with pytest.raises(DataError):
        extract(content[: int(len(content) * share)], small, tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"\x1f\x8bno gzip", b"BZhno", b"\xfd7zXZ\0"]
)
def test_no_archive(content: bytes, small: "SmallDataSet", tmp_path: Path) -> None:
    with pytest.raises(DataError, match="archive"):
        extract(content, small, tmp_path)


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, bz2.compress, lzma.compress, joined_xz],
    ids=["gz", "bz2", "xz", "joined xz"],
)
def test_bomb_stops_early(
    compress: "Callable[[bytes], bytes]", small: "SmallDataSet", tmp_path: Path
) -> None:
    """Beside the files, 16 MB are too many, and what decides is what comes out, not a claim."""
    bomb = compress(member("x", b"\0" * (1 << 20)) * 40)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"at most .* bytes of content"):
            extract(bomb, small, tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(bomb) + (12 << 20)


@pytest.mark.parametrize("first", [b"", lzma.compress(bytes(range(100)))], ids=["first", "second"])
def test_xz_that_asks_for_four_gigabytes(
    first: bytes, small: "SmallDataSet", tmp_path: Path
) -> None:
    content = bytearray(lzma.compress(small.archive()))
    assert content[12:16] == b"\x02\x00\x21\x01"  # a block header with the one filter LZMA2
    content[16] = 40  # its dictionary size, here 4 GiB
    content[20:24] = zlib.crc32(content[12:20]).to_bytes(4, "little")
    with pytest.raises(DataError, match="Memory usage limit"):
        extract(first + bytes(content), small, tmp_path)


def test_compressed_file_too_large_to_be_it(small: "SmallDataSet", tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with archive.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(DataError, match="expected an archive of at most"):
        extract_archive(archive, tmp_path, small.publication, lambda _: None)


@pytest.mark.cifar10
def test_the_real_files_in_a_plain_tar(cifar10_dir: Path, tmp_path: Path) -> None:
    archive, folder = tmp_path / "cifar.tar", tmp_path / "folder"
    folder.mkdir()
    with tarfile.open(archive, "w") as tar:
        tar.add(cifar10_dir / FOLDER, arcname=FOLDER)
    extract_archive(archive, folder, PUBLICATION, lambda _: None)
    assert {path.name for path in folder.iterdir()} == {file.name for file in PUBLICATION.files}
