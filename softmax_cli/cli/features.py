"""``softmax features``: the features that are kept on disk."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.cli.options import DataDir, Format, OutputFormat, Quiet, Verbose
from softmax_cli.cli.output import Output
from softmax_cli.cli.tables import Column, ResultTable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from softmax_cli.features.cache import KeptFeatures

_COLUMNS = (
    Column("kind", is_text=True),
    Column("images"),
    Column("features"),
    Column("size"),
    Column("made", is_text=True, is_optional=True),
    Column("settings", is_text=True, is_optional=True),
)


def features(
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove them all; they can be computed again.")
    ] = False,
    data_dir: DataDir = None,
    form: Format = OutputFormat.TABLE,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the features that are kept on disk, the newest first, or remove them.

    Features other than pixels are computed once for the same images and settings, and kept in the
    folder features/ of the data directory.
    """
    from dataclasses import asdict

    from softmax_cli.features.cache import FOLDER, clear_features, kept_features

    output = Output(form, quiet=quiet, verbose=verbose)
    directory = data_dir or Path("data")
    folder = directory / FOLDER
    if clear:
        files, size = clear_features(directory)
        output.result(
            {"folder": folder, "files": files, "bytes": size},
            lambda: f"{files} files removed from {folder}, {size / 1e6:.0f} MB",
        )
        return
    kept = kept_features(directory)
    if not kept:
        output.message(f"No features are kept in {folder}.")
    document = {"folder": folder, "features": [asdict(entry) for entry in kept]}
    output.result(document, lambda: _table(kept))


def _table(kept: "list[KeptFeatures]") -> "RenderableType":
    if not kept:
        return ""
    return ResultTable(
        _COLUMNS,
        [
            [
                str(entry.settings.get("kind")),
                f"{entry.images:,}",
                f"{entry.features:,}",
                f"{entry.size / 1e6:.0f} MB",
                time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.modified)),
                ", ".join(f"{k}={v}" for k, v in entry.settings.items() if k != "kind"),
            ]
            for entry in kept
        ],
    )
