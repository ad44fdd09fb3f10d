"""``softmax presets``: list the shipped configurations, or print one, or a schema of them."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from softmax_cli.cli import options
from softmax_cli.cli.completion import complete_preset
from softmax_cli.cli.output import Output
from softmax_cli.cli.tables import FactsTable


class SchemaKind(StrEnum):
    """Configurations that there is a schema of."""

    TRAIN = "train"
    SWEEP = "sweep"


def presets(
    name: Annotated[
        str | None,
        typer.Argument(help="Print this preset's YAML.", autocompletion=complete_preset),
    ] = None,
    schema: Annotated[
        SchemaKind | None,
        typer.Option("--schema", help="Print the JSON schema of such files, for an editor."),
    ] = None,
    form: options.Format = options.OutputFormat.TABLE,
) -> None:
    """List the shipped configurations, or print one.

    Save one to a file to make it your own: softmax presets cs231n > mine.yaml

    Its second line tells editors where the installed schema is. For a file that goes to another
    machine, save the schema beside it, too, and name that copy in this line.
    """
    from softmax_cli.config.presets import (
        preset_description,
        preset_names,
        preset_text_elsewhere,
        schema_path,
    )

    if name is not None and schema is not None:
        raise typer.BadParameter("name a preset or --schema, not both")
    output = Output(form, quiet=False)
    if schema is not None:
        path = schema_path(schema.value)
        text = path.read_text(encoding="utf-8")
        document: dict[str, object] = {"schema": schema.value, "path": path, "uri": path.as_uri()}
    elif name is not None:
        text = preset_text_elsewhere(name)
        document = {"name": name}
    else:
        descriptions = {preset: preset_description(preset) for preset in preset_names()}
        listed = [{"name": k, "description": v} for k, v in descriptions.items()]
        output.result({"presets": listed}, lambda: FactsTable(descriptions))
        return
    if form is options.OutputFormat.JSON:
        output.result({**document, "text": text}, lambda: "")
    else:
        sys.stdout.write(text)
