"""The Typer app: every subcommand is registered here."""

from typing import Annotated

import typer

from softmax_cli import __version__
from softmax_cli.cli.benchmark import benchmark
from softmax_cli.cli.compare import compare
from softmax_cli.cli.download import download
from softmax_cli.cli.evaluate import evaluate
from softmax_cli.cli.features import features
from softmax_cli.cli.predict import predict
from softmax_cli.cli.presets import presets
from softmax_cli.cli.report import report
from softmax_cli.cli.sweep import sweep
from softmax_cli.cli.train import train
from softmax_cli.cli.visualize import visualize

app = typer.Typer(
    help="Train and tune linear softmax classifiers on CIFAR-10.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    download,
    train,
    sweep,
    evaluate,
    compare,
    visualize,
    report,
    predict,
    features,
    benchmark,
    presets,
)

for command in COMMANDS:
    app.command()(command)


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
