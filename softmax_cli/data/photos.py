"""Any picture becomes what a model was trained on: 32 x 32 pixels in RGB.

A picture is turned upright as its EXIF tag says, laid on white where it is transparent, cut to its
middle square and reduced by averaging over areas. Of an animation the first frame counts, and 16
bits per channel become 8. A picture that already has the right size and mode is taken as it is.
"""

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from softmax_cli.data.images import PIXELS
from softmax_cli.errors import DataError

SIDE = 32
STDIN = "-"

_CHUNK = 512
_LARGE_BYTES = 1 << 16
_THREADS = 4
_READ_BYTES = 1 << 16
_MOST_BYTES = 1 << 28
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


@dataclass(frozen=True, eq=False)
class PhotoBatch:
    """Some pictures on their way to a model.

    Attributes:
        names: of all pictures, in the order asked for. The i-th image of an array is ``FILE[i]``.
        errors: for each name why there is no image, or None.
        images: (n, 3072) uint8, channel-major rows, of the names without an error.
    """

    names: tuple[str, ...]
    errors: tuple[str | None, ...]
    images: NDArray[np.uint8]


def read_batches(sources: Sequence[str], stdin: BinaryIO) -> Iterator[PhotoBatch]:
    """Read pictures a few hundred at a time; what cannot be read is named and passed over.

    Args:
        sources: image files; ``-`` for one picture from ``stdin``; ``.npy`` files that hold uint8
            images of shape (N, 32, 32, 3), RGB.
        stdin: where ``-`` reads from.
    """
    with warnings.catch_warnings():
        # Pillow warns about much that does not keep a picture from being read.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for group in _groups(sources):
            if group[0].endswith(".npy"):
                yield from _read_array(group[0])
            else:
                yield _read_files(group, stdin)


def read_photo(data: bytes) -> NDArray[np.uint8]:
    """Turn the bytes of an image file into one row, (3072,) uint8, channel-major.

    Raises:
        DataError: these bytes are no picture, or one that is damaged, too large, or of a kind that
            has no certain meaning in 8-bit RGB.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format in _FOREIGN_FORMATS:
                raise DataError(f"{image.format} files are programs, which are not run")
            pixels = np.asarray(_small_rgb(image))
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError("not an image that Pillow knows") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"more than {Image.MAX_IMAGE_PIXELS:,} pixels") from error
    except Exception as error:
        # Decoders raise whatever the damage makes them stumble over.
        raise DataError(f"a damaged image: {error}") from error
    return pixels.transpose(2, 0, 1).reshape(PIXELS)


def _groups(sources: Sequence[str]) -> Iterator[list[str]]:
    """Cut the sources into arrays, each by itself, and runs of files."""
    group: list[str] = []
    for source in sources:
        is_array = source.endswith(".npy")
        if group and (is_array or len(group) == _CHUNK):
            yield group
            group = []
        group.append(source)
        if is_array:
            yield group
            group = []
    if group:
        yield group


def _read_files(sources: Sequence[str], stdin: BinaryIO) -> PhotoBatch:
    large = [source for source in sources if _is_large(source)]
    done = _read_in_threads(large) if len(large) > 1 else {}
    results = [done[s] if s in done else _read_file(s, stdin) for s in sources]
    return _batch(sources, results)


def _is_large(source: str) -> bool:
    """Whether decoding takes so long that a second thread pays; it is a loss on small files."""
    try:
        return source != STDIN and Path(source).stat().st_size > _LARGE_BYTES
    except OSError:
        return False


def _read_in_threads(sources: Sequence[str]) -> dict[str, NDArray[np.uint8] | str]:
    from concurrent.futures import ThreadPoolExecutor

    # Loading its plugins on demand is not something Pillow does safely from several threads.
    Image.init()
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        return dict(zip(sources, pool.map(_read_file, sources), strict=True))


def _read_file(source: str, stdin: BinaryIO | None = None) -> NDArray[np.uint8] | str:
    """One picture, or why there is none."""
    try:
        if source == STDIN and stdin is not None:
            return read_photo(_read_bounded(stdin))
        with Path(source).open("rb", buffering=0) as stream:
            return read_photo(_read_bounded(stream))
    except DataError as error:
        return error.message
    except OSError as error:
        return error.strerror or str(error)


def _read_bounded(stream: BinaryIO) -> bytes:
    # Not all at once: read(n) makes room for n bytes before it knows how many there are.
    parts, size = [], 0
    while part := stream.read(_READ_BYTES):
        parts.append(part)
        size += len(part)
        if size > _MOST_BYTES:
            raise DataError(f"more than {_MOST_BYTES >> 20} MB")
    return b"".join(parts)


def _batch(names: Sequence[str], results: Sequence[NDArray[np.uint8] | str]) -> PhotoBatch:
    rows = [result for result in results if not isinstance(result, str)]
    return PhotoBatch(
        tuple(names),
        tuple(result if isinstance(result, str) else None for result in results),
        np.stack(rows) if rows else np.empty((0, PIXELS), np.uint8),
    )


def _read_array(source: str) -> Iterator[PhotoBatch]:
    """The images of a ``.npy`` file, mapped rather than read: it may be larger than memory."""
    try:
        images = np.load(source, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        yield _batch([source], [error.strerror or str(error)])
        return
    except (ValueError, EOFError, SyntaxError) as error:
        yield _batch([source], [f"not a .npy file of plain numbers: {error}"])
        return
    if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE, 3):
        got = f"{images.dtype} of shape {images.shape}"
        yield _batch([source], [f"expected uint8 of shape (N, {SIDE}, {SIDE}, 3), got {got}"])
        return
    for start in range(0, len(images), _CHUNK):
        part = np.asarray(images[start : start + _CHUNK])
        names = tuple(f"{source}[{start + i}]" for i in range(len(part)))
        rows = part.transpose(0, 3, 1, 2).reshape(len(part), PIXELS)
        yield PhotoBatch(names, (None,) * len(part), rows)


def _small_rgb(image: Image.Image) -> Image.Image:
    """Bring an image of any size and mode to 32 x 32 RGB."""
    orientation = _orientation(image)
    if image.size != (SIDE, SIDE):
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        cut = image.crop((left, top, left + side, top + side))
        image = _rgb(cut).resize((SIDE, SIDE), Image.Resampling.BOX)
    elif image.mode != "RGB" or "transparency" in image.info:
        image = _rgb(image)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _orientation(image: Image.Image) -> int:
    """How the picture is to be turned; upright where damaged EXIF data does not say."""
    with contextlib.suppress(LookupError, SyntaxError, TypeError, ValueError, struct.error):
        return int(image.getexif().get(_ORIENTATION, 1))
    return 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise DataError("expected 8 or 16 bits per channel, got floating point numbers")
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > _RANGE_OF_16_BITS:
        raise DataError(
            f"expected 8 or 16 bits per channel, got values from {values.min()} to {values.max()}"
        )
    rounded = (values * 255 + _RANGE_OF_16_BITS // 2) // _RANGE_OF_16_BITS
    return Image.fromarray(rounded.astype(np.uint8))
