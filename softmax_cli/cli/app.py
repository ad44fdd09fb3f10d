"""The Typer app: every subcommand is named here."""

from collections.abc import Callable
from importlib import import_module
from inspect import getdoc
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from softmax_cli import __version__

COMMANDS = (
    "download",
    "train",
    "sweep",
    "evaluate",
    "compare",
    "visualize",
    "report",
    "predict",
    "features",
    "benchmark",
    "presets",
)
"""In the order of the help; each is a function of that name in a file of that name."""


class CommandGroup(TyperGroup):
    """The subcommands, of which only the one that is called is built with its parameters.

    ``softmax --help`` shows no more of each than the first sentence of its help, and a command
    needs none of the others. Typer would import and build all of them, whatever is called.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name) for name in COMMANDS}

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002
        """A command as lists show it: with its help, without its parameters."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=getdoc(command_function(cmd_name)))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that is called or completed, with its parameters."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else None, rest


def load_command(name: str) -> TyperCommand:
    """A command with its parameters."""
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(command_function(name))
    return cast("TyperCommand", typer.main.get_command(alone))


def command_function(name: str) -> Callable[..., None]:
    """The function of a command."""
    return cast("Callable[..., None]", getattr(import_module(f"softmax_cli.cli.{name}"), name))


app = typer.Typer(
    cls=CommandGroup,
    help="Train and tune linear softmax classifiers on CIFAR-10.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"softmax {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Train and tune linear softmax classifiers on CIFAR-10."""
