"""Archives that want to write elsewhere, write too much, or pass for the data set."""

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zlib
from dataclasses import dataclass

from tests.data.conftest import FOLDER, SmallDataSet
from tests.data.tar import BLOCK, member

_VICTIM = "test_batch"


@dataclass(frozen=True)
class Hostile:
    """An archive, and whether the whole data set is in it, beside what must be passed over."""

    content: bytes
    complete: bool


def pax(**records: str) -> bytes:
    """An extended header that speaks of the next member."""
    lines = b""
    for key, value in records.items():
        rest = f" {key.replace('_', '.')}={value}\n".encode()
        length = len(rest) + 1
        while len(str(length)) + len(rest) != length:
            length += 1
        lines += str(length).encode() + rest
    return member("././@PaxHeader", lines, kind=tarfile.XHDTYPE)


def _long_name(name: str) -> bytes:
    """A header with the name of the next member."""
    return member("././@LongLink", name.encode(), kind=tarfile.GNUTYPE_LONGNAME)


def corpus(small: SmallDataSet, outside: str) -> dict[str, Hostile]:
    """All archives by what is wrong with them; ``outside`` is a folder that they want to reach."""
    beside = {
        title: Hostile(block + small.archive() + block, complete=True)
        for title, block in _passed_over(outside).items()
    }
    instead = {
        f"{title} in place of a file": Hostile(_with(small, _VICTIM, block), complete=False)
        for title, block in _in_place(small, outside).items()
    }
    return {**beside, **instead, **_broken(small), **_compressed(small), **_odd_orders(small)}


def _with(small: SmallDataSet, name: str, block: bytes) -> bytes:
    """The data set's archive with ``block`` in place of one member."""
    return b"".join(
        block if name == other else member(f"{FOLDER}/{other}", content)
        for other, content in small.contents.items()
    )


def _passed_over(outside: str) -> dict[str, bytes]:
    """Members that have no business in a data set, and must come to nothing."""
    symbolic, hard = tarfile.SYMTYPE, tarfile.LNKTYPE
    long_name = f"{outside}/{'a' * 200}/evil"
    return {
        "absolute path": member(f"{outside}/evil", b"evil"),
        "absolute path with two slashes": member(f"/{outside}/evil", b"evil"),
        "path to the parent": member("../evil", b"evil"),
        "path to the parent's parents": member("../../outside/evil", b"evil"),
        "path that goes in and out": member(f"{FOLDER}/../../evil", b"evil"),
        "path with a backslash": member("..\\..\\evil", b"evil"),
        "path with a drive": member("C:\\evil", b"evil"),
        "name of a dot": member(".", b"evil"),
        "name of two dots": member("..", b"evil"),
        "empty name": member("", b"evil"),
        "name with a newline": member("a\nb", b"evil"),
        "name that is not text": member("\udcff\udcfe", b"evil"),
        "hidden name": member(f"{FOLDER}/.profile", b"evil"),
        "setuid": member("evil", b"evil", mode=0o6777),
        "symbolic link": member("link", kind=symbolic, link=outside),
        "file through a symbolic link": member("link", kind=symbolic, link=outside)
        + member("link/evil", b"evil"),
        "file through the folder as a link": member(FOLDER, kind=symbolic, link=outside),
        "chain of links": member("one", kind=symbolic, link=outside)
        + member("two", kind=symbolic, link="one")
        + member("three", kind=symbolic, link="two")
        + member("three/evil", b"evil"),
        "link that becomes a file": member("link", kind=symbolic, link=f"{outside}/precious")
        + member("link", b"evil"),
        "links in a circle": member("a", kind=symbolic, link="b")
        + member("b", kind=symbolic, link="a"),
        "hard link": member("hard", kind=hard, link=f"{outside}/precious"),
        "hard link, then its content": member("hard", kind=hard, link=f"{outside}/precious")
        + member("hard", b"evil"),
        "hard link that states a size": member("hard", kind=hard, link="a", size=1 << 20),
        "character device": member("null", kind=tarfile.CHRTYPE),
        "block device": member("disk", kind=tarfile.BLKTYPE),
        "pipe": member("pipe", kind=tarfile.FIFOTYPE),
        "folder that nobody may enter": member("locked", kind=tarfile.DIRTYPE, mode=0),
        "folder with a file's name": member(f"{_VICTIM}/", kind=tarfile.DIRTYPE),
        "folder outside": member(f"{outside}/folder", kind=tarfile.DIRTYPE),
        "extended header that renames": pax(path="../evil"),
        "extended header of another size": pax(size="9999999999"),
        "extended header that links": pax(linkpath=f"{outside}/precious"),
        "extended header of a sparse file": pax(GNU_sparse_major="1", GNU_sparse_name="../evil"),
        "extended header of noise": member("x", b"99999999999 path=", kind=tarfile.XHDTYPE),
        "extended header for all": member("x", b"16 path=../evil\n", kind=tarfile.XGLTYPE),
        "extended header of megabytes": member("x", bytes(4 << 20), kind=tarfile.XHDTYPE),
        "long name": _long_name(long_name),
        "long name of a batch": _long_name(f"{outside}/{_VICTIM}") + member("x", b"evil"),
        "long link": member("././@LongLink", long_name.encode(), kind=tarfile.GNUTYPE_LONGLINK),
        "volume label": member("../evil", kind=b"V"),
        "other case": member(f"{FOLDER}/TEST_BATCH", b"evil"),
        "other unicode form": member(f"{FOLDER}/test_ba\u200dtch", b"evil"),
        "batch in another folder": member(f"other/{_VICTIM}", b"evil"),
        "batch of an absolute path": member(f"/{FOLDER}/{_VICTIM}", b"evil"),
        "batch with a slash behind": member(f"{FOLDER}/{_VICTIM}/", b"evil"),
        "batch with a dot between": member(f"{FOLDER}/./{_VICTIM}", b"evil"),
        "archive in the archive": member("inner.tar", member("../evil", b"evil")),
        "executable hook": member("sitecustomize.py", b"open('ran', 'w')", mode=0o755),
    }


def _in_place(small: SmallDataSet, outside: str) -> dict[str, bytes]:
    """What stands where a batch should."""
    content = small.contents[_VICTIM]
    name = f"{FOLDER}/{_VICTIM}"
    sound = member(name, content)
    altered = content.replace(small.pixels[_VICTIM], small.pixels[_VICTIM][::-1])
    kinds = {
        "symbolic link": tarfile.SYMTYPE,
        "hard link": tarfile.LNKTYPE,
        "character device": tarfile.CHRTYPE,
        "block device": tarfile.BLKTYPE,
        "pipe": tarfile.FIFOTYPE,
        "folder": tarfile.DIRTYPE,
    }
    blocks = {k: member(name, kind=kind, link=f"{outside}/precious") for k, kind in kinds.items()}
    return {
        **blocks,
        "sparse file": member(name, content, kind=tarfile.GNUTYPE_SPARSE),
        "contiguous file": member(name, content, kind=tarfile.CONTTYPE),
        "file of an unknown kind": member(name, content, kind=b"?"),
        "sparse file of terabytes": member(name, b"x", kind=tarfile.GNUTYPE_SPARSE, size=8**11 - 1),
        "nothing": b"",
        "altered file": member(name, altered),
        "another batch": member(name, small.contents["data_batch_1"]),
        "short file": member(name, content[:-1]),
        "long file": member(name, content + b"x"),
        "file whose size lies": member(name, content, size=len(content) - 1),
        "file of 8 GB": member(name, size=8**11 - 1),
        "file of an exabyte": member(name, size=1 << 60),
        "file of a negative size": _with_field(sound, 124, b"-0000000001\0"),
        "file of no size": _with_field(sound, 124, bytes(12)),
        "file twice": sound + sound,
        "file twice, altered first": member(name, altered) + sound,
        "file twice, altered last": sound + member(f"./{name}", altered),
        "file in the parent": member(f"../{name}", content),
        "end of the archive": bytes(1024) + sound,
        "wrong checksum": _flipped(sound, 103),  # of the mode, which nobody reads
    }


def _broken(small: SmallDataSet) -> dict[str, Hostile]:
    """No archive, or a part of one."""
    tar = small.archive()
    contents = {
        "empty file": b"",
        "text": b"<html><body>404 not found</body></html>" * 40,
        "noise": random.Random(0).randbytes(20_000),
        "zeros": bytes(100_000),
        "a zip": b"PK\x03\x04" + bytes(5000),
        "zstd": bytes.fromhex("28b52ffd") + bytes(5000),
        "a batch": small.contents[_VICTIM],
        "a web page, compressed": gzip.compress(b"<html>404 not found</html>"),
        "another version": member("cifar-10-batches-bin/data_batch_1.bin", b"\x06" * 3073),
        "gzip magic alone": b"\x1f\x8b",
        "bzip2 magic alone": b"BZh9",
        "xz magic alone": b"\xfd7zXZ\0",
        "gzip of nothing": gzip.compress(b""),
        "xz of nothing": lzma.compress(b""),
        "a thousand members": member("x") * 1001 + tar,
        "ten thousand long names": gzip.compress(_long_name("a/" * 8000) * 10_000 + tar, 1),
        "ten thousand members": gzip.compress(member("x") * 10_000 + tar, 1),
        "extended headers without end": pax(a="b") * 1500 + tar,
    }
    wholes = {
        "tar": tar,
        "gzip": gzip.compress(tar, 1),
        "bzip2": bz2.compress(tar, 1),
        "xz": lzma.compress(tar, preset=0),
    }
    for title, whole in wholes.items():
        contents[f"{title} without its end"] = whole[: int(len(whole) * 0.95)]
        contents[f"{title} cut in half"] = whole[: len(whole) // 2]
        contents[f"{title} with a flipped bit"] = _flipped(whole, len(whole) // 3)
    return {title: Hostile(content, complete=False) for title, content in contents.items()}


def _compressed(small: SmallDataSet) -> dict[str, Hostile]:
    """Bombs, and compressed archives that ask for too much."""
    megabytes = member("bomb", bytes(4 << 20))
    tar = small.archive()
    greedy = bytearray(lzma.compress(tar, preset=0))
    greedy[16] = 40  # the dictionary: 4 GiB
    greedy[20:24] = zlib.crc32(greedy[12:20]).to_bytes(4, "little")
    contents = {
        "gzip bomb of 2 GB": gzip.compress(megabytes, 1) * 512,
        "bzip2 bomb of 2 GB": bz2.compress(megabytes, 1) * 512,
        "xz bomb": lzma.compress(megabytes * 8, preset=0),
        "gzip bomb behind the files": gzip.compress(_with(small, "", b"") + megabytes * 5, 1),
        "gzip bomb in place of a file": gzip.compress(_with(small, _VICTIM, megabytes), 1),
        "xz that asks for 4 GB": bytes(greedy),
        "xz that asks for 4 GB behind another": lzma.compress(tar[:1000], preset=0) + greedy,
        "xz of many empty streams": lzma.compress(b"") * 100_000,
        "gzip in gzip": gzip.compress(gzip.compress(tar)),
        "huge sparse file": tar + bytes(24 << 20),
    }
    return {title: Hostile(content, complete=False) for title, content in contents.items()}


def _odd_orders(small: SmallDataSet) -> dict[str, Hostile]:
    """Archives that are unusual and hold the whole data set."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in reversed(small.contents.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid = len(content), 0, 0
            info.pax_headers = {"comment": "../evil", "SCHILY.xattr.user.evil": "1"}
            tar.addfile(info, io.BytesIO(content))
    whole = buffer.getvalue()
    altered = small.contents[_VICTIM][::-1]
    contents = {
        "backwards, with attributes": whole,
        "noise behind it": whole + random.Random(1).randbytes(5000),
        "gzip with noise behind its end": gzip.compress(whole + bytes(9000), 1) + bytes(100),
        "gzip in pieces": gzip.compress(whole[:50_000], 1) + gzip.compress(whole[50_000:], 1),
        "xz with noise behind it": lzma.compress(whole, preset=0) + b"noise",
        "xz in pieces": lzma.compress(whole[:50_000], preset=0)
        + bytes(400)
        + lzma.compress(whole[50_000:], preset=0),
        "in a deeper folder": small.archive(f"data/{FOLDER}/"),
        "of an absolute path": small.archive(f"/{FOLDER}/"),
        "in a folder with a long name": small.archive(f"{'a' * 90}/{FOLDER}/", tarfile.GNU_FORMAT),
        "altered ones in another folder": member(f"old/{FOLDER}/{_VICTIM}", altered) + whole,
        "links in another folder": member(f"old/{_VICTIM}", kind=tarfile.SYMTYPE, link="..")
        + whole,
    }
    return {title: Hostile(content, complete=True) for title, content in contents.items()}


def _flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :]


def _with_field(block: bytes, start: int, field: bytes) -> bytes:
    """A member with one field of its header replaced and the header's checksum right."""
    changed = block[:start] + field + block[start + len(field) :]
    blank = changed[:148] + b" " * 8 + changed[156:BLOCK]
    return changed[:148] + b"%06o\0 " % sum(blank) + changed[156:]


def mutated(rng: random.Random, archives: list[bytes]) -> bytes:
    """A random archive with a few bytes changed, cut out or put in; headers get the most of it."""
    data = bytearray(rng.choice(archives))
    for _ in range(rng.randint(1, 4)):
        position = rng.randrange(len(data))
        if rng.random() < 0.7:
            position = min(position // BLOCK * BLOCK + rng.randrange(345), len(data) - 1)
        data[position : position + rng.choice((0, 1, 1, 8))] = rng.randbytes(rng.choice((0, 1, 8)))
    return bytes(data)
