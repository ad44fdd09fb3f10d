"""Options and arguments that several commands share."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from softmax_cli.cli.completion import complete_config
from softmax_cli.errors import ConfigurationError
from softmax_cli.paths import expand_home

DATA_DIR_VARIABLE = "SOFTMAX_DATA_DIR"


class OutputFormat(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


def parse_path_text(text: str) -> str:
    """Parse an option or argument that may name a file: a ``~`` at its start is the home."""
    try:
        return expand_home(text)
    except ConfigurationError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error


def parse_path(text: str | Path) -> Path:
    """Parse a path; every option and argument that takes one names this as its parser."""
    parsed = Path(parse_path_text(str(text)))
    # What has been expanded, or was not meant to be, is not to be expanded where it is used.
    return parsed.absolute() if str(parsed).startswith("~") else parsed


def directory(name: str, help: str, *, envvar: str | None = None) -> Any:  # noqa: A002 - as typer
    """An option whose value is the path of a directory."""
    return typer.Option(name, parser=parse_path, metavar="DIR", envvar=envvar, help=help)


Format: TypeAlias = Annotated[
    OutputFormat,
    typer.Option("--format", help="Print results as a table, or as one JSON document."),
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no messages, only results.")
]
Verbose: TypeAlias = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Print details, such as the versions of numpy and BLAS."),
]
DataDir: TypeAlias = Annotated[
    Path | None,
    directory(
        "--data-dir",
        "Folder that contains that of the data set. [default: data.dir of the configuration]",
        envvar=DATA_DIR_VARIABLE,
    ),
]


def _use_threads(count: int | None) -> int | None:
    if count is not None:
        from softmax_cli.threads import use_threads

        use_threads(count)
    return count


Threads: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        max=1024,
        callback=_use_threads,
        help="The most threads to compute with. [default: the cores that this process may use]",
    ),
]
Seed: TypeAlias = Annotated[
    int | None, typer.Option("--seed", help="Seed, in place of the configuration's.")
]
Config: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--config",
        "-c",
        parser=parse_path_text,
        autocompletion=complete_config,
        metavar="FILE_OR_PRESET",
        help="YAML file, or name of a preset.",
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


def _refuse_nan(temperature: float | None) -> float | None:
    if temperature is not None and math.isnan(temperature):
        raise typer.BadParameter("expected a number, got nan")
    return temperature


Temperature: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        min=1e-6,
        max=1e6,
        callback=_refuse_nan,
        help="Temperature of the probabilities. [default: the one of the training]",
    ),
]
Run: TypeAlias = Annotated[
    Path, typer.Argument(parser=parse_path, help="Run directory, or a model file.")
]
RunDir: TypeAlias = Annotated[
    Path | None,
    directory("--run-dir", "Directory for this run. [default: a new one below runs/]"),
]
Resume: TypeAlias = Annotated[
    Path | None, directory("--resume", "Go on with the unfinished run in DIR.")
]
Overwrite: TypeAlias = Annotated[
    bool, typer.Option("--overwrite", help="Replace the run that --run-dir holds.")
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
]
