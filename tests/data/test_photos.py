import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from softmax_cli.data.photos import PhotoBatch, read_batches, read_photo
from softmax_cli.errors import DataError

RNG = np.random.default_rng(0)
SMALL = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)


def encoded(image: Image.Image, form: str = "png", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def photo(image: Image.Image, form: str = "png", **options: object) -> NDArray[np.uint8]:
    """What comes of an image, as (32, 32, 3)."""
    row = read_photo(encoded(image, form, **options))
    assert row.dtype == np.uint8
    return row.reshape(3, 32, 32).transpose(1, 2, 0)


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
def test_exif_turns_a_picture_upright(orientation: int) -> None:
    from PIL import ImageOps

    image = Image.fromarray(SMALL)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(image, exif=exif)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    assert (read_photo(data).reshape(3, 32, 32).transpose(1, 2, 0) == expected).all()


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
    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

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
    found = batches(tmp_path / "some.npy")
    assert len(found) > 1
    rows = np.concatenate([batch.images for batch in found])
    assert (rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) == images).all()
    assert found[-1].names[-1].endswith("some.npy[1099]")
    np.save(tmp_path / "none.npy", images[:0])
    assert batches(tmp_path / "none.npy") == []


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 32, 32, 3), np.float32),
        np.zeros((3, 3, 32, 32), np.uint8),
        np.zeros((32, 32, 3), np.uint8),
        np.array([{"a": 1}], dtype=object),
        np.zeros((), np.uint8),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: NDArray[np.generic]) -> None:
    np.save(tmp_path / "x.npy", array)
    (batch,) = batches(tmp_path / "x.npy")
    assert batch.images.shape == (0, 3072)
    assert batch.errors[0] is not None


def test_an_array_that_promises_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((10, 32, 32, 3), np.uint8))
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(
        content.replace(b"(10, 32", b"(99999999, 32").replace(b" " * 6, b"", 1)
    )
    (tmp_path / "y.npy").write_bytes(content[:-1])
    (tmp_path / "z.npy").write_bytes(b"")
    for name in "xyz":
        (batch,) = batches(tmp_path / f"{name}.npy")
        assert batch.errors[0] is not None, name


@pytest.mark.posix("named pipes")
def test_a_named_pipe_can_be_read(tmp_path: Path) -> None:
    import os
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = encoded(Image.fromarray(RNG.integers(0, 256, (300, 300, 3), dtype=np.uint8)))
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    (batch,) = batches(pipe)
    writer.join()
    assert (batch.images[0] == read_photo(data)).all()
