"""What is wrong in a configuration, where it stands, and how that is put to the user."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from softmax_cli.errors import ConfigurationError

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
"""What a YAML file can say: JSON's types."""

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands in its document: names of keys and positions in lists, from the root."""

PROBLEMS_SHOWN = 20
PROBLEMS_SOUGHT = 100
"""A bound on time: a hostile file with many more problems could take seconds to check."""
TEXT_SHOWN = 60


@dataclass(frozen=True, order=True)
class Place:
    """Where something was written.

    Attributes:
        source: path of a file, or words such as "command line".
        line: counted from 1; 0 where the source has no lines.
        column: counted from 1; 0 where the source has no lines.
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        source = printable(self.source)
        return f"{source}:{self.line}" if self.line else source


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: where it was written.
        path: of the value in its document; empty for the document as a whole.
        complaint: what was expected and what came.
        joint: whether it takes several settings together to be wrong.
    """

    place: Place
    path: KeyPath
    complaint: str
    joint: bool = False

    def __str__(self) -> str:
        parts = (str(self.place), dotted(self.path), self.complaint)
        return ": ".join(part for part in parts if part)


def configuration_error(
    problems: Iterable[Problem], *, hint: str | None = None
) -> ConfigurationError:
    """Put all problems into one error, a line each: first those of files, as they were written.

    Returns:
        The error to raise; at most ``PROBLEMS_SHOWN`` problems are spelled out.
    """
    ordered = sorted(problems, key=lambda problem: (not problem.place.line, problem.place))
    lines = [str(problem) for problem in ordered[:PROBLEMS_SHOWN]]
    if len(ordered) > PROBLEMS_SHOWN:
        lines.append("... and more")
    return ConfigurationError("\n".join(lines), hint=hint)


def dotted(path: KeyPath) -> str:
    """Name of a value as users write it: ``optimizer.momentum`` for its two parts."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{printable(part)}"
    return _shortened(name.removeprefix("."))


def shown(value: object) -> str:
    """Quote a value the way YAML's flow style would have it, shortened, safe for a terminal."""
    if isinstance(value, str):
        text = json.dumps(value[: TEXT_SHOWN + 1])
    elif isinstance(value, int) and abs(value) >= 10**TEXT_SHOWN:
        # Python refuses to spell out integers beyond some thousand digits.
        text = "a whole number of more than 60 digits"
    else:
        text = json.dumps(value, default=str)
    return text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 3] + "..."


def printable(text: str) -> str:
    """Escape what could move a terminal's cursor and shorten what would fill its screen."""
    text = _shortened(text)
    return text if text.isprintable() else json.dumps(text)


def _shortened(text: str) -> str:
    return text if len(text) <= 4 * TEXT_SHOWN else text[: 4 * TEXT_SHOWN] + "..."


def nearest(word: str, known: Iterable[str]) -> str:
    """Question after a slip of the pen: ``"; did you mean demo?"``, or nothing."""
    matches = difflib.get_close_matches(word, known, n=1) if len(word) <= TEXT_SHOWN else []
    return f"; did you mean {matches[0]}?" if matches else ""
