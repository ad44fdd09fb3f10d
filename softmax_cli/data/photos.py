"""Any picture becomes what a model was trained on: 32 x 32 pixels in RGB.

A picture is turned upright as its EXIF tag says, laid on white where it is transparent, cut to its
middle square and reduced by averaging over areas. Of an animation the first frame counts, and 16
bits per channel become 8. A picture that already has the right size and mode is taken as it is.
Metadata that is damaged or large keeps no picture from being read.
"""

import contextlib
import io
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from softmax_cli.data.decoder_messages import collected_messages, may_print, summary
from softmax_cli.data.images import PIXELS
from softmax_cli.errors import DataError

SIDE = 32
STDIN = "-"

_CHUNK = 512
_MIN_THREADED_BYTES = 1 << 16
_THREADS = 4
_READ_BYTES = 1 << 16
_MAX_BYTES = 1 << 28
_SIGNATURE_BYTES = 16
_ARRAY_SUFFIXES = (".npy", ".npz")
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow decodes these by running another program on the file.
_FOREIGN_FORMATS = {"EPS"}
_RANGE_OF_16_BITS = 65535
# Where the header of a PNG file has its bits per sample.
_PNG_DEPTH = 24


@dataclass(frozen=True, eq=False)
class PhotoBatch:
    """Some pictures on their way to a model.

    Attributes:
        names: of all pictures, in the order asked for. The i-th image of an array is ``FILE[i]``.
        errors: for each name why there is no image, or None.
        warnings: for each name what the decoder of an image reported, or None.
        images: (n, 3072) uint8, channel-major rows, of the names without an error.
    """

    names: tuple[str, ...]
    errors: tuple[str | None, ...]
    warnings: tuple[str | None, ...]
    images: NDArray[np.uint8]


def read_batches(sources: Sequence[str], stdin: BinaryIO) -> Iterator[PhotoBatch]:
    """Read pictures a few hundred at a time; what cannot be read is named and passed over.

    Args:
        sources: image files; ``-`` for one picture from ``stdin``; ``.npy`` files that hold uint8
            images of shape (N, 32, 32, 3), RGB, and ``.npz`` files with one such array.
        stdin: where ``-`` reads from.
    """
    with warnings.catch_warnings():
        # Pillow warns about much that does not keep a picture from being read.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for group in _groups(sources):
            if _is_array(group[0]):
                yield from _read_array(group[0])
            else:
                yield _read_files(group, stdin)


def read_photo(data: bytes) -> NDArray[np.uint8]:
    """Turn the bytes of an image file into one row, (3072,) uint8, channel-major.

    Raises:
        DataError: these bytes are no picture, or one that is damaged, too large, not supported, or
            of a kind that has no certain meaning in 8-bit RGB.
    """
    try:
        return _decode(data)
    except DataError:
        from softmax_cli.data.picture_metadata import without_metadata

        bare = without_metadata(data)
        if bare is None:
            raise
    return read_photo(bare)


def _decode(data: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format in _FOREIGN_FORMATS:
                raise DataError(f"{image.format} files are programs, which are not run")
            pixels = np.asarray(_small_rgb(_upright(image, data)))
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"more than {Image.MAX_IMAGE_PIXELS:,} pixels") from error
    except Exception as error:
        from softmax_cli.data.picture_errors import explain

        # Decoders raise exceptions of any class on damaged files.
        raise DataError(explain(data, error)) from error
    return pixels.transpose(2, 0, 1).reshape(PIXELS)


def _groups(sources: Sequence[str]) -> Iterator[list[str]]:
    """Cut the sources into arrays, each by itself, and runs of files."""
    group: list[str] = []
    for source in sources:
        is_array = _is_array(source)
        if group and (is_array or len(group) == _CHUNK):
            yield group
            group = []
        group.append(source)
        if is_array:
            yield group
            group = []
    if group:
        yield group


def _is_array(source: str) -> bool:
    return source.lower().endswith(_ARRAY_SUFFIXES)


class _Photo(NamedTuple):
    """The result of one file: a row, or the error why there is none."""

    row: NDArray[np.uint8] | None = None
    error: str | None = None
    warning: str | None = None


def _read_files(sources: Sequence[str], stdin: BinaryIO) -> PhotoBatch:
    large = [source for source in sources if _is_large(source)]
    done = _read_in_threads(large) if len(large) > 1 else {}
    photos = [done[s] if s in done else _read_file(s, stdin) for s in sources]
    rows = [photo.row for photo in photos if photo.row is not None]
    return PhotoBatch(
        tuple(sources),
        tuple(photo.error for photo in photos),
        tuple(photo.warning for photo in photos),
        np.stack(rows) if rows else np.empty((0, PIXELS), np.uint8),
    )


def _is_large(source: str) -> bool:
    """Whether decoding takes so long that a second thread pays; it is a loss on small files."""
    try:
        return source != STDIN and Path(source).stat().st_size > _MIN_THREADED_BYTES
    except OSError:
        return False


def _read_in_threads(sources: Sequence[str]) -> dict[str, _Photo]:
    from concurrent.futures import ThreadPoolExecutor

    # Loading its plugins on demand is not something Pillow does safely from several threads.
    Image.init()
    with (
        collected_messages() as lines,
        ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool,
    ):
        done = dict(zip(sources, pool.map(_read_uncollected, sources), strict=True))
    if lines:
        # To find the file that a line belongs to, decode one file at a time.
        done |= {source: _read_file(source) for source in sources if _may_print(source)}
    return done


def _may_print(source: str) -> bool:
    try:
        with Path(source).open("rb") as stream:
            return may_print(stream.read(_SIGNATURE_BYTES))
    except OSError:
        return False


def _read_file(source: str, stdin: BinaryIO | None = None) -> _Photo:
    """One picture and what its decoder printed, or why there is none."""
    try:
        data = _content(source, stdin)
    except (DataError, OSError) as error:
        return _Photo(error=_failure(error))
    if not may_print(data):
        return _photo(data)
    with collected_messages() as lines:
        photo = _photo(data)
    if not lines:
        return photo
    if photo.error is None:
        return _Photo(photo.row, warning=summary(lines))
    from softmax_cli.data.picture_errors import explain_with

    return _Photo(error=explain_with(photo.error, lines))


def _read_uncollected(source: str) -> _Photo:
    try:
        return _Photo(read_photo(_content(source)))
    except (DataError, OSError) as error:
        return _Photo(error=_failure(error))


def _photo(data: bytes) -> _Photo:
    try:
        return _Photo(read_photo(data))
    except DataError as error:
        return _Photo(error=error.message)


def _failure(error: DataError | OSError) -> str:
    if isinstance(error, DataError):
        return error.message
    return error.strerror or str(error)


def _content(source: str, stdin: BinaryIO | None = None) -> bytes:
    if source == STDIN and stdin is not None:
        return _read_bounded(stdin)
    with Path(source).open("rb", buffering=0) as stream:
        return _read_bounded(stream)


def _read_bounded(stream: BinaryIO) -> bytes:
    # Not all at once: read(n) makes room for n bytes before it knows how many there are.
    parts, size = [], 0
    while part := stream.read(_READ_BYTES):
        parts.append(part)
        size += len(part)
        if size > _MAX_BYTES:
            raise DataError(f"more than {_MAX_BYTES >> 20} MB")
    return b"".join(parts)


def _read_array(source: str) -> Iterator[PhotoBatch]:
    from softmax_cli.data.array_files import read_image_arrays

    start = 0
    try:
        for rows in read_image_arrays(source, _CHUNK):
            names = tuple(f"{source}[{start + i}]" for i in range(len(rows)))
            start += len(rows)
            nothing = (None,) * len(rows)
            yield PhotoBatch(names, nothing, nothing, rows)
    except (DataError, OSError) as error:
        yield PhotoBatch((source,), (_failure(error),), (None,), np.empty((0, PIXELS), np.uint8))


def _upright(image: Image.Image, data: bytes) -> Image.Image:
    """Load an image from its file's bytes, turned as it is to be seen."""
    image.load()
    if image.format == "JPEG2000":
        from softmax_cli.data.picture_metadata import jpeg2000_metadata

        image.info.update(jpeg2000_metadata(data))
    # After decoding: the TIFF decoder turns the picture itself, and takes the tag away.
    orientation = _orientation(image)
    if image.format == "PNG" and "transparency" in image.info:
        image = _with_transparent_colour(image, data)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _small_rgb(image: Image.Image) -> Image.Image:
    """Bring an upright image of any size and mode to 32 x 32 RGB.

    What is cut off and how is rounded depends on directions, so an image is turned before.
    """
    if image.size != (SIDE, SIDE):
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        cut = image.crop((left, top, left + side, top + side))
        return _rgb(cut).resize((SIDE, SIDE), Image.Resampling.BOX)
    if image.mode != "RGB" or "transparency" in image.info:
        return _rgb(image)
    return image


def _orientation(image: Image.Image) -> int:
    """How the picture is to be turned; upright where damaged EXIF data does not say."""
    with contextlib.suppress(Exception):
        return int(image.getexif().get(_ORIENTATION, 1))
    return 1


def _with_transparent_colour(image: Image.Image, data: bytes) -> Image.Image:
    """Compare a PNG's transparent colour in the bits per sample that the file has.

    The file gives the colour in those bits; Pillow compares it with pixels of 8 bits, and not at
    all with those of 16.
    """
    depth, key = data[_PNG_DEPTH], image.info["transparency"]
    if image.mode == "L":
        largest = (1 << depth) - 1
        image.info["transparency"] = (key & largest) * 255 // largest
    elif image.mode == "RGB" and depth == 8:
        image.info["transparency"] = tuple(value & 255 for value in key)
    elif image.mode == "RGB" or image.mode.startswith("I"):
        shown = (_samples_of_16_bits(image, data) != np.array(key, np.uint16)).any(axis=2)
        image = (image if image.mode == "RGB" else _eight_bits(image)).convert("RGBA")
        image.putalpha(Image.fromarray(np.where(shown, 255, 0).astype(np.uint8)))
    return image


def _samples_of_16_bits(image: Image.Image, data: bytes) -> NDArray[np.uint16]:
    """The samples of a PNG image, (height, width, channels)."""
    samples = np.asarray(image).astype(np.uint16)
    if image.mode != "RGB":
        return samples[..., None]
    # Pillow keeps the first byte of two. It gives the other when it is told that the file has the
    # greater byte last.
    with Image.open(io.BytesIO(data)) as twin:
        twin.tile = [tile._replace(args="RGB;16L") for tile in twin.tile]
        return samples * np.uint16(256) + np.asarray(twin, np.uint16)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise DataError("expected 8 or 16 bits per channel, got floating point numbers")
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > _RANGE_OF_16_BITS:
        raise DataError(
            f"expected 8 or 16 bits per channel, got values from {values.min()} to {values.max()}"
        )
    rounded = (values * 255 + _RANGE_OF_16_BITS // 2) // _RANGE_OF_16_BITS
    return Image.fromarray(rounded.astype(np.uint8))
