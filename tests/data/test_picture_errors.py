import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from softmax_cli.data.photos import read_batches, read_photo
from softmax_cli.data.picture_errors import explain_with
from softmax_cli.errors import DataError
from tests.data import pictures
from tests.data.pictures import encoded, needs

IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))


def error_of(data: bytes) -> str:
    with pytest.raises(DataError) as raised:
        read_photo(data)
    return raised.value.message


def container(*brands: bytes) -> bytes:
    """The beginning of a file of the family of MP4."""
    return pictures.box(b"ftyp", brands[0] + bytes(4) + b"".join(brands[1:])) + bytes(200)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (container(b"heic", b"mif1", b"heic"), "HEIC"),
        (container(b"mif1", b"mif1", b"miaf", b"heic"), "HEIC"),
        (container(b"msf1", b"hevc"), "HEIC"),
        (container(b"mif1", b"miaf"), "HEIF"),
        (container(b"crx ", b"isom"), "raw photo"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(99), "raw photo"),
        (container(b"isom", b"mp41"), "video"),
        (container(b"qt  ", b"qt  "), "video"),
        (b"\x1aE\xdf\xa3" + bytes(99), "video"),
        (b"\xff\x0a" + bytes(99), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "JPEG XL"),
        (b"%PDF-1.7\n" + bytes(99), "PDF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "SVG"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg ></svg>', "SVG"),
    ],
)
def test_a_picture_of_a_kind_that_is_not_read_is_named(data: bytes, kind: str) -> None:
    message = error_of(data)
    assert message.startswith("not supported: ")
    assert kind in message
    assert "convert it to PNG or JPEG" in message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"a letter to a friend",
        b"<!DOCTYPE html><html><body><svg ></svg></body></html>",
        b"<" + b"!" * 600,
        b"PK\3\4" + bytes(99),
    ],
)
def test_what_is_no_picture_is_not_called_a_damaged_one(data: bytes) -> None:
    assert error_of(data) == "not an image that Pillow knows"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pictures.bmp(64, 0, bytes(40 * 40 * 8)), "depth (64)"),
        (pictures.bmp(2, 0, bytes(12 * 40), bytes(16)), "depth (2)"),
        (pictures.bmp(24, 4, b"\x28\1\2\3\0\0" * 40 + b"\0\1"), "compression (4)"),
        (pictures.bmp(0, 5, encoded(IMAGE)), "depth (0)"),
        (pictures.bmp(24, 0, bytes(4800), header=16), "header type (16)"),
        (pictures.bmp(8, 1, b"\x28\7\0\0" * 30 + b"\0\1", bytes(1024)), "run-length"),
        (pictures.bmp(4, 2, b"\x28\7\0\0" * 30 + b"\0\1", bytes(64)), "run-length"),
    ],
)
def test_an_unusual_bmp_is_not_called_damaged(data: bytes, reason: str) -> None:
    message = error_of(data)
    assert message.startswith("not supported: BMP: ")
    assert reason in message


def test_run_length_codes_of_every_pixel_are_read() -> None:
    assert (read_photo(pictures.bmp(8, 1, b"\x28\7\0\0" * 40 + b"\0\1", b"\7" * 1024)) == 7).all()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ((pictures.COMPRESSION, 34712), "34712"),
        ((pictures.BITS, 64), "unknown pixel mode"),
        ((pictures.SAMPLES, 9), "samples per pixel"),
    ],
)
def test_an_unusual_tiff_is_not_called_damaged(entry: tuple[int, int], reason: str) -> None:
    tag, value = entry
    data = encoded(IMAGE, "tiff")
    message = error_of(pictures.into_tiff(data, pictures.tiff_entry(tag, pictures.SHORT, 1, value)))
    assert message.startswith("not supported: TIFF: ")
    assert reason in message


@needs("libtiff")
def test_a_compression_that_libtiff_was_built_without_is_not_called_damage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        encoded(IMAGE, "tiff", compression="webp")
        pytest.skip("this libtiff knows WebP")
    except OSError:
        capfd.readouterr()
    webp = pictures.tiff_entry(pictures.COMPRESSION, pictures.SHORT, 1, 50001)
    data = pictures.into_tiff(encoded(IMAGE, "tiff", compression="tiff_lzw"), webp)
    (batch,) = read_batches(["-"], io.BytesIO(data))
    assert str(batch.errors[0]).startswith("not supported: WEBP compression support is not conf")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "bmp", "tiff", "ppm"])
def test_a_picture_cut_short_is_called_damaged_and_its_format_named(form: str) -> None:
    data = encoded(IMAGE, form)
    name = Image.EXTENSION[f".{form}"]
    for length in (len(data) // 2, len(data) * 3 // 4):
        assert error_of(data[:length]).startswith(f"a damaged {name} image: ")


def test_a_damaged_header_is_called_damage() -> None:
    data = bytearray(encoded(IMAGE))
    data[17] ^= 1
    assert error_of(bytes(data)).startswith("a damaged PNG image: broken PNG file")
    run_length = pictures.bmp(8, 1, b"\x28\7\0\0" * 40 + b"\0\1", bytes(1024))
    assert error_of(run_length[:-20]).startswith("a damaged BMP image: ")
    directory = struct.unpack("<I", encoded(IMAGE, "tiff")[4:8])[0]
    assert error_of(encoded(IMAGE, "tiff")[: directory + 40]).startswith("a damaged TIFF image: ")


def test_a_line_of_the_decoder_tells_damage_from_what_is_not_supported() -> None:
    damaged = "a damaged TIFF image: decoder error -2"
    lines = ["tempfile.tif: LERC compression support is not configured."] * 2
    assert explain_with(damaged, lines).startswith("not supported: LERC compression support")
    for line in ("JPEGLib: Unsupported marker type 0x08.", "ZSTDDecode: Unknown frame descriptor."):
        assert explain_with(damaged, [line]) == f"{damaged} ({line.rstrip('.')})"
