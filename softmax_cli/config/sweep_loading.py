"""From the name of a preset or a sweep file, and overrides, to a checked sweep."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from softmax_cli.config.loading import load_train_config, read_source, unknown_source
from softmax_cli.config.overrides import COMMAND_LINE, apply_overrides, key_path, set_value
from softmax_cli.config.presets import preset_names
from softmax_cli.config.problems import (
    PROBLEMS_SHOWN,
    PROBLEMS_SOUGHT,
    KeyPath,
    Problem,
    Value,
    configuration_error,
    shown,
)
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import (
    MAX_TRIALS,
    MAX_VALUES_IN_ALL,
    Axis,
    RandomSearch,
    Range,
    SweepConfig,
)
from softmax_cli.config.validation import checked, validated, whole_number_keys
from softmax_cli.config.writing import config_digest, plain_values
from softmax_cli.config.yaml_reader import Document, read_yaml_file
from softmax_cli.errors import ConfigurationError
from softmax_cli.paths import expand_home, quoted

WHOLE_NUMBER_KEYS = frozenset(whole_number_keys(TrainConfig))


def load_sweep_config(source: str, overrides: Sequence[str] = ()) -> SweepConfig:
    """Settings of a sweep, with the training they are based on written out.

    Every value of every parameter is checked as if it were the only change to the base. What only
    shows when values meet, such as nesterov without momentum, is left to the making of the trials.

    Args:
        source: name of a preset or path of a YAML file.
        overrides: ``KEY=VALUE`` each. KEY is a key of the sweep (``folds``), a key of the base
            (``training.iterations``) or a parameter (``parameters.optimizer.momentum``); ``seed``
            is the sweep's and ``train.seed`` the base's.

    Raises:
        ConfigurationError: with all problems of the file and the overrides, a line each.
    """
    document = read_source(source)
    own = [text for text in overrides if not _is_about_base(text)]
    apply_overrides(document, own, sweep_key_path)
    if isinstance(document.value, dict):
        _refuse_training(document, document.value, Path(source))
        _insert_base(document, document.value, Path(source).parent)
    apply_overrides(document, filter(_is_about_base, overrides), sweep_key_path)
    sweep = validated(SweepConfig, document)
    _refuse_too_many_values(sweep, document)
    values = islice(_value_problems(sweep, document), PROBLEMS_SOUGHT)
    if problems := [*_search_problems(sweep, document), *values]:
        raise configuration_error(problems)
    return sweep


def axis_values(key: str, axis: Axis) -> list[Value]:
    """The values of a parameter in a grid; of a range without ``num``, its two bounds.

    Args:
        key: dotted name of the parameter, which decides whether a range means whole numbers.
        axis: list or range.
    """
    if isinstance(axis, Range):
        return list(axis.points(whole=key in WHOLE_NUMBER_KEYS))
    return list(axis)


def listed_values(path: Path) -> dict[str, list[Value]]:
    """The values of each parameter of a sweep file that lists them, in the order of the file.

    The file is not checked: one of another version is read as far as it has such lists.
    """
    try:
        values = read_yaml_file(path).value
    except ConfigurationError:
        return {}
    parameters = values.get("parameters") if isinstance(values, dict) else None
    if not isinstance(parameters, dict):
        return {}
    return {key: axis for key, axis in parameters.items() if isinstance(axis, list)}


def sweep_key_path(key: str) -> KeyPath:
    """The path that a dotted name means in a sweep file."""
    head, *rest = key.split(".")
    if head == "parameters" and rest:
        if len(rest) > 1 and rest[-1] in Range.model_fields:
            return (head, ".".join(rest[:-1]), rest[-1])
        return (head, ".".join(rest))
    if head in TrainConfig.model_fields and head not in SweepConfig.model_fields:
        return ("train", head, *rest)
    return (head, *rest)


def _is_about_base(override: str) -> bool:
    """Whether an override changes a key inside of ``train``."""
    path = sweep_key_path(override.partition("=")[0].strip())
    return path[0] == "train" and len(path) > 1


def _refuse_training(document: Document, values: dict[str, Value], source: Path) -> None:
    """Say in one sentence that a file is of the other kind, instead of a line for each key."""
    if "parameters" not in values and not values.keys().isdisjoint(TrainConfig.model_fields):
        complaint = "expected a sweep with base and parameters, got the settings of a training"
        raise configuration_error(
            [Problem(document.place(()), (), complaint)],
            hint=f"Run it with: softmax train --config {quoted(source)}\n"
            "A sweep can name it as its base.",
        )


def _insert_base(document: Document, values: dict[str, Value], folder: Path) -> None:
    """Replace ``base: NAME`` by ``train:`` with the settings of that preset or file.

    A path is relative to the folder of the sweep file, or on the command line to the current one.
    """
    place = document.place(("base",))
    base, has_train = values.pop("base", None), "train" in values
    if has_train and base is None:
        return
    if has_train or base is None:
        found = "both" if has_train else "neither"
        complaint = f"expected exactly one of base and train, got {found}"
    else:
        try:
            source = _base_source(base, Path() if place == COMMAND_LINE else folder)
        except ConfigurationError as error:
            complaint = error.message
        else:
            values["train"] = plain_values(load_train_config(source))
            return
    document.problems.append(Problem(place, ("base",), complaint))
    values.setdefault("train", {})


def _base_source(base: Value, folder: Path) -> str:
    """The preset or the path that ``base`` names; a relative path starts from ``folder``.

    Raises:
        ConfigurationError: it names neither.
    """
    if base in preset_names():
        return str(base)
    source = str(folder / expand_home(str(base)))
    if isinstance(base, str) and os.path.lexists(source):
        return source
    raise unknown_source(shown(base), source)


def _refuse_too_many_values(sweep: SweepConfig, document: Document) -> None:
    """Each written value is checked as a training of its own, which takes its time."""
    count = sum(len(axis) for axis in sweep.parameters.values() if isinstance(axis, list))
    if count > MAX_VALUES_IN_ALL:
        path = ("parameters",)
        complaint = f"expected at most {MAX_VALUES_IN_ALL} values in all lists, got {count}"
        raise configuration_error([Problem(document.place(path), path, complaint)])


def _search_problems(sweep: SweepConfig, document: Document) -> Iterator[Problem]:
    """What is wrong with the parameters taken together."""
    random = isinstance(sweep.search, RandomSearch)
    for key, axis in sweep.parameters.items():
        path = ("parameters", key)
        if isinstance(axis, Range) and axis.num is None and not random:
            complaint = "expected num, as only a random search draws from a range without it"
            yield Problem(document.place(path), path, complaint)
        if inner := [other for other in sweep.parameters if other.startswith(f"{key}.")]:
            complaint = f"expected parameters apart from each other, got {inner[0]} inside of it"
            yield Problem(document.place(path), path, complaint)
    trials = math.prod(len(axis_values(*item)) for item in sweep.parameters.items())
    if trials > MAX_TRIALS and not random:
        complaint = f"expected at most {MAX_TRIALS} trials, got a grid of {trials}"
        yield Problem(document.place(("parameters",)), ("parameters",), complaint)


def _value_problems(sweep: SweepConfig, document: Document) -> Iterator[Problem]:
    """What is wrong with single values of the parameters."""
    for key, axis in sweep.parameters.items():
        digests, complaints, wrong = set(), set(), 0
        for path, value in _written_values(key, axis):
            if wrong == PROBLEMS_SHOWN:
                break
            place = document.place(path)
            trial = Document(plain_values(sweep.train), {(): place})
            set_value(trial, key_path(key), value, place)
            config, problems = checked(TrainConfig, trial)
            if config and (digest := config_digest(config)) in digests:
                problems.append(
                    Problem(place, (), f"expected new values, got {shown(value)} again")
                )
            elif config:
                digests.add(digest)
            wrong += bool(problems)
            for problem in problems:
                if not problem.joint and problem.complaint not in complaints:
                    complaints.add(problem.complaint)
                    yield replace(problem, path=(*path, *problem.path[len(key_path(key)) :]))


def _written_values(key: str, axis: Axis) -> Iterator[tuple[KeyPath, Value]]:
    """The values of a list, or the bounds of a range, and where in the document they stand."""
    path = ("parameters", key)
    if isinstance(axis, list):
        yield from (((*path, position), value) for position, value in enumerate(axis))
    else:
        values = axis_values(key, axis)
        yield from (((*path, "low"), values[0]), ((*path, "high"), values[-1]))
