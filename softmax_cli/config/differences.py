"""What differs between two sets of settings."""

from collections.abc import Collection, Mapping
from typing import Any


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
