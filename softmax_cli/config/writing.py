"""Checked settings as YAML that reads back to the same settings, and as a digest."""

import hashlib
import json
import sys

import yaml
from pydantic import BaseModel

from softmax_cli.config.problems import Value
from softmax_cli.config.yaml_reader import scalar_value


def plain_values(config: BaseModel) -> dict[str, Value]:
    """All values of settings, defaults included, in JSON's types and in the order of the file."""
    values: dict[str, Value] = config.model_dump(mode="json")
    return values


def config_digest(config: BaseModel) -> str:
    """Hex SHA-256 over all values, defaults included, as JSON with sorted keys and no spaces."""
    canonical = json.dumps(
        plain_values(config), sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def to_yaml(config: BaseModel) -> str:
    """Write settings out in full, so that reading the text gives equal settings.

    YAML 1.1 readers such as ``yaml.safe_load`` find the same values in it.
    """
    text: str = yaml.dump(
        plain_values(config),
        Dumper=_SettingsDumper,
        default_flow_style=False,
        sort_keys=False,
        allow_unicode=True,
        width=sys.maxsize,
    )
    return text


class _SettingsDumper(yaml.SafeDumper):
    """Writes mappings in blocks and lists on one line."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's interface
        """Never write an alias: the reader of this project refuses them."""
        return True


def _write_list(dumper: yaml.SafeDumper, items: list[Value]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # PyYAML quotes what YAML 1.1 takes for something else; the reader of this project is another.
    style = None if scalar_value(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_SettingsDumper.add_representer(list, _write_list)
_SettingsDumper.add_representer(str, _write_text)
