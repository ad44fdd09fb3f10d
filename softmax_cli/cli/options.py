"""Options and arguments that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class OutputFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


Format: TypeAlias = Annotated[
    OutputFormat,
    typer.Option("--format", help="Print results as a table, or as one JSON document."),
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no messages, only results.")
]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", help="More about what is being done, and with what.")
]
DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="SOFTMAX_DATA_DIR",
        help="Folder that contains cifar-10-batches-py/. [default: data.dir of the configuration]",
    ),
]
Seed: TypeAlias = Annotated[
    int | None, typer.Option("--seed", help="Seed, in place of the configuration's.")
]
Config: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--config", "-c", metavar="FILE_OR_PRESET", help="YAML file, or name of a preset."
    ),
]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        help="Settings by dotted key, such as optimizer.learning_rate=1e-7.",
        show_default=False,
    ),
]
RunDir: TypeAlias = Annotated[
    Path | None,
    typer.Option("--run-dir", help="Directory for this run. [default: a new one below runs/]"),
]
Resume: TypeAlias = Annotated[
    Path | None,
    typer.Option("--resume", metavar="DIR", help="Go on with the unfinished run in DIR."),
]
Overwrite: TypeAlias = Annotated[
    bool, typer.Option("--overwrite", help="Replace the run that --run-dir holds.")
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
]
