"""What differs between two sets of settings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel


def differing_keys(
    then: Any, now: Any, prefix: str = "", *, ignored: Collection[str] = ()
) -> list[str]:
    """Say which settings differ, as ``"optimizer.momentum: 0.9, now 0.0"``, a line each.

    Args:
        then: nested settings as :func:`softmax_cli.config.writing.plain_values` gives them.
        now: the same, to be compared with ``then``.
        prefix: dotted key of both in their whole; a line for what has none begins with the value.
        ignored: dotted keys that may differ.
    """
    if not isinstance(then, Mapping) or not isinstance(now, Mapping):
        return [] if then == now else [f"{prefix}: {then}, now {now}".removeprefix(": ")]
    lines = []
    for key in then.keys() | now.keys():
        name = f"{prefix}.{key}" if prefix else key
        if name not in ignored:
            lines += differing_keys(then.get(key), now.get(key), name, ignored=ignored)
    return sorted(lines)


def differing_settings(
    configs: Sequence[BaseModel], *, ignored: Collection[str] = ()
) -> dict[str, list[Any]]:
    """The settings in which several configurations differ, by dotted key.

    Args:
        configs: of one kind.
        ignored: dotted keys that are left out.

    Returns:
        Dotted key -> its value in each of the configurations, in the order of the schema.
    """
    return {key: row for key, row in _rows(configs) if key not in ignored and _differ(row)}


def _rows(parts: Sequence[BaseModel], prefix: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Dotted keys and their values, also of what is left out of files at its default.

    Sections of one kind are entered; where their kinds differ they are values as a whole.
    """
    for name in type(parts[0]).model_fields:
        values, key = [getattr(part, name) for part in parts], f"{prefix}{name}"
        if len(set(map(type, values))) == 1 and isinstance(values[0], BaseModel):
            yield from _rows(values, f"{key}.")
        else:
            yield key, [v.model_dump() if isinstance(v, BaseModel) else v for v in values]


def _differ(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values)
