"""Image files as people have them: built in code, byte for byte where no library writes them."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from softmax_cli.data.photos import read_photo

EXIF_UUID = b"JpgTiffExif->JP2"
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
ORIENTATION = 0x0112
COMPRESSION = 0x0103
BITS = 0x0102
SAMPLES = 0x0115
SHORT = 3
LONG = 4
ASCII = 2


def needs(feature: str) -> pytest.MarkDecorator:
    """Skip a test where the installed Pillow lacks a feature."""
    lacks = features.check(feature) is not True
    return pytest.mark.skipif(lacks, reason=f"this Pillow has no {feature}")


def pixels(data: bytes) -> NDArray[np.uint8]:
    """The pixels read from an image file, (32, 32, 3)."""
    row = read_photo(data)
    assert row.dtype == np.uint8
    return row.reshape(3, 32, 32).transpose(1, 2, 0)


def encoded(image: Image.Image, form: str = "png", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(rows: NDArray[np.uint8], width: int, depth: int, colour: int, *chunks: bytes) -> bytes:
    """A PNG file of packed samples: ``rows`` are the bytes of each row."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0))
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    content = [header, *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(content)


def into_png(data: bytes, *chunks: bytes) -> bytes:
    """A PNG file with chunks put behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def into_jpeg(data: bytes, *segments: bytes) -> bytes:
    """A JPEG file with segments put in front of all others."""
    return data[:2] + b"".join(segments) + data[2:]


def box(kind: bytes, content: bytes) -> bytes:
    """A box of a JPEG 2000 file."""
    return struct.pack(">I4s", len(content) + 8, kind) + content


def into_jpeg2000_header(data: bytes, content: bytes) -> bytes:
    """A JPEG 2000 file with boxes put at the end of its header."""
    at = data.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", data, at)
    whole = box(b"jp2h", data[at + 8 : at + length] + content)
    return data[:at] + whole + data[at + length :]


def tiff_entry(tag: int, kind: int, count: int, value: int) -> bytes:
    """An entry of the directory of a TIFF file."""
    return struct.pack("<HHII", tag, kind, count, value)


def into_tiff(data: bytes, *entries: bytes) -> bytes:
    """A little-endian TIFF file with a new directory at its end, which has these entries too.

    An entry replaces the one of its tag.
    """
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    old = [data[at : at + 12] for at in range(start + 2, start + 2 + 12 * count, 12)]
    by_tag = {struct.unpack("<H", entry[:2])[0]: entry for entry in [*old, *entries]}
    directory = b"".join(by_tag[tag] for tag in sorted(by_tag))
    at = len(data) + len(data) % 2
    content = data[:4] + struct.pack("<I", at) + data[8:].ljust(at - 8, b"\0")
    return content + struct.pack("<H", len(by_tag)) + directory + bytes(4)


def exif(orientation: int) -> Image.Exif:
    """EXIF data that says how a picture is turned."""
    data = Image.Exif()
    data[ORIENTATION] = orientation
    return data


def xmp(orientation: int) -> bytes:
    """The same in XMP."""
    return f'<x:xmpmeta tiff:Orientation="{orientation}"></x:xmpmeta>'.encode()


def turned(image: Image.Image, form: str, orientation: int) -> bytes:
    """A file that keeps these pixels without a loss, or nearly, and says how they are turned."""
    if form == "jpeg2000":
        content = EXIF_UUID + exif(orientation).tobytes()
        return encoded(image, form) + box(b"uuid", content)
    options: dict[str, dict[str, object]] = {
        "jpeg": {"quality": 100, "subsampling": 0},
        "webp": {"lossless": True},
        "avif": {"quality": 100, "subsampling": "4:4:4", "speed": 10},
        "lzw tiff": {"compression": "tiff_lzw"},
    }
    form, chosen = form.rpartition(" ")[2], options.get(form, {})
    return encoded(image, form, exif=exif(orientation), **chosen)


def bmp(bits: int, compression: int, data: bytes, palette: bytes = b"", header: int = 40) -> bytes:
    """A BMP file of 40 x 40 pixels, in one of its many forms."""
    fields = (header, 40, 40, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    info = struct.pack("<IiiHHIIiiII", *fields)
    start = 14 + len(info) + len(palette)
    size = start + len(data)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, start) + info + palette + data


def scratched_fax(image: Image.Image) -> bytes:
    """A fax whose decoder finds an error in a line, and goes on at the next."""
    data = bytearray(encoded(image.convert("1"), "tiff", compression="group4"))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)
