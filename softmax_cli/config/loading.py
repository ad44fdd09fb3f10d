"""From the name of a preset or file, and overrides, to checked settings."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softmax_cli.config.overrides import apply_overrides, key_path, set_value
from softmax_cli.config.presets import preset_names, preset_text
from softmax_cli.config.problems import (
    Place,
    Problem,
    Value,
    configuration_error,
    nearest,
    printable,
)
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.validation import validated
from softmax_cli.config.writing import plain_values
from softmax_cli.config.yaml_reader import Document, read_yaml, read_yaml_file
from softmax_cli.errors import ConfigurationError
from softmax_cli.paths import quoted


def load_train_config(source: str | None, overrides: Sequence[str] = ()) -> TrainConfig:
    """Settings of a training.

    Args:
        source: name of a preset or path of a YAML file; None for the defaults.
        overrides: ``KEY=VALUE`` each, applied on top in this order.

    Raises:
        ConfigurationError: with all problems of the file and the overrides, a line each.
    """
    document = read_source(source)
    if isinstance(document.value, dict) and "parameters" in document.value:
        complaint = "expected the settings of a training, got those of a sweep"
        raise configuration_error(
            [Problem(document.place(()), (), complaint)],
            hint=f"Run it with: softmax sweep --config {quoted(Path(str(source)))}",
        )
    apply_overrides(document, overrides)
    return validated(TrainConfig, document)


def train_config_from_values(values: Mapping[str, Any]) -> TrainConfig:
    """Settings from the nested values that ``plain_values`` gave, such as those in a model file.

    Raises:
        ConfigurationError: with all problems of the values.
    """
    return validated(TrainConfig, Document(dict(values), {(): Place("settings")}))


def with_values(
    config: TrainConfig, values: Mapping[str, Value], *, source: str = "parameters"
) -> TrainConfig:
    """A copy with some settings changed; the given one stays as it is.

    Args:
        config: settings to start from.
        values: dotted keys and their new values. As on the command line, giving one of iterations
            and epochs takes the other away.
        source: how messages name the origin of the values.

    Raises:
        ConfigurationError: if a key is unknown or the values do not make valid settings.
    """
    place = Place(source)
    document = Document(plain_values(config), {(): place})
    for key, value in values.items():
        set_value(document, key_path(key), value, place)
    return validated(TrainConfig, document)


def read_source(source: str | None) -> Document:
    """The document behind a preset's name or a path; an empty mapping for None.

    Raises:
        ConfigurationError: if it is neither, or cannot be read as YAML.
    """
    if source is None:
        return Document({}, {(): Place("defaults")})
    if source in preset_names():
        return read_yaml(preset_text(source), f"{source}.yaml")
    if os.path.lexists(source):
        return read_yaml_file(Path(source))
    raise unknown_source(printable(source), source)


def unknown_source(written: str, source: str) -> ConfigurationError:
    """The error that a source is neither a preset nor a file.

    Args:
        written: how the message shows it.
        source: the path that it would be; the preset with the nearest name is suggested.
    """
    question = nearest(Path(source).stem, preset_names())
    return ConfigurationError(
        f"expected the name of a preset or a YAML file, got {written}{question}",
        hint=f"The presets are: {', '.join(preset_names())}.",
    )
