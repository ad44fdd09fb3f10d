"""Why a file cannot be read as a picture: it is damaged, or of a kind that is not supported."""

import io
import re
import struct
from collections.abc import Sequence

from PIL import Image, UnidentifiedImageError

from softmax_cli.data.decoder_messages import summary

_ADVICE = "convert it to PNG or JPEG first, for example with `magick FILE FILE.png`"
_HEAD_BYTES = 512
_PREFIX_BYTES = 16
# With these a plugin says to Pillow that the file is not for it.
_REFUSALS = (SyntaxError, IndexError, TypeError, struct.error)
# Kinds that people have beside their pictures, and that Pillow does not read.
_KINDS = {
    "HEIC, in which phones keep photos": rb"....ftyp(?:....)*?(?:hei[cxms]|hev[cxms])",
    "HEIF": rb"....ftypm[is]f1(?!(?:....)*?avi[fs])",
    "a raw photo of a camera": rb"....ftypcrx |FUJIFILMCCD-RAW|IIU\0|IIR[OS]|FOVb",
    "a video": rb"....ftyp(?:iso|mp4|M4V|qt |3g|avc1)|....(?:moov|mdat)|RIFF....AVI |\x1aE\xdf\xa3",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n",
    "PDF": rb"%PDF-",
    "SVG": rb"(?:\xef\xbb\xbf)?\s*<(?:svg|[?!](?!(?i:doctype html)).*?<svg)[\s>]",
}
_UNSUPPORTED = re.compile(
    r"^(?:unsupported|unimplemented|unknown (?!error|data organization)|unknown/"
    r"|cannot handle|cannot find loader|unable to determine|invalid value for samples per pixel)"
    r"|not (?:yet )?(?:supported|implemented|configured|installed|available)\b",
    re.IGNORECASE,
)


def explain(data: bytes, error: Exception) -> str:
    """Say in one line why Pillow gives no picture of these bytes.

    Args:
        data: the file.
        error: what Pillow raised.
    """
    for kind, pattern in _KINDS.items():
        if re.match(pattern, data[:_HEAD_BYTES], re.DOTALL):
            return _unsupported(kind)
    name, reason = _diagnosis(data, error)
    if name is None:
        return "not an image that Pillow knows"
    if _UNSUPPORTED.search(reason):
        return _unsupported(f"{name}: {reason}")
    return f"a damaged {name} image: {reason}"


def explain_with(message: str, lines: Sequence[str]) -> str:
    """Add to an explanation the lines that the decoder printed; it may know better."""
    if any(_UNSUPPORTED.search(line) for line in lines):
        return _unsupported(summary(lines))
    return f"{message} ({summary(lines)})"


def _unsupported(what: str) -> str:
    return f"not supported: {what}; {_ADVICE}"


def _diagnosis(data: bytes, error: Exception) -> tuple[str | None, str]:
    """The format that the first bytes speak of, and what is wrong."""
    for name in Image.ID:
        accepted = _accepts(name, data)
        if isinstance(accepted, str):
            return name, accepted
        if accepted:
            return name, _text(_refusal(name, data, error), name, data)
    return None, ""


def _accepts(name: str, data: bytes) -> bool | str:
    """Whether a plugin takes the file for its own, or the message why it cannot."""
    accept = Image.OPEN[name][1]
    try:
        return accept is not None and accept(data[:_PREFIX_BYTES])
    except _REFUSALS:
        return False


def _refusal(name: str, data: bytes, error: Exception) -> Exception:
    """What a plugin raised, where Pillow kept it to itself."""
    if isinstance(error, UnidentifiedImageError):
        try:
            Image.OPEN[name][0](io.BytesIO(data), "")
        except _REFUSALS as refusal:
            return refusal
    return error


def _text(error: Exception, name: str, data: bytes) -> str:
    if error.args and isinstance(error.args[0], KeyError):
        # The plugin has a table of what it reads, and this is not in it.
        return f"unknown code {error.args[0]}"
    text = str(error) or type(error).__name__
    if name == "BMP" and text == "not enough image data" and len(data) >= _size_of_bmp(data):
        return "unsupported run-length codes, which leave out pixels"
    return text


def _size_of_bmp(data: bytes) -> int:
    return int.from_bytes(data[2:6], "little")
