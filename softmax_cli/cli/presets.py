"""``softmax presets``: list the shipped configurations, or print one."""

import sys
from typing import Annotated

import typer

from softmax_cli.cli.options import Format, OutputFormat
from softmax_cli.cli.output import Output
from softmax_cli.cli.tables import FactsTable


def presets(
    name: Annotated[str | None, typer.Argument(help="Print this preset's YAML.")] = None,
    form: Format = OutputFormat.TABLE,
) -> None:
    """List the shipped configurations, or print one.

    Save one to a file to make it your own: softmax presets cs231n > mine.yaml
    """
    from softmax_cli.config.presets import preset_description, preset_names, preset_text

    output = Output(form, quiet=False)
    if name is None:
        descriptions = {preset: preset_description(preset) for preset in preset_names()}
        document = {"presets": [{"name": k, "description": v} for k, v in descriptions.items()]}
        output.result(document, lambda: FactsTable(descriptions))
    elif form is OutputFormat.JSON:
        output.result({"name": name, "text": preset_text(name)}, lambda: "")
    else:
        sys.stdout.write(preset_text(name))
