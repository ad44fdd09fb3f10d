"""The pictures that a run directory may hold.

Every picture of a run is written through :func:`write_picture`, which refuses other names.
So ``--overwrite`` removes what was drawn, and no files of the user.
"""

from pathlib import Path
from typing import Final, Literal, TypeAlias

from softmax_cli.runs.atomic import write_bytes

PictureFormat: TypeAlias = Literal["png", "svg", "pdf"]

PICTURE_FORMATS: Final[tuple[PictureFormat, ...]] = ("png", "svg", "pdf")

PICTURES: Final = (
    "curves",
    "weights",
    "dictionary",
    "patches",
    "confusion_matrix",
    "reliability",
    "mistakes",
    "heatmap",
    "comparison",
)
"""Names without suffix. To add a picture: its name here, and a function in ``plots/`` that draws it
from arrays."""

PICTURE_FILES: Final = frozenset(
    f"{name}.{suffix}" for name in PICTURES for suffix in PICTURE_FORMATS
)


def write_picture(directory: Path, name: str, suffix: PictureFormat, content: bytes) -> Path:
    """Write a picture into a directory, in place of an older one of its name; return its path.

    Raises:
        ValueError: it is not one of :data:`PICTURES`.
        OSError: writing failed; an older picture is still there.
    """
    path = directory / f"{name}.{suffix}"
    if path.name not in PICTURE_FILES:
        raise ValueError(f"expected one of {', '.join(PICTURES)}, got {path.name}")
    write_bytes(path, content)
    return path
