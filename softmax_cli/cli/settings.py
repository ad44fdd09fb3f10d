"""Settings of a command, from its configuration, overrides and options."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softmax_cli.config.schema import TrainConfig


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
