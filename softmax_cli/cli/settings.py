"""Settings of a command, from its configuration, overrides and options."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from softmax_cli.config.schema import TrainConfig


def refuse_with_resume(why: str, **options: object) -> None:
    """Refuse options that mean nothing beside ``--resume``.

    Args:
        why: what a run that is resumed does instead.
        options: their values by the names of their parameters; those that were not given are
            false, None or empty.

    Raises:
        typer.BadParameter: some were given; all of them are named.
    """
    names = {name: f"--{name.replace('_', '-')}" for name in options} | {"overrides": "KEY=VALUE"}
    absent: tuple[object, ...] = (None, False, [])
    # A seed of 0 equals False, but is given.
    given = [names[k] for k, v in options.items() if v not in absent or type(v) is int]
    if given:
        raise typer.BadParameter(f"{why}: leave out {', '.join(given)}")


def train_settings(
    source: str | None, overrides: Sequence[str], *, data_dir: Path | None, seed: int | None
) -> "TrainConfig":
    """Settings of a training.

    Args:
        source: preset or file; None for the defaults.
        overrides: ``KEY=VALUE`` each. They win over the options, which may come from the
            environment.
        data_dir: ``--data-dir``.
        seed: ``--seed``.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    from softmax_cli.config.loading import load_train_config

    config = load_train_config(source, overrides)
    return with_options(config, overrides, data_dir=data_dir, seed=seed)


def with_options(
    config: "TrainConfig", overrides: Sequence[str], *, data_dir: Path | None, seed: int | None
) -> "TrainConfig":
    """Settings with ``--data-dir`` and ``--seed`` put in, where no override gives the same."""
    from softmax_cli.config.loading import with_values

    overridden = {override.partition("=")[0] for override in overrides}
    options = {"data.dir": str(data_dir) if data_dir else None, "seed": seed}
    values = {k: v for k, v in options.items() if v is not None and k not in overridden}
    return with_values(config, values, source="command line") if values else config
