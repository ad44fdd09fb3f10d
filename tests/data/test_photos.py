import io
import logging
import os
import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from softmax_cli.data.photos import PhotoBatch, read_batches, read_photo
from softmax_cli.errors import DataError
from tests.data import pictures
from tests.data.pictures import chunk, encoded, into_png, needs, pixels, png

RNG = np.random.default_rng(0)
SMALL = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)


def photo(image: Image.Image, form: str = "png", **options: object) -> NDArray[np.uint8]:
    """The pixels read from an image, (32, 32, 3)."""
    return pixels(encoded(image, form, **options))


def batches(*sources: object) -> list[PhotoBatch]:
    return list(read_batches([str(source) for source in sources], io.BytesIO()))


@pytest.mark.parametrize("form", ["png", "bmp", "tiff", "ppm", "tga"])
def test_an_image_of_the_right_size_keeps_every_pixel(form: str) -> None:
    assert (photo(Image.fromarray(SMALL), form) == SMALL).all()


def test_a_larger_image_is_cut_to_its_middle_square_and_averaged() -> None:
    blocks = SMALL.repeat(4, axis=0).repeat(4, axis=1)
    wide = np.zeros((128, 200, 3), np.uint8)
    wide[:, 36:164] = blocks
    assert (photo(Image.fromarray(wide)) == SMALL).all()
    assert (photo(Image.fromarray(wide.transpose(1, 0, 2))) == SMALL.transpose(1, 0, 2)).all()
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[::2] = 200
    assert (photo(Image.fromarray(halves)) == 100).all()


def test_a_smaller_image_is_enlarged() -> None:
    tiny = np.array([[[255, 0, 0], [0, 255, 0]]] * 2, np.uint8)
    result = photo(Image.fromarray(tiny))
    assert (result[:, :16] == [255, 0, 0]).all()
    assert (result[:, 16:] == [0, 255, 0]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("form", "tolerance"),
    [
        ("jpeg", 8),
        ("png", 0),
        ("tiff", 0),
        pytest.param("lzw tiff", 0, marks=needs("libtiff")),
        pytest.param("webp", 0, marks=needs("webp")),
        pytest.param("avif", 8, marks=needs("avif")),
        pytest.param("jpeg2000", 0, marks=needs("jpg_2000")),
    ],
)
def test_a_picture_is_turned_upright_once(form: str, tolerance: int, orientation: int) -> None:
    as_stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    for width, height in ((32, 32), (64, 64), (96, 64), (40, 128), (51, 46)):
        colours = RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        blocks = colours.repeat(8, axis=0).repeat(8, axis=1)
        upright = Image.fromarray(np.ascontiguousarray(blocks[:height, :width]))
        stored = upright if as_stored is None else upright.transpose(as_stored)
        result = pixels(pictures.turned(stored, form, orientation))
        difference = abs(result.astype(int) - photo(upright))
        assert difference.max() <= tolerance, (width, height)


@pytest.mark.parametrize(
    "form",
    [
        "png",
        "tiff",
        pytest.param("webp", marks=needs("webp")),
        pytest.param("jpeg2000", marks=needs("jpg_2000")),
    ],
)
def test_xmp_turns_a_picture_where_exif_does_not(form: str) -> None:
    image, xmp = Image.fromarray(SMALL), pictures.xmp(6)
    if form == "png":
        text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
        data = into_png(encoded(image), text)
    elif form == "tiff":
        data = encoded(image, "tiff", tiffinfo={700: xmp})
    elif form == "webp":
        data = encoded(image, "webp", lossless=True, xmp=xmp)
    else:
        data = encoded(image, form) + pictures.box(b"uuid", pictures.XMP_UUID + xmp)
    assert (pixels(data) == SMALL[::-1].transpose(1, 0, 2)).all()


@pytest.mark.parametrize("mark", [b"", b"Exif\0\0", b"EXIF\0\0"])
@needs("jpg_2000")
def test_the_exif_box_of_a_jpeg_2000_file_may_begin_in_several_ways(mark: bytes) -> None:
    content = pictures.EXIF_UUID + mark + pictures.exif(3).tobytes().removeprefix(b"Exif\0\0")
    data = encoded(Image.fromarray(SMALL), "jpeg2000")
    assert (pixels(data + pictures.box(b"uuid", content)) == SMALL[::-1, ::-1]).all()
    long = struct.pack(">I4sQ", 1, b"uuid", len(content) + 16) + content
    assert (pixels(data + long) == SMALL[::-1, ::-1]).all()


def test_damaged_exif_data_does_not_keep_a_picture_from_being_read() -> None:
    data = encoded(Image.fromarray(SMALL), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    (batch,) = read_batches(["-"], io.BytesIO(data))
    assert (batch.images.reshape(3, 32, 32).transpose(1, 2, 0) == SMALL).all()


@pytest.mark.parametrize("size", [32, 64])
def test_transparency_is_laid_on_white(size: int) -> None:
    image = Image.new("RGBA", (size, size), (200, 0, 100, 0))
    assert (photo(image) == 255).all()
    half = Image.new("RGBA", (size, size), (0, 0, 0, 128))
    assert (abs(photo(half).astype(int) - 127) <= 1).all()
    palette = Image.new("P", (size, size), 3)
    palette.putpalette([0, 0, 0] * 3 + [10, 20, 30])
    assert (photo(palette) == [10, 20, 30]).all()
    assert (photo(palette, transparency=3) == 255).all()
    grey = Image.new("LA", (size, size), (77, 255))
    assert (photo(grey) == 77).all()


@pytest.mark.parametrize("side", [32, 64])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png_is_compared_in_its_own_bits(depth: int, side: int) -> None:
    largest = (1 << depth) - 1
    for key in (0, 1, largest):
        other = largest if key == 0 else 0
        grey = np.full((side, side), key)
        grey[:, side // 2 :] = other
        result = pixels(grey_png(grey, depth, key))
        assert (result[:, :16] == 255).all()
        assert (result[:, 16:] == other * 255 // largest).all()


def grey_png(grey: NDArray[np.int64], depth: int, key: int) -> bytes:
    bits = grey[..., None] >> np.arange(depth)[::-1] & 1
    rows = np.packbits(bits.reshape(len(grey), -1).astype(np.uint8), axis=1)
    return png(rows, grey.shape[1], depth, 0, chunk(b"tRNS", struct.pack(">H", key)))


@pytest.mark.parametrize("side", [32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_in_16_bits_is_that_of_the_same_picture_in_8(channels: int, side: int) -> None:
    samples = RNG.integers(0, 3, (side, side, channels), dtype=np.uint8) * 100
    key = [100, 200, 0][:channels]
    samples[: side // 2, : side // 2] = key
    colour = 0 if channels == 1 else 2
    short, long = (
        png(
            (samples * np.array(scale, kind)).astype(kind.newbyteorder(">")).reshape(side, -1),
            side,
            kind.itemsize * 8,
            colour,
            chunk(b"tRNS", (np.array(key) * scale).astype(">u2").tobytes()),
        )
        for kind, scale in ((np.dtype(np.uint8), 1), (np.dtype(np.uint16), 257))
    )
    assert (pixels(long) == pixels(short)).all()
    assert (pixels(long)[:16, :16] == 255).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_only_the_very_colour_is_transparent_in_16_bits(channels: int) -> None:
    samples = np.full((32, 32, channels), 0x1234, ">u2")
    samples[:, 16:, -1] += 1
    key = samples[0, 0].tobytes()
    data = png(samples.reshape(32, -1), 32, 16, 0 if channels == 1 else 2, chunk(b"tRNS", key))
    result = pixels(data)
    assert (result[:, :16] == 255).all()
    assert (result[:, 16:] == 0x12).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_bits_of_a_transparent_colour_beyond_the_depth_do_not_count(channels: int) -> None:
    samples = np.full((32, 32 * channels), 77, np.uint8)
    key = chunk(b"tRNS", struct.pack(">H", 0xFF00 | 77) * channels)
    assert (pixels(png(samples, 32, 8, 0 if channels == 1 else 2, key)) == 255).all()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("alpha", [b"\xff\0", b"\x80\0"])
def test_a_palette_may_be_transparent_at_any_depth(depth: int, alpha: bytes) -> None:
    grey = np.zeros((32, 32), np.int64)
    grey[:, 16:] = 1
    bits = grey[..., None] >> np.arange(depth)[::-1] & 1
    rows = np.packbits(bits.reshape(32, -1).astype(np.uint8), axis=1)
    palette = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60]))
    result = pixels(png(rows, 32, depth, 3, palette, chunk(b"tRNS", alpha)))
    assert (result[:, 16:] == 255).all()
    opaque = np.array([10, 20, 30])
    expected = opaque if alpha[0] == 255 else 255 - (255 - opaque) * (128 / 255)
    assert np.abs(result[:, :16] - expected).max() <= 1


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "YCbCr"])
def test_other_colour_modes_become_rgb(mode: str) -> None:
    image = Image.new("RGB", (40, 40), "white").convert(mode)
    assert (photo(image, "tiff") == 255).all()


def test_16_bits_are_scaled_and_not_cut_off() -> None:
    values = np.array([0, 128, 257, 32896, 65535], np.uint16).repeat(32)[:128]
    image = Image.fromarray(np.resize(values, (32, 32)))
    result = photo(image)
    expected = np.rint(np.resize(values, (32, 32)) / 257)
    assert (result == expected[..., None]).all()


def test_the_first_frame_of_an_animation_counts() -> None:
    red, blue = (Image.new("RGB", (50, 50), colour) for colour in ("red", "blue"))
    result = photo(red, "gif", save_all=True, append_images=[blue])
    assert (result == [255, 0, 0]).all()


def test_floating_point_images_are_refused() -> None:
    for size in (32, 100):
        with pytest.raises(DataError, match="floating point"):
            read_photo(encoded(Image.new("F", (size, size)), "tiff"))


def test_values_beyond_16_bits_are_refused() -> None:
    image = Image.fromarray(np.full((32, 32), 70_000, np.int32))
    with pytest.raises(DataError, match="70000"):
        read_photo(encoded(image, "tiff"))


def test_an_image_cut_short_is_refused() -> None:
    data = encoded(Image.fromarray(SMALL))
    # The last 20 bytes are checksums and an end mark: without them every pixel is still there.
    for length in range(0, len(data) - 20, 7):
        with pytest.raises(DataError):
            read_photo(data[:length])


@pytest.mark.parametrize("form", ["png", "gif", "bmp", "tiff", "jpeg", "webp"])
def test_flipped_bits_are_an_image_or_a_data_error(form: str) -> None:
    data = encoded(Image.fromarray(SMALL), form)
    rng = np.random.default_rng(1)
    for _ in range(150):
        altered = bytearray(data)
        altered[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        try:
            row = next(read_batches(["-"], io.BytesIO(bytes(altered))))
        except DataError:
            continue
        assert row.images.shape[1] == 3072


def test_a_decompression_bomb_is_refused_before_it_is_unpacked() -> None:
    for side in (12_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
        (batch,) = read_batches(["-"], io.BytesIO(data + chunk(b"IEND", b"")))
        assert batch.errors[0] is not None
        assert "pixels" in batch.errors[0]


def test_postscript_is_not_run() -> None:
    with pytest.raises(DataError, match="programs"):
        read_photo(encoded(Image.fromarray(SMALL), "eps"))


def test_large_and_small_files_keep_their_order(tmp_path: Path) -> None:
    colours = RNG.integers(0, 256, (20, 3))
    noise = RNG.integers(0, 2, (400, 400, 3), dtype=np.uint8)
    paths = []
    for number, colour in enumerate(colours):
        shape = (400, 400, 3) if number % 3 == 0 else (32, 32, 3)
        pixels = np.broadcast_to(colour, shape).astype(np.uint8)
        if number % 3 == 0:
            pixels = pixels // 2 * 2 + noise
        paths.append(tmp_path / f"{number}.bmp")
        Image.fromarray(pixels).save(paths[-1])
    (batch,) = batches(*paths, tmp_path / "missing")
    means = batch.images.reshape(len(colours), 3, -1).mean(axis=2)
    assert (abs(means - colours) <= 1).all()
    assert batch.errors == (None,) * len(paths) + ("No such file or directory",)


def test_arrays_are_read_in_parts_and_keep_their_order(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (1100, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "some.npy", images)
    (tmp_path / "some.npy").rename(tmp_path / "SOME.NPY")
    np.savez_compressed(tmp_path / "some.npz", images)
    for name in ("SOME.NPY", "some.npz"):
        found = batches(tmp_path / name)
        assert len(found) > 1
        rows = np.concatenate([batch.images for batch in found])
        assert (rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) == images).all()
        assert found[-1].names[-1].endswith(f"{name}[1099]")
    np.save(tmp_path / "none.npy", images[:0])
    assert batches(tmp_path / "none.npy") == []


def test_what_is_no_array_of_images_is_named_among_the_others(tmp_path: Path) -> None:
    np.save(tmp_path / "bad.npy", np.zeros((3, 32, 32), np.uint8))
    np.save(tmp_path / "good.npy", SMALL[None])
    bad, missing, good = batches(
        tmp_path / "bad.npy", tmp_path / "missing.npz", tmp_path / "good.npy"
    )
    assert bad.errors == ("expected uint8 of shape (N, 32, 32, 3), got uint8 of shape (3, 32, 32)",)
    assert missing.errors == ("No such file or directory",)
    assert len(bad.images) == len(missing.images) == 0
    assert good.errors == good.warnings == (None,)


def damaged_fax(side: int = 64) -> bytes:
    return pictures.scratched_fax(
        Image.fromarray(RNG.integers(0, 2, (side, side), dtype=np.uint8) * 255)
    )


@needs("libtiff")
def test_what_a_decoder_prints_is_about_its_picture(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in "aceg":
        (tmp_path / f"{name}.png").write_bytes(encoded(Image.fromarray(SMALL)))
    for name in "bdf":
        (tmp_path / f"{name}.tif").write_bytes(encoded(Image.fromarray(SMALL), "tiff"))
    (tmp_path / "d.tif").write_bytes(damaged_fax())
    (batch,) = batches(*sorted(tmp_path.iterdir()))
    assert batch.errors == (None,) * 7
    assert [warning is None for warning in batch.warnings] == [True] * 3 + [False] + [True] * 3
    assert str(batch.warnings[3]).startswith("Fax4Decode: ")
    assert capfd.readouterr() == ("", "")


@needs("libtiff")
def test_what_decoders_print_in_several_threads_is_about_their_pictures(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = Image.fromarray(RNG.integers(0, 256, (500, 500, 3), dtype=np.uint8))
    for number in range(6):
        form = "jpeg" if number % 2 else "tiff"
        (tmp_path / f"{number}").write_bytes(encoded(noise, form))
    for number in (2, 3):
        (tmp_path / f"{number}").write_bytes(damaged_fax(900))
    assert all(path.stat().st_size > 1 << 16 for path in tmp_path.iterdir())
    (batch,) = batches(*sorted(tmp_path.iterdir()))
    assert batch.errors == (None,) * 6
    assert [i for i, warning in enumerate(batch.warnings) if warning is not None] == [2, 3]
    assert capfd.readouterr() == ("", "")


@needs("libtiff")
def test_what_a_decoder_prints_tells_why_there_is_no_picture(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(encoded(Image.fromarray(SMALL), "tiff", compression="tiff_adobe_deflate"))
    data[8:400] = bytes(392)
    (tmp_path / "a.tif").write_bytes(data)
    (batch,) = batches(tmp_path / "a.tif")
    assert str(batch.errors[0]).startswith("a damaged TIFF image: ")
    assert "ZIPDecode" in str(batch.errors[0])
    assert batch.warnings == (None,)
    assert capfd.readouterr() == ("", "")


def test_pillow_logs_nothing_without_a_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    many = pictures.tiff_entry(0x0115, pictures.SHORT, 1, 9)
    (tmp_path / "a.tif").write_bytes(
        pictures.into_tiff(encoded(Image.fromarray(SMALL), "tiff"), many)
    )
    (batch,) = batches(tmp_path / "a.tif")
    assert str(batch.errors[0]).startswith("not supported: ")
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("PIL").handlers == []


@pytest.mark.posix("named pipes")
def test_a_named_pipe_can_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = encoded(Image.fromarray(RNG.integers(0, 256, (300, 300, 3), dtype=np.uint8)))
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    (batch,) = batches(pipe)
    writer.join()
    assert (batch.images[0] == read_photo(data)).all()
