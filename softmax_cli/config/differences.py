"""What differs between two sets of settings."""

from collections.abc import Mapping
from typing import Any


def differing_keys(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Say which settings differ, as ``"optimizer.momentum: 0.9, now 0.0"``, a line each.

    Args:
        then: nested settings as :func:`softmax_cli.config.writing.plain_values` gives them.
        now: the same, to be compared with ``then``.
        prefix: dotted key of both in their whole.
    """
    lines = []
    for key in then.keys() | now.keys():
        old, new, name = then.get(key), now.get(key), f"{prefix}{key}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines += differing_keys(old, new, f"{name}.")
        elif old != new:
            lines.append(f"{name}: {old}, now {new}")
    return sorted(lines)
