"""Take the files of a data set, and nothing else, out of a tar archive that is not trusted.

The archive is read once, front to back, as a stream. Nothing it claims is trusted: names only
select among the expected files and never become paths, an expected file must be a regular file of
exactly the expected size, and its content counts only if its SHA-256 is right. Links, devices,
sparse files and unexpected names are passed over, and so is a wrong file in an unusual folder. An
extended header counts for nothing but one more name. Input, output, memory and the number of
members are bounded, so that a small archive cannot keep the machine busy.

Format: POSIX.1-1988 ustar header blocks, see ``pax`` in POSIX.1-2001; ``tarfile`` is not used,
because it reads extended headers of any claimed size into memory.
"""

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from softmax_cli.data.dataset import Publication, PublishedFile
from softmax_cli.data.dataset_files import recognise_foreign, write_verified
from softmax_cli.data.file_kinds import (
    BZIP2,
    GZIP,
    START_BYTES,
    TAR,
    XZ,
    recognise,
    recognise_other_form,
)
from softmax_cli.errors import DataError
from softmax_cli.runs.atomic import errors_naming

_BLOCK: Final = 512
_CHUNK: Final = 256 << 10
_SLACK_BYTES: Final = 16 << 20  # headers, padding and whatever else lies beside the files
_MAX_MEMBERS: Final = 1_000
_XZ_MEMORY: Final = 96 << 20  # xz -9 needs 65 MiB
_MAX_NAME_BYTES: Final = 16 << 10  # of a header that holds a name too long for others
_SHOWN_NAMES: Final = 3
_SHOWN_CHARACTERS: Final = 60
_EXPECTED: Final = "a tar archive, plain or compressed with gzip, bzip2 or xz"
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


class _LimitError(Exception):
    """The archive takes more bytes, members or memory than the data set needs."""


def extract_archive(
    archive: Path,
    folder: Path,
    publication: Publication,
    accepted: Callable[[PublishedFile], None],
) -> None:
    """Write the expected files of an archive into a folder, each verified and synced.

    Args:
        archive: a tar, plain or compressed with gzip, bzip2 or xz, which its first bytes tell.
        folder: an empty folder; after an error it holds a part of the files.
        publication: its files are taken; all must be in the archive, and once in the usual folder.
        accepted: called after each file.

    Raises:
        DataError: the archive is of another kind, damaged, too large, lacks a file, or holds
            another content.
        OSError: reading or writing failed.
    """
    kind = recognise_foreign(archive, publication)
    if kind is not None:
        raise DataError(
            f"expected {_EXPECTED}, got {kind.name}: {archive}", hint=kind.advice(publication)
        )
    limit = sum(file.size for file in publication.files) + _SLACK_BYTES
    try:
        if archive.stat().st_size > limit:
            raise _LimitError(f"expected an archive of at most {limit:,} bytes")
        with errors_naming(archive), archive.open("rb") as stream:
            tar = _Bounded(_decompressed(stream), limit)
            _Extraction(archive, folder, publication).run(tar, accepted)
    except _LimitError as error:
        raise DataError(
            f"{archive}: {error}",
            hint=f"If {publication.title} is in it, unpack it, and name the folder: "
            f"`{publication.command} --from FOLDER`.",
        ) from None
    except (EOFError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"{archive} is damaged: {error}") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(f"{archive} is damaged: {error}") from None


class _Extraction:
    """The state of an extraction: files written, files missing, and what else was in the archive.

    The usual place of a file is the data set's folder, or no folder at all. There it must be right,
    and be there once. Whatever is wrong in another folder may belong to others and is passed over.
    """

    def __init__(self, archive: Path, folder: Path, publication: Publication) -> None:
        self.archive = archive
        self.folder = folder
        self.publication = publication
        self.expected = {file.name: file for file in publication.files}
        self.missing = set(self.expected)
        self.usual: set[str] = set()  # names of the files met in their usual place
        self.faults: dict[str, str] = {}  # by file name, what was wrong elsewhere
        self.names: list[str] = []  # of all regular members
        self.long_names: list[str] = []  # of the next member

    def run(self, tar: "_Bounded", accepted: Callable[[PublishedFile], None]) -> None:
        """Take all files out of the tar."""
        block = tar.read_up_to(_BLOCK)
        self._check_beginning(block)
        for _ in range(_MAX_MEMBERS):
            member = _parse_header(block)
            if member is None:
                break
            file = self._take(tar, member)
            if file is not None:
                self.missing.remove(file.name)
                accepted(file)
            block = tar.read_up_to(_BLOCK)
        else:
            raise _LimitError(f"expected at most {_MAX_MEMBERS} members, got more")
        if self.missing:
            raise self._incomplete()

    def _check_beginning(self, block: bytes) -> None:
        """Tell a file of another kind, perhaps compressed, from a tar that is damaged later on."""
        if not block:
            raise DataError(f"expected {_EXPECTED}, got an empty file: {self.archive}")
        try:
            _parse_header(block)
        except EOFError:
            kind = recognise(block)
            if kind is TAR:
                raise
            got = kind.name if kind else "something else, or a damaged one"
            raise DataError(
                f"expected {_EXPECTED}, got {got}: the content of {self.archive}",
                hint=kind.advice(self.publication) if kind else None,
            ) from None

    def _take(self, tar: "_Bounded", member: _Member) -> PublishedFile | None:
        """Read past a member; return the file that it was, if one that was missing came out."""
        names, self.long_names = [member.name, *self.long_names], []
        if member.kind in _LONG_NAMES and member.size <= _MAX_NAME_BYTES:
            self.long_names = _LONG_NAMES[member.kind](tar.read_exactly(member.size))
            tar.skip(_padded(member.size) - member.size)
            return None
        if member.kind in _REGULAR:
            self.names.append(names[-1])
        file, is_usual = self._file_of(names)
        if is_usual and file is not None:
            self._check_once(file)
        if file is None or file.name not in self.missing:
            tar.skip(_padded(member.size))
            return None
        fault, left = _fault(member, file), _padded(member.size)
        if fault is None:
            fault = write_verified(tar.read_exactly, self.folder / file.name, file)
            left -= file.size
        if fault is not None and is_usual:
            raise DataError(f"{self.archive}: {fault}")
        tar.skip(left)
        if fault is not None:
            self.faults.setdefault(file.name, f"{fault}: {names[-1]!a}")
            return None
        return file

    def _file_of(self, names: Sequence[str]) -> tuple[PublishedFile | None, bool]:
        """The expected file of one of a member's names, and whether that is its usual place."""
        for full_name in names:
            *parents, name = full_name.removeprefix("./").split("/")
            if name in self.expected and ".." not in parents:
                return self.expected[name], parents in ([], [self.publication.folder])
        return None, False

    def _check_once(self, file: PublishedFile) -> None:
        if file.name in self.usual:
            raise DataError(f"{self.archive}: expected {file.name} once, got it twice")
        self.usual.add(file.name)

    def _incomplete(self) -> DataError:
        """The error that says what the archive lacks, and what it holds instead."""
        message = f"{self.archive} lacks {', '.join(sorted(self.missing))}"
        if len(self.missing) < len(self.expected) or self.faults:
            lines = [f"  {self.faults[name]}" for name in sorted(self.missing & self.faults.keys())]
            return DataError("\n".join([message, *lines]))
        parts = (part for name in self.names for part in name.split("/"))
        form = recognise_other_form(parts, self.publication)
        if form is not None:
            expected = f"expected the Python version of {self.publication.title}"
            return DataError(
                f"{expected}, got {form.name}: {self.archive}", hint=form.advice(self.publication)
            )
        shown = ", ".join(f"{name[:_SHOWN_CHARACTERS]!a}" for name in self.names[:_SHOWN_NAMES])
        return DataError(f"{message}; it holds {shown or 'nothing'}")


def _fault(member: _Member, file: PublishedFile) -> str | None:
    """Why a member cannot be a file, before its content is read."""
    if member.kind not in _REGULAR:
        return (
            f"expected {file.name} to be a regular file, "
            f"got a member of type {member.kind!r} (a link, a device, a sparse file, …)"
        )
    if member.size != file.size:
        return f"expected {file.size:,} bytes for {file.name}, got {member.size:,}"
    return None


def _parse_header(block: bytes) -> _Member | None:
    """Read a header block; None at the end of the archive, which is a zero block or no block."""
    if block.count(0) == len(block):
        return None
    if len(block) != _BLOCK:
        raise EOFError("it ends within a header")
    blank_sum = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if _octal(block[148:156]) != blank_sum:
        raise EOFError("a header has the wrong checksum")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        name = f"{_text(block[345:500])}/{name}"
    kind = block[156:157]
    return _Member(name, kind, 0 if kind in _WITHOUT_CONTENT else _octal(block[124:136]))


def _gnu_long_names(content: bytes) -> list[str]:
    return [_text(content)]


def _pax_long_names(content: bytes) -> list[str]:
    return [_text(path) for path in re.findall(rb"^\d+ path=(.*)$", content, re.MULTILINE)]


_LONG_NAMES: Final = {b"L": _gnu_long_names, b"x": _pax_long_names}


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
    kind = recognise(stream.read(START_BYTES))
    stream.seek(0)
    if kind is GZIP:
        return gzip.GzipFile(fileobj=stream)
    if kind is BZIP2:
        return bz2.BZ2File(stream)
    if kind is XZ:
        return _XzStream(stream)
    return stream


class _XzStream:
    """Joined xz streams read with a bound on memory, which `lzma.LZMAFile` does not have.

    As there, zeros may lie between two streams, and what follows and is no stream is passed over.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.pending = b""  # read, but not yet given to the decoder
        self.decoder = _xz_decoder()
        self.ended = False

    def read(self, size: int, /) -> bytes:
        while not self.ended:
            compressed = b""
            if self.decoder.needs_input:
                compressed = self.pending or self.stream.read(_CHUNK)
                self.pending = b""
                if not compressed:
                    raise EOFError("it ends within a compressed stream")
            data = self._decompress(compressed, size)
            if data:
                return data
        return b""

    def _decompress(self, compressed: bytes, size: int) -> bytes:
        try:
            data = self.decoder.decompress(compressed, size)
        except lzma.LZMAError as error:
            if str(error) != "Memory usage limit exceeded":
                raise
            raise _LimitError(
                f"expected xz to need at most {_XZ_MEMORY:,} bytes: {error}"
            ) from None
        if self.decoder.eof:
            self._begin_next(self.decoder.unused_data)
        return data

    def _begin_next(self, rest: bytes) -> None:
        """Go on behind the end of a stream, of which ``rest`` has been read already."""
        rest = rest.lstrip(b"\0")
        while len(rest) < START_BYTES and (more := self.stream.read(_CHUNK)):
            rest = (rest + more).lstrip(b"\0")
        self.pending = rest
        self.decoder = _xz_decoder()
        self.ended = recognise(rest[:START_BYTES]) is not XZ


def _xz_decoder() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)


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
                raise self._exceeded()
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
            raise self._exceeded()
        while size:
            size -= len(self.read_exactly(min(size, _CHUNK)))

    def _exceeded(self) -> _LimitError:
        return _LimitError(f"expected at most {self.limit:,} bytes of content, got more")
