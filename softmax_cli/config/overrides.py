"""``KEY=VALUE``: changing single settings of a document, from the command line or a program."""

import re
from collections.abc import Callable, Iterable

from softmax_cli.config.problems import KeyPath, Place, Problem, Value, dotted, shown
from softmax_cli.config.yaml_reader import MAX_DEPTH, Document, read_yaml
from softmax_cli.errors import ConfigurationError

COMMAND_LINE = Place("command line")

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")

# Settings that exclude one another: setting one on top of a file takes the other away.
_ALTERNATIVES: dict[KeyPath, str] = {
    ("data", "validation"): "validation_size",
    ("training", "iterations"): "epochs",
    ("training", "epochs"): "iterations",
    ("base",): "train",
    ("train",): "base",
}

# Settings whose value may be a plain name: short for a mapping with this one key.
_SHORTHANDS: dict[KeyPath, str] = {
    ("features",): "kind",
    ("optimizer", "schedule"): "kind",
    ("train", "features"): "kind",
}


def key_path(key: str) -> KeyPath:
    """The path that a dotted name means in a file of a training."""
    return tuple(key.split("."))


def apply_overrides(
    document: Document, overrides: Iterable[str], locate: Callable[[str], KeyPath] = key_path
) -> None:
    """Change a document by texts of the form ``KEY=VALUE``: a dotted name and a YAML value.

    What is wrong with them is added to the document's problems. Validation checks later whether the
    model has such keys and takes such values.

    Args:
        document: what to change.
        overrides: the texts, applied in this order.
        locate: where in the document the value of a dotted name stands.
    """
    given: set[str] = set()
    for text in overrides:
        key, sign, written = text.partition("=")
        key = key.strip()
        if not sign or not _KEY.fullmatch(key):
            example = "optimizer.momentum=0.9"
            _complain(document, (), f"expected KEY=VALUE such as {example}, got {shown(text)}")
        elif key in given:
            _complain(document, locate(key), f"expected a key once, got it again as {shown(text)}")
        else:
            given.add(key)
            _set_from_text(document, locate(key), written)


def set_value(document: Document, path: KeyPath, value: Value, place: Place) -> None:
    """Set one value of a document, making the mappings around it where there are none.

    If something else than a mapping stands in the way, or the path is deeper than any document may
    be, that is added to the document's problems.
    """
    if len(path) > MAX_DEPTH:
        complaint = f"expected at most {MAX_DEPTH} levels, got {len(path)}"
        document.problems.append(Problem(place, path, complaint))
        return
    parent = document.value
    for depth in range(1, len(path)):
        if depth > 1 and isinstance(parent, dict):  # who gives a key of a mapping gives the mapping
            _drop_alternative(document, parent, path[:depth], value, place)
        parent = _child_mapping(parent, path[:depth])
        if parent is None:
            complaint = f"expected a mapping at {dotted(path[:depth])} to set a key of, got a value"
            document.problems.append(Problem(place, path, complaint))
            return
        document.places.setdefault(path[:depth], place)
    if isinstance(parent, dict):
        _drop_alternative(document, parent, path, value, place)
        parent[str(path[-1])] = value
        document.forget_places(path)
        document.places[path] = place


def _complain(document: Document, path: KeyPath, complaint: str) -> None:
    document.problems.append(Problem(COMMAND_LINE, path, complaint))


def _set_from_text(document: Document, path: KeyPath, written: str) -> None:
    """Set a value that is written in YAML."""
    try:
        setting = read_yaml(written, COMMAND_LINE.source, place=COMMAND_LINE)
    except ConfigurationError:
        _complain(document, path, f"expected a YAML value behind the =, got {shown(written)}")
        return
    for problem in setting.problems:
        _complain(document, (*path, *problem.path), problem.complaint)
    set_value(document, path, setting.value, COMMAND_LINE)


def _child_mapping(parent: Value, path: KeyPath) -> dict[str, Value] | None:
    """The mapping at the end of a path, made if there is nothing; None for another value."""
    if not isinstance(parent, dict):
        return None
    name = str(path[-1])
    child = parent.get(name)
    if child is None:
        child = {}
    elif isinstance(child, str) and path[-2:] in _SHORTHANDS:
        child = {_SHORTHANDS[path[-2:]]: child}
    if not isinstance(child, dict):
        return None
    parent[name] = child
    return child


def _drop_alternative(
    document: Document, parent: dict[str, Value], path: KeyPath, value: Value, place: Place
) -> None:
    """Forget the setting that excludes the one now given, unless it came from the same place."""
    other = _ALTERNATIVES.get(path[-2:])
    if other and value is not None and document.places.get((*path[:-1], other)) != place:
        parent.pop(other, None)
