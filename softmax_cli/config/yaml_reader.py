r"""A strict reader for the YAML of this project, with the line and column of every value.

It is the YAML 1.2 core schema without its surprises: ``true`` and ``false`` are the only booleans,
``1e-3`` and ``.5`` are numbers, there are no dates, no base 60, no octal, and ``010`` is text.
Anchors, aliases, tags, merge keys, several documents and keys that are not text are refused, and so
is a file that is neither UTF-8 nor marked as UTF-16, too large or too deeply nested.

The document is built from PyYAML's event stream. Its composer is recursive, and the one written in
C overflows the stack on deep nesting before anyone could count the levels; the event parsers keep
their state on the heap, and reading stops at the first level too many. From PyYAML 6.0.4 on the one
in C refuses a thousand levels by itself; then the one in Python says which level is the first.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from softmax_cli.config.problems import (
    KeyPath,
    Place,
    Problem,
    Value,
    configuration_error,
    printable,
    shown,
)
from softmax_cli.errors import ConfigurationError
from softmax_cli.runs.text import decode

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16

EVENT_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TOO_DEEP_FOR_C = "exceeded maximum nesting depth"

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


@dataclass
class Document:
    """What a YAML text says and where it says it.

    Attributes:
        value: the content in JSON's types.
        places: of the document, key path ``()``, and of every key and list item in it.
        problems: what is wrong with the content apart from its syntax, such as a duplicate key.
    """

    value: Value
    places: dict[KeyPath, Place]
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: KeyPath) -> Place:
        """Where the value at a key path was written, or else the nearest mapping around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.places[()]

    def forget_places(self, path: KeyPath) -> None:
        """Drop the places of a value, and of all inside it, that is about to be replaced."""
        kept = (known for known in self.places if known[: len(path)] != path)
        self.places = {known: self.places[known] for known in kept}


def read_yaml_file(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigurationError: if the file cannot be read, is neither UTF-8 nor UTF-16 with a byte
            order mark, is larger than ``MAX_BYTES``, is not YAML, or is nested deeper than
            ``MAX_DEPTH``.
    """
    source, content = str(path), _file_bytes(path)
    try:
        text = decode(content)
    except UnicodeDecodeError as error:
        complaint = f"expected {error.encoding.upper()} text, got a stray byte at {error.start}"
        raise _refusal(source, complaint) from error
    return read_yaml(text, source)


def _file_bytes(path: Path) -> bytes:
    """All bytes of a regular file of acceptable size; anything else could block or never end."""
    source = str(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "something else, such as a pipe"
            raise _refusal(source, f"expected a YAML file, got {kind}")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _refusal(source, f"expected a readable YAML file, got: {reason}") from error
    if len(content) > MAX_BYTES:
        raise _refusal(source, f"expected at most {MAX_BYTES // 1024} KiB, got more")
    return content


def read_yaml(text: str, source: str, *, place: Place | None = None) -> Document:
    """Read one YAML document.

    Args:
        text: the document.
        source: how messages name it.
        place: where all of it stands, if lines of the text mean nothing to the user.

    Raises:
        ConfigurationError: if the text is not YAML, is empty, holds several documents, or is
            nested deeper than ``MAX_DEPTH``.
    """
    if "\0" in text:
        raise _refusal(source, "expected text, got a NUL byte")
    try:
        return _document(text, source, place)
    except yaml.MarkedYAMLError as error:
        at = place or _marked_place(source, error.problem_mark or error.context_mark)
        complaint = f"expected YAML, got a syntax error: {printable(_what_is_wrong(error))}"
        raise configuration_error([Problem(at, (), complaint)]) from error
    except yaml.YAMLError as error:
        complaint = f"expected YAML, got text that cannot be read: {printable(str(error))}"
        raise _refusal(source, complaint) from error
    except (ValueError, OverflowError) as error:
        # PyYAML lets these through: escapes and directives with numbers beyond all bounds, and
        # arguments of the command line that are no Unicode.
        complaint = "expected YAML, got characters or directives that do not exist"
        raise _refusal(source, complaint) from error


def _document(text: str, source: str, place: Place | None) -> Document:
    try:
        return _DocumentBuilder(yaml.parse(text, Loader=EVENT_LOADER), source, place).document()
    except yaml.MarkedYAMLError as error:
        if error.problem != _TOO_DEEP_FOR_C:
            raise
    # The scanner in C runs ahead of its events and so refuses before any level could be counted.
    return _DocumentBuilder(yaml.parse(text, Loader=yaml.SafeLoader), source, place).document()


def _marked_place(source: str, mark: "yaml.error.Mark | yaml._yaml.Mark | None") -> Place:
    """A place as PyYAML marks it: counted from 0, if it is known."""
    return Place(source, mark.line + 1, mark.column + 1) if mark else Place(source)


def _what_is_wrong(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)


def _refusal(source: str, complaint: str) -> ConfigurationError:
    return configuration_error([Problem(Place(source), (), complaint)])


def scalar_value(text: str) -> bool | int | float | str | None:
    """What a plain (unquoted) scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if _LEADING_ZERO.fullmatch(text):
        return text
    if _INTEGER.fullmatch(text) and len(text) < 400:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class _DocumentBuilder:
    """Turns the events of one YAML text into a ``Document``."""

    def __init__(self, events: Iterator[yaml.Event], source: str, place: Place | None) -> None:
        self.source = source
        self.fixed_place = place
        self.places: dict[KeyPath, Place] = {}
        self.problems: list[Problem] = []
        self.events = events

    def document(self) -> Document:
        """The one document of the text."""
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise _refusal(self.source, "expected settings, got an empty file")
        self.places[()] = self.place(start)
        value = self.node(next(self.events), ())
        next(self.events)
        if not isinstance(after := next(self.events), yaml.StreamEndEvent):
            self.complain(after, (), "expected one document, got a second one")
        return Document(value, self.places, self.problems)

    def place(self, event: yaml.Event) -> Place:
        """Where an event begins."""
        mark = event.start_mark
        return self.fixed_place or _marked_place(self.source, mark)

    def complain(self, event: yaml.Event, path: KeyPath, complaint: str) -> None:
        """Note a problem and go on."""
        self.problems.append(Problem(self.place(event), path, complaint))

    def node(self, event: yaml.Event, path: KeyPath) -> Value:
        """The value that begins with an event."""
        self.refuse_references(event, path)
        if isinstance(event, yaml.ScalarEvent):
            if _CONTROL_CHARACTER.search(event.value):
                complaint = f"expected no control characters, got {shown(event.value)}"
                self.complain(event, path, complaint)
            return event.value if event.style else scalar_value(event.value)
        if isinstance(event, yaml.CollectionStartEvent) and len(path) >= MAX_DEPTH:
            complaint = f"expected at most {MAX_DEPTH} levels, got more"
            raise configuration_error([Problem(self.place(event), (), complaint)])
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.mapping(path) if isinstance(event, yaml.MappingStartEvent) else None

    def refuse_references(self, event: yaml.Event, path: KeyPath) -> None:
        """Complain about what would make a value mean more than it says."""
        if isinstance(event, yaml.AliasEvent):
            alias = printable(str(event.anchor))
            self.complain(event, path, f"expected a value, got the alias *{alias}")
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            if event.anchor:
                self.complain(event, path, f"expected no anchors, got &{printable(event.anchor)}")
            if event.tag:
                self.complain(event, path, f"expected no tags, got {shown(event.tag)}")

    def sequence(self, path: KeyPath) -> list[Value]:
        """The items up to the end of a sequence."""
        items: list[Value] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            item_path = (*path, len(items))
            self.places[item_path] = self.place(event)
            items.append(self.node(event, item_path))
        return items

    def mapping(self, path: KeyPath) -> dict[str, Value]:
        """The entries up to the end of a mapping."""
        entries: dict[str, Value] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, (*path, "(key)"))
            if not isinstance(key, str) or key == "<<":
                self.complain(event, path, f"expected a name as key, got {shown(key)}")
                self.node(next(self.events), (*path, shown(key)))
                continue
            entry_path = (*path, key)
            if key in entries:
                first = self.places[entry_path]
                self.complain(event, entry_path, f"expected a key once, got it after {first}")
            self.places[entry_path] = self.place(event)
            entries[key] = self.node(next(self.events), entry_path)
        return entries
