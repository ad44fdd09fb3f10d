"""The default settings with one value changed."""

from typing import Any

import pytest

from softmax_cli.config.problems import Place, Value
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.validation import validated
from softmax_cli.config.yaml_reader import Document
from softmax_cli.errors import ConfigurationError


def load(key: str, value: Any) -> TrainConfig:
    """The defaults with one value at a dotted key of one or two parts."""
    section, _, name = key.partition(".")
    document: dict[str, Value] = {section: {name: value} if name else value}
    return validated(TrainConfig, Document(document, {(): Place("x.yaml")}))


def refusal(key: str, value: Any) -> str:
    """The one line that says why they are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(key, value)
    assert len(caught.value.message.splitlines()) == 1
    assert caught.value.message.startswith(f"x.yaml: {key}")
    return caught.value.message
