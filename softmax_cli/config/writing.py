"""Checked settings as YAML that reads back to the same settings, and as a digest."""

import hashlib
import json
import re
from collections.abc import Iterator

from pydantic import BaseModel

from softmax_cli.config.problems import Value

_SAFE_TEXT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([./-][A-Za-z0-9_]+)*")
_NOT_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


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
    return "\n".join(_block(plain_values(config), "")) + "\n"


def _block(mapping: dict[str, Value], indent: str) -> Iterator[str]:
    """Lines of a mapping in block style."""
    for key, value in mapping.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{_flow(key)}:"
            yield from _block(value, indent + "  ")
        else:
            yield f"{indent}{_flow(key)}: {_flow(value)}"


def _flow(value: Value) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def _number(number: float) -> str:
    """The shortest decimal that reads back, with the dot that YAML 1.1 insists on."""
    digits, e, exponent = repr(number).partition("e")
    return digits + ("" if "." in digits or not e else ".0") + e + exponent


def _text(text: str) -> str:
    """Text as it is where no reader could take it for anything else, or else in double quotes."""
    if _SAFE_TEXT.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return '"' + "".join(map(_quoted_character, text)) + '"'


def _quoted_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08X}"
