import io
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from softmax_cli.data.photos import read_batches, read_photo
from softmax_cli.data.picture_metadata import without_metadata
from softmax_cli.errors import DataError
from tests.data import pictures
from tests.data.pictures import chunk, encoded, into_png, needs, pixels

SMALL = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
IMAGE = Image.fromarray(SMALL)

EXPANDED = zlib.compress(b"x" * 2_000_000)
BROKEN_EXIF = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\xff\xff"


SIGNATURES = {
    "png": b"\x89PNG\r\n\x1a\n",
    "jpeg": b"\xff\xd8\xff",
    "tiff": b"II*\0\x08\0\0\0",
    "big tiff": b"MM\0+\0\x08\0\0" + bytes(7) + b"\x10",
    "webp": b"RIFF\xff\xff\0\0WEBP",
    "avif": b"\0\0\0\x10ftypavif",
    "jpeg2000": b"\0\0\0\x0cjP  \r\n\x87\n",
}


def png_metadata() -> list[bytes]:
    return [
        chunk(b"zTXt", b"Comment\0\0" + EXPANDED),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + EXPANDED),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + EXPANDED),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + EXPANDED),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n4\nno hex")),
        chunk(b"tEXt", b"Comment\0" + bytes(70_000_000)),
        chunk(b"zTXt", b"Comment\0\7" + EXPANDED),
        chunk(b"iCCP", b"icc\0\0" + EXPANDED),
        chunk(b"iCCP", b"icc\0\0nothing"),
        chunk(b"iCCP", b"icc"),
        chunk(b"eXIf", BROKEN_EXIF[6:]),
        chunk(b"eXIf", b"nothing of the kind"),
        chunk(b"tEXt", b"Comment\0wrong checksum")[:-1] + b"\0",
        *(chunk(kind, b"") for kind in (b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"acTL", b"fcTL")),
    ]


def jpeg_metadata() -> list[bytes]:
    return [
        pictures.segment(0xE0, b"JFIF\0"),
        pictures.segment(0xE1, BROKEN_EXIF),
        pictures.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"\xff" * 60_000),
        pictures.segment(0xE2, b"ICC_PROFILE\0"),
        pictures.segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(60_000)) * 40,
        pictures.segment(0xE2, b"MPF\0nothing"),
        pictures.segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\xff\xff\xff\xff"),
        pictures.segment(0xEE, b"Adobe"),
        pictures.segment(0xFE, b"\xff" * 60_000),
    ]


def tiff_metadata() -> list[bytes]:
    return [
        pictures.tiff_entry(tag, kind, count, value)
        for tag in (269, 270, 271, 274, 306, 700, 33723, 34377, 34665, 34675, 34853, 65000)
        for kind, count, value in (
            (pictures.ASCII, 5, 0xFFFFFFF0),
            (pictures.LONG, 1, 9),
            (pictures.LONG, 0xFFFFFFFF, 8),
            (99, 1, 3),
        )
    ]


def jpeg2000_metadata() -> list[bytes]:
    return [
        pictures.box(b"res ", b"nothing."),
        pictures.box(b"res ", pictures.box(b"resc", b"1234")),
    ]


@dataclass(frozen=True)
class Form:
    """A format, what can be wrong with its metadata, and how that comes into a file."""

    metadata: Callable[[], list[bytes]]
    insert: Callable[..., bytes]


FORMS = {
    "png": Form(png_metadata, into_png),
    "jpeg": Form(jpeg_metadata, pictures.into_jpeg),
    "tiff": Form(tiff_metadata, pictures.into_tiff),
    "jpeg2000": Form(jpeg2000_metadata, pictures.into_jpeg2000_header),
}


def unlike(plain: bytes, altered: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Which metadata, each with the file that holds them, make another picture or none."""
    expected, wrong = read_photo(plain), []
    for metadata, data in altered:
        (batch,) = read_batches(["-"], io.BytesIO(data))
        if batch.errors != (None,) or (batch.images != expected).any():
            wrong.append(metadata[:40])
    return wrong


@pytest.mark.parametrize(
    "form", ["png", "jpeg", "tiff", pytest.param("jpeg2000", marks=needs("jpg_2000"))]
)
def test_metadata_never_decide(form: str) -> None:
    plain, insert = encoded(IMAGE, form), FORMS[form].insert
    assert unlike(plain, ((m, insert(plain, m)) for m in FORMS[form].metadata())) == []


def test_metadata_behind_the_pixels_do_not_decide_either() -> None:
    plain = encoded(IMAGE)
    behind = ((m, plain[:-12] + m + plain[-12:]) for m in png_metadata())
    assert unlike(plain, behind) == []


def test_nothing_is_left_out_of_a_file_that_holds_a_picture_alone() -> None:
    assert without_metadata(encoded(IMAGE)) is None
    assert without_metadata(encoded(IMAGE, "bmp")) is None
    assert without_metadata(b"") is None


@pytest.mark.parametrize("form", SIGNATURES)
def test_metadata_are_left_out_of_any_bytes(form: str) -> None:
    start = SIGNATURES[form]
    for seed in range(300):
        noise = np.random.default_rng(seed).bytes(seed)
        data: bytes | None = start + noise
        for _ in range(9):
            data = None if data is None else without_metadata(data)
        assert data is None, seed


@needs("webp")
def test_metadata_of_webp_do_not_decide() -> None:
    exif, icc = pictures.exif(1), b"none"
    data = encoded(IMAGE, "webp", lossless=True, exif=exif, xmp=b"<x/>", icc_profile=icc)
    at = data.index(b"EXIF")
    for altered in (
        data[: at + 4] + b"\xff\xff\0\0" + data[at + 8 :],
        data[: at + 12],
        data.replace(b"<x/>", b"\xff" * 4),
    ):
        assert (pixels(altered) == SMALL).all()


@needs("avif")
def test_metadata_of_avif_do_not_decide() -> None:
    exif = pictures.exif(6)
    exif[0x010E] = "a description"
    data = encoded(IMAGE, "avif", exif=exif)
    start = data.index(b"MM\0*")
    expected = pixels(data)
    for altered in (
        data[:start] + b"nothing!" + data[start + 8 :],
        data[: start - 4] + b"\xff" * 4 + data[start:],
    ):
        assert (pixels(altered) == expected).all()


def test_a_picture_is_turned_upright_whatever_other_metadata_hold() -> None:
    upright = SMALL[::-1].transpose(1, 0, 2)
    large = chunk(b"iCCP", b"icc\0\0" + EXPANDED)
    assert (pixels(into_png(encoded(IMAGE, exif=pictures.exif(6)), large)) == upright).all()
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + pictures.xmp(6))
    assert (pixels(into_png(encoded(IMAGE), large, text)) == upright).all()
    broken = pictures.tiff_entry(270, pictures.ASCII, 5, 0xFFFFFFF0)
    tiff = pictures.into_tiff(encoded(IMAGE, "tiff", exif=pictures.exif(6)), broken)
    assert (pixels(tiff) == upright).all()
    smooth = Image.fromarray(SMALL[:4, :4].repeat(8, axis=0).repeat(8, axis=1))
    jpeg = pictures.into_jpeg(
        encoded(smooth, "jpeg", quality=100, subsampling=0, exif=pictures.exif(3)),
        pictures.segment(0xE2, b"ICC_PROFILE\0"),
    )
    assert (abs(pixels(jpeg).astype(int) - np.asarray(smooth)[::-1, ::-1]) <= 8).all()


def test_colours_are_kept_where_metadata_are_left_out() -> None:
    broken = pictures.segment(0xE2, b"ICC_PROFILE\0")
    for mode in ("L", "RGB", "CMYK"):
        for keep_rgb in (False, True):
            plain = encoded(IMAGE.convert(mode), "jpeg", keep_rgb=keep_rgb)
            assert (pixels(pictures.into_jpeg(plain, broken)) == pixels(plain)).all()


def test_what_metadata_unpack_to_takes_no_memory() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))
    data = into_png(encoded(IMAGE), bomb, bomb)
    tracemalloc.start()
    try:
        assert (pixels(data) == SMALL).all()
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_damaged_picture_stays_damaged_without_its_metadata() -> None:
    data = into_png(encoded(IMAGE), png_metadata()[0])
    with pytest.raises(DataError, match="damaged PNG image: image file is truncated"):
        read_photo(data[:-1000])
    with pytest.raises(DataError, match="damaged PNG image"):
        read_photo(into_png(encoded(IMAGE), chunk(b"tRNS", b"")))
