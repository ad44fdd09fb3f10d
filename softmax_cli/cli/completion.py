"""What shells offer at the Tab key for the values of options and arguments.

Where nothing is offered, they complete the names of files by themselves.
"""

from pathlib import Path

import typer

Offer = tuple[str, str]
"""A word, and what it means, which some shells show."""


def complete_preset(incomplete: str) -> list[Offer]:
    """The presets whose names begin with a text."""
    from softmax_cli.config.presets import preset_description, preset_names

    return [(n, preset_description(n)) for n in preset_names() if n.startswith(incomplete)]


def complete_config(ctx: typer.Context, incomplete: str) -> list[Offer]:
    """The presets for a command, and the YAML files in the current folder.

    A path that leads elsewhere is left to the shell, as are names that it would have to quote.
    """
    from softmax_cli.config.presets import preset_kind
    from softmax_cli.paths import quoted

    if incomplete.startswith("~") or Path(incomplete).name != incomplete:
        return []
    presets = [p for p in complete_preset(incomplete) if preset_kind(p[0]) == ctx.info_name]
    files = sorted(Path().glob("*.y*ml"))
    plain = [file.name for file in files if quoted(file) == file.name]
    return presets + [(name, "a file") for name in plain if name.startswith(incomplete)]


def complete_published(incomplete: str) -> list[Offer]:
    """The data sets that can be downloaded."""
    from softmax_cli.data.datasets import DATASETS

    published = {n: spec.publication.title for n, spec in DATASETS.items() if spec.publication}
    return [(name, title) for name, title in published.items() if name.startswith(incomplete)]
