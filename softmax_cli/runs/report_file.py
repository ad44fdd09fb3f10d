"""The file of a report, which is written over an earlier report and over nothing else."""

from pathlib import Path

from softmax_cli.errors import RunDirectoryError
from softmax_cli.runs.atomic import make_directory, write_bytes

REPORT_NAME = "report.html"
GENERATOR = '<meta name="generator" content="softmax '
"""Stands near the beginning of every report, and tells it from other pages."""

_BEGINNING = 1000


def check_report_target(path: Path) -> None:
    """Refuse to put a report where something else is.

    Raises:
        RunDirectoryError: there is a directory, or a file that is no report of this program.
        OSError: what is there cannot be read.
    """
    if path.is_dir():
        raise RunDirectoryError(
            f"expected the file of a report, got a directory: {path}",
            hint=f"Name a file in it: --output {path / REPORT_NAME}",
        )
    if not path.exists():
        return
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    if beginning and GENERATOR.encode() not in beginning:
        raise RunDirectoryError(
            f"{path} exists and is not a report of softmax, so it is not replaced",
            hint="Name another file with --output.",
        )


def write_report(path: Path, page: str) -> int:
    """Write a page, in place of an earlier report; make the folder if it is missing.

    Returns:
        Its length in bytes.

    Raises:
        RunDirectoryError: something else than a report is there.
        OSError: writing failed; an earlier report is still there.
    """
    check_report_target(path)
    make_directory(path.parent)
    content = page.encode("utf-8")
    write_bytes(path, content)
    return len(content)
