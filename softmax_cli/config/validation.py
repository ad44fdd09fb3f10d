"""From what a document says to checked settings, or to a list of everything that is wrong with it.

pydantic finds the problems; here they get their place in the file and this project's words.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from softmax_cli.config.problems import (
    PROBLEMS_SOUGHT,
    KeyPath,
    Problem,
    configuration_error,
    dotted,
    nearest,
    printable,
    shown,
)
from softmax_cli.config.yaml_reader import Document

Model = TypeVar("Model", bound=BaseModel)

# Behind the name of such a field, and of each of a sweep's parameters, pydantic's locations carry
# the tag of the form that was chosen.
FIELDS_WITH_FORMS = frozenset({"features", "schedule", "search", "temperature"})

EXPECTED = {
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_type": "a whole number",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "a mapping of settings",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "some text",
    "string_type": "text",
    "too_long": "at most {max_length} values",
    "too_short": "at least {min_length} value",
    "tuple_type": "a list",
    "union_tag_invalid": "one of {expected_tags}",
}

MISSING = "expected a value, got none: this key is missing"


def validated(model: type[Model], document: Document) -> Model:
    """Check a document against a model.

    Raises:
        ConfigurationError: with every problem of the document, those of its reader included.
    """
    settings, problems = checked(model, document)
    if settings is None or problems:
        raise configuration_error(problems)
    return settings


def checked(model: type[Model], document: Document) -> tuple[Model | None, list[Problem]]:
    """The settings in a document, if they are valid, and its problems, if there are not too many.

    Of those that only the model finds, ``PROBLEMS_SOUGHT`` are told.
    """
    try:
        return model.model_validate(document.value), list(document.problems)
    except ValidationError as error:
        known = {problem.path for problem in document.problems}
        findings = islice(error.errors(include_url=False), PROBLEMS_SOUGHT)
        found = (_problem(model, document, details) for details in findings)
        return None, [
            *document.problems,
            *(problem for problem in found if problem.path not in known),
        ]


def known_keys(model: type[BaseModel]) -> Iterator[str]:
    """Dotted names of all settings of a model, sections included."""
    for name, field in model.model_fields.items():
        yield name
        for section in _models_in(field.annotation):
            yield from (f"{name}.{key}" for key in known_keys(section))


def whole_number_keys(model: type[BaseModel]) -> Iterator[str]:
    """Dotted names of the settings that take whole numbers only."""
    for name, field in model.model_fields.items():
        types = set(_types_in(field.annotation))
        if int in types and float not in types:
            yield name
        for section in _models_in(field.annotation):
            yield from (f"{name}.{key}" for key in whole_number_keys(section))


def _problem(model: type[BaseModel], document: Document, details: ErrorDetails) -> Problem:
    """Translate one of pydantic's findings."""
    location, kind, context = details["loc"], details["type"], details.get("ctx", {})
    path, models = _locate(model, location[:-1] if kind == "extra_forbidden" else location)
    match kind:
        case "extra_forbidden":
            path = (*path, location[-1])
            complaint = _unknown_key(model, models, path)
        case "missing":
            complaint = MISSING
        case "union_tag_not_found":
            path = (*path, "kind")
            complaint = MISSING
        case "union_tag_invalid":
            # The kind stands in a line of its own, unless it is all that was written.
            written = (*path, "kind")
            path = written if written in document.places else path
            complaint = _wrong_value(kind, context, details)
        case "complaint":
            path = (*path, *context.get("path", ()))
            complaint = context.get("text") or f"{details['msg']}, got {shown(details['input'])}"
        case _:
            complaint = _wrong_value(kind, context, details)
    return Problem(document.place(path), path, complaint, joint="path" in context)


def _wrong_value(kind: str, context: dict[str, Any], details: ErrorDetails) -> str:
    """Say what was expected in the place of a value."""
    template = EXPECTED.get(kind)
    expected = template.format_map(_readable(context)) if template else printable(details["msg"])
    value = context["tag"] if kind == "union_tag_invalid" else details["input"]
    choices = re.findall(r"'(\w+)'", expected)
    question = nearest(value, choices) if isinstance(value, str) else ""
    return f"expected {expected}, got {shown(value)}{question}"


def _readable(context: dict[str, Any]) -> dict[str, Any]:
    """The bounds in a finding, 1.0 as 1."""
    return {k: f"{v:g}" if isinstance(v, float) else v for k, v in context.items()}


def _unknown_key(root: type[BaseModel], models: Sequence[type[BaseModel]], path: KeyPath) -> str:
    """Say which keys are known in the place of an unknown one."""
    name = str(path[-1])
    known = list(dict.fromkeys(key for model in models for key in model.model_fields))
    section = dotted(path[:-1])
    question = nearest(name, known).replace("mean ", f"mean {section}." if section else "mean ")
    if not question:
        elsewhere = [key for key in known_keys(root) if key.endswith("." + name)]
        elsewhere = [key for key in elsewhere if key != dotted(path)]
        question = f"; did you mean {elsewhere[0]}?" if elsewhere else ""
    return f"expected one of {', '.join(known)}, got an unknown key{question}"


def _locate(
    model: type[BaseModel], location: Sequence[str | int]
) -> tuple[KeyPath, list[type[BaseModel]]]:
    """Follow one of pydantic's locations: the key path it means and the models that apply there."""
    path: list[str | int] = []
    models = [model]
    expect_tag = False
    for part in location:
        in_parameters = path[-1:] == ["parameters"]
        if expect_tag:
            models = [form for form in models if _tag(form) in (part, None)]
        else:
            path.append(part)
            if not in_parameters:
                fields = (form.model_fields.get(str(part)) for form in models)
                models = [
                    form for field in fields if field for form in _models_in(field.annotation)
                ]
        expect_tag = not expect_tag and (in_parameters or part in FIELDS_WITH_FORMS)
    return tuple(path), models


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models a field's annotation mentions."""
    yield from (found for found in _types_in(annotation) if issubclass(found, BaseModel))


def _types_in(annotation: object) -> Iterator[type]:
    """The types a field's annotation mentions."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for argument in get_args(annotation):
        yield from _types_in(argument)


def _tag(form: type[BaseModel]) -> str | None:
    """What ``kind`` says in this form of a setting; None for a form without that key."""
    kind = form.model_fields.get("kind")
    return get_args(kind.annotation)[0] if kind else None
