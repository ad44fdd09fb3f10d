"""Take the files of the data set, and nothing else, out of a tar archive that nobody vouches for.

The archive is read once, front to back, as a stream. What it claims is not believed: names only
select among the expected files and never become paths, an expected file must be a regular file of
exactly the expected size, and its content counts only if its SHA-256 is right. Links, devices,
sparse files, extended headers and unexpected names are passed over. Input, output, memory and the
number of members are bounded, so that a small archive cannot keep the machine busy.

Format: POSIX.1-1988 ustar header blocks, see ``pax`` in POSIX.1-2001; ``tarfile`` is not used,
because it reads extended headers of any claimed size into memory.
"""

import bz2
import gzip
import hashlib
import lzma
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from softmax_cli.data.batch_files import FOLDER, BatchFile
from softmax_cli.errors import DataError
from softmax_cli.runs.atomic import errors_naming

_BLOCK: Final = 512
_CHUNK: Final = 256 << 10
_SLACK_BYTES: Final = 16 << 20  # headers, padding and whatever else lies beside the files
_MAX_MEMBERS: Final = 1_000
_XZ_MEMORY: Final = 96 << 20  # xz -9 needs 65 MiB
_REGULAR: Final = (b"0", b"\0")
_WITHOUT_CONTENT: Final = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders, pipes


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class _Member:
    """A header block: the name as it stands there, the type, and the length of what follows."""

    name: str
    kind: bytes
    size: int


def extract_archive(
    archive: Path,
    folder: Path,
    files: Sequence[BatchFile],
    accepted: Callable[[BatchFile], None],
) -> None:
    """Write the expected files of an archive into a folder, each verified and synced.

    Args:
        archive: a tar, plain or compressed with gzip, bzip2 or xz, which its first bytes tell.
        folder: an empty folder; after an error it holds a part of the files.
        files: the files to take; all must be in the archive, once.
        accepted: called after each file.

    Raises:
        DataError: the archive is damaged, too large, lacks a file, or holds another content.
        OSError: reading or writing failed.
    """
    limit = sum(file.size for file in files) + _SLACK_BYTES
    if archive.stat().st_size > limit:
        raise DataError(f"{archive}: expected an archive of at most {limit:,} bytes")
    try:
        with archive.open("rb") as stream:
            _extract(_Bounded(_decompressed(stream), limit), archive, folder, files, accepted)
    except (EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{archive} is damaged: {error}") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(f"{archive} is damaged: {error}") from None


def _extract(
    tar: "_Bounded",
    archive: Path,
    folder: Path,
    files: Sequence[BatchFile],
    accepted: Callable[[BatchFile], None],
) -> None:
    expected = {prefix + file.name: file for file in files for prefix in (f"{FOLDER}/", "")}
    missing = {file.name for file in files}
    for _ in range(_MAX_MEMBERS):
        member = _parse_header(tar.read_up_to(_BLOCK))
        if member is None:
            break
        file = expected.get(member.name.removeprefix("./"))
        if file is None:
            tar.skip(_padded(member.size))
            continue
        _check_member(member, file, archive, duplicate=file.name not in missing)
        _write_verified(tar, folder / file.name, file, archive)
        tar.skip(_padded(file.size) - file.size)
        missing.remove(file.name)
        accepted(file)
    else:
        raise DataError(f"{archive}: expected at most {_MAX_MEMBERS} members, got more")
    if missing:
        raise DataError(f"{archive} lacks {', '.join(sorted(missing))}")


def _check_member(member: _Member, file: BatchFile, archive: Path, *, duplicate: bool) -> None:
    if duplicate:
        raise DataError(f"{archive}: expected {file.name} once, got it twice")
    if member.kind not in _REGULAR:
        raise DataError(
            f"{archive}: expected {file.name} to be a regular file, "
            f"got a member of type {member.kind!r} (a link, a device, a sparse file, …)"
        )
    if member.size != file.size:
        raise DataError(
            f"{archive}: expected {file.size:,} bytes for {file.name}, got {member.size:,}"
        )


def _write_verified(tar: "_Bounded", path: Path, file: BatchFile, archive: Path) -> None:
    content = hashlib.sha256()
    with errors_naming(path), path.open("xb", buffering=0) as stream:
        left = file.size
        while left:
            chunk = tar.read_exactly(min(left, _CHUNK))
            content.update(chunk)
            write_all(stream.fileno(), chunk)
            left -= len(chunk)
        os.fsync(stream.fileno())
    digest = content.hexdigest()
    if digest != file.sha256:
        raise DataError(
            f"{archive}: {file.name} is altered: "
            f"expected SHA-256 {file.sha256[:16]}…, got {digest[:16]}…"
        )


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes to a file descriptor, however few the system takes at a time.

    Raises:
        OSError: writing failed.
    """
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _parse_header(block: bytes) -> _Member | None:
    """Read a header block; None at the end of the archive, which is a zero block or no block."""
    if block.count(0) == len(block):
        return None
    if len(block) != _BLOCK:
        raise EOFError("it ends within a header")
    blank_sum = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if _octal(block[148:156]) != blank_sum:
        raise EOFError("a header has the wrong checksum; this is no tar archive, or part of one")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        name = f"{_text(block[345:500])}/{name}"
    kind = block[156:157]
    return _Member(name, kind, 0 if kind in _WITHOUT_CONTENT else _octal(block[124:136]))


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        raise EOFError("a header has a number that is not octal")
    return int(digits, 8)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _decompressed(stream: BinaryIO) -> _Readable:
    start = stream.read(6)
    stream.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    if start == b"\xfd7zXZ\0":
        return _XzStream(stream)
    return stream


class _XzStream:
    """An xz stream read with a bound on memory, which `lzma.LZMAFile` does not have."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        while not self.decoder.eof:
            compressed = self.stream.read(_CHUNK) if self.decoder.needs_input else b""
            if self.decoder.needs_input and not compressed:
                raise EOFError("it ends within a compressed stream")
            data = self.decoder.decompress(compressed, size)
            if data:
                return data
        return b""


class _Bounded:
    """A stream that refuses to deliver more than a number of bytes in all."""

    def __init__(self, stream: _Readable, limit: int) -> None:
        self.stream = stream
        self.limit = limit
        self.left = limit

    def read_up_to(self, size: int) -> bytes:
        """The next ``size`` bytes, or fewer at the end of the stream."""
        parts = []
        while size and (part := self.stream.read(min(size, _CHUNK))):
            self.left -= len(part)
            if self.left < 0:
                raise EOFError(f"expected at most {self.limit:,} bytes of content, got more")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def read_exactly(self, size: int) -> bytes:
        data = self.read_up_to(size)
        if len(data) != size:
            raise EOFError("it ends within a file")
        return data

    def skip(self, size: int) -> None:
        if size > self.left:
            raise EOFError(f"expected at most {self.limit:,} bytes of content, got more")
        while size:
            size -= len(self.read_exactly(min(size, _CHUNK)))
