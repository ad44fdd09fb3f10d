"""What an image file says about its picture, beside the pixels.

Pillow reads metadata while it opens a file, and gives up where they are damaged or large although
every pixel may be there. A copy of the file without them holds the picture all the same.
"""

import re
import struct
import zlib
from collections.abc import Callable, Collection, Iterator

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_ORIENTATION = re.compile(
    rb"eXIf|[iz]TXtXML:com\.adobe\.xmp\0|[tz][ET]XtRaw profile type exif\0"
)

_JPEG_START_OF_SCAN = 0xDA
_JPEG_METADATA = {*range(0xE0, 0xF0), 0xFE}
# They say which colours the numbers mean, and count only where they are whole.
_JPEG_COLOURS = re.compile(rb"\xff(?:\xe0..JFIF\0.{9}|\xee..Adobe.{7})", re.DOTALL)
_JPEG_ORIENTATION = re.compile(rb"\xff\xe1..(?:Exif\0|http://ns\.adobe\.com/xap/)", re.DOTALL)

# Baseline and extensions of TIFF 6.0 that lay out pixels, and their colours.
_TIFF_PICTURE = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 284, 292, 293),
    *(317, 320, 321, 322, 323, 324, 325, 330, 332, 334, 338, 339, 340, 341, 347),
    *(512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),
}
_TIFF_ORIENTATION = {274, 700}
_BIG_TIFF = 43

_WEBP_METADATA = {b"ICCP", b"EXIF", b"XMP "}
_WEBP_ORIENTATION = {b"EXIF", b"XMP "}

_AVIF_EXIF_ITEM = re.compile(rb"(infe[\2\3]...(?:..|....)\0\0)Exif", re.DOTALL)

_JPEG2000_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_JPEG2000_UUIDS = {
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
}


def without_metadata(data: bytes) -> bytes | None:
    """A copy of an image file with less metadata, or None where there is nothing to leave out.

    What may hold the orientation is kept at first, and is left out where nothing else is.
    """
    strip = _stripper(data)
    if strip is None:
        return None
    for keep_orientation in (True, False):
        try:
            bare = strip(data, keep_orientation)
        except (IndexError, struct.error):
            return None
        if bare != data:
            return bare
    return None


def jpeg2000_metadata(data: bytes) -> dict[str, bytes]:
    """EXIF data and XMP of a JPEG 2000 file, under the names that Pillow has for them.

    ExifTool and others keep them in UUID boxes, which Pillow passes over.
    """
    found = {}
    for kind, content in _boxes(data):
        name = _JPEG2000_UUIDS.get(content[:16]) if kind == b"uuid" else None
        if name is not None:
            # Some writers put the mark of JPEG in front, in capitals too.
            found[name] = re.sub(rb"\A(?i:exif)\0\0", b"", content[16:])
    return found


def _stripper(data: bytes) -> Callable[[bytes, bool], bytes] | None:
    if data.startswith(_PNG_SIGNATURE):
        return _bare_png
    if data.startswith(b"\xff\xd8\xff"):
        return _bare_jpeg
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _bare_tiff
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _bare_webp
    if data[4:8] == b"ftyp":
        return _bare_avif
    if data.startswith(_JPEG2000_SIGNATURE):
        return _bare_jpeg2000
    return None


def _bare_png(data: bytes, keep_orientation: bool) -> bytes:
    parts, at = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunk = data[at : at + length + 12]
        if kind in _PNG_PICTURE or (
            keep_orientation and _PNG_ORIENTATION.match(chunk, 4) and _is_intact_chunk(chunk)
        ):
            parts.append(chunk)
        at += len(chunk)
    return b"".join(parts)


def _is_intact_chunk(chunk: bytes) -> bool:
    return chunk[-4:] == struct.pack(">I", zlib.crc32(chunk[4:-4]))


def _bare_jpeg(data: bytes, keep_orientation: bool) -> bytes:
    parts, at = [data[:2]], 2
    while data[at] == 0xFF and data[at + 1] != _JPEG_START_OF_SCAN:
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at : at + length + 2]
        if (
            data[at + 1] not in _JPEG_METADATA
            or _JPEG_COLOURS.match(segment)
            or (keep_orientation and _JPEG_ORIENTATION.match(segment))
        ):
            parts.append(segment)
        at += length + 2
    return b"".join([*parts, data[at:]])


def _bare_tiff(data: bytes, keep_orientation: bool) -> bytes:
    """Write the first directory anew, without the entries that lay out no pixels."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = struct.unpack_from(f"{order}H", data, 2)[0] == _BIG_TIFF
    first, count_format, offset_format, size = (8, "Q", "Q", 20) if is_big else (4, "H", "I", 12)
    (start,) = struct.unpack_from(order + offset_format, data, first)
    (count,) = struct.unpack_from(order + count_format, data, start)
    entries = start + struct.calcsize(count_format)
    if entries + count * size > len(data):
        return data
    tags = _TIFF_PICTURE | (_TIFF_ORIENTATION if keep_orientation else set())
    kept = [
        data[at : at + size]
        for at in range(entries, entries + count * size, size)
        if struct.unpack_from(f"{order}H", data, at)[0] in tags
    ]
    if len(kept) == count:
        return data
    # No offset follows: the first picture counts.
    directory = struct.pack(order + count_format, len(kept)) + b"".join(kept)
    directory += bytes(struct.calcsize(offset_format))
    return data[:start] + directory + data[start + len(directory) :]


def _bare_webp(data: bytes, keep_orientation: bool) -> bytes:
    dropped: Collection[bytes] = _WEBP_METADATA
    if keep_orientation:
        dropped = _WEBP_METADATA - _WEBP_ORIENTATION
    parts, at = [], 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        chunk = data[at : at + 8 + length + length % 2]
        if kind not in dropped:
            parts.append(chunk)
        at += len(chunk)
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _bare_avif(data: bytes, _keep_orientation: bool) -> bytes:
    # Offsets stay, so the item is not cut out: it gets a type that no decoder looks at. How an AVIF
    # image is turned is no part of it.
    return _AVIF_EXIF_ITEM.sub(rb"\1none", data)


def _bare_jpeg2000(data: bytes, _keep_orientation: bool) -> bytes:
    # The resolution is the one part of the header that says nothing about pixels.
    for kind, content in _boxes(data):
        if kind == b"jp2h":
            return data.replace(content, content.replace(b"res ", b"free"), 1)
    return data


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Types and contents of the outer boxes of a JPEG 2000 file."""
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif length == 0:
            length = len(data) - at
        if length < head:
            return
        yield kind, data[at + head : at + length]
        at += length
