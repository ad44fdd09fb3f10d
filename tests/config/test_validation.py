"""From what a document says to checked settings, or to all that is wrong with it."""

from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import Field

from softmax_cli.config.feature_schema import FeatureSettings
from softmax_cli.config.loading import load_train_config, with_values
from softmax_cli.config.problems import PROBLEMS_SOUGHT, Place, Problem, Value, dotted
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.settings import Settings
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.config.validation import checked, known_keys, validated, whole_number_keys
from softmax_cli.config.writing import plain_values
from softmax_cli.config.yaml_reader import Document, read_yaml
from softmax_cli.errors import ConfigurationError


class Oven(Settings):
    """Settings that have nothing to do with classifiers."""

    heat: Annotated[float, Field(gt=0, lt=300)] = 180.0
    mode: Literal["fan", "grill"] = "fan"
    shelves: list[int] = Field(default=[1], min_length=1, max_length=3)


class Kitchen(Settings):
    oven: Oven = Oven()
    stove: Oven | None = None
    name: str
    plates: int | None = None
    weight: int | float = 1


def read(text: str) -> Document:
    return read_yaml(text, "x.yaml")


def found(text: str, model: type[Settings] = TrainConfig) -> list[Problem]:
    """All problems of a text; there are some."""
    settings, problems = checked(model, read(text))
    assert problems
    assert settings is None or read(text).problems
    return problems


def the_one(text: str, model: type[Settings] = TrainConfig) -> tuple[int, str, str]:
    """Line, dotted key and complaint of the only problem of a text."""
    (problem,) = found(text, model)
    return problem.place.line, dotted(problem.path), problem.complaint


def test_valid_settings_come_back_without_problems() -> None:
    document = read("name: mine\noven: {heat: 200}\n")
    settings, problems = checked(Kitchen, document)
    assert settings == Kitchen(name="mine", oven=Oven(heat=200.0)) == validated(Kitchen, document)
    assert problems == []


def test_problems_of_the_reader_refuse_settings_that_would_be_valid() -> None:
    document = read("name: mine\nname: yours\n")
    settings, problems = checked(Kitchen, document)
    assert settings is not None
    assert [problem.path for problem in problems] == [("name",)]
    with pytest.raises(ConfigurationError, match=r"x\.yaml:2: name: expected a key once"):
        validated(Kitchen, document)


def test_what_the_reader_complained_of_is_not_complained_of_again() -> None:
    problems = found("name: mine\nname: 3\nplates: many\n", Kitchen)
    assert [(problem.path, problem.place.line) for problem in problems] == [
        (("name",), 2),
        (("plates",), 3),
    ]


@pytest.mark.parametrize(
    ("text", "line", "path", "complaint"),
    [
        ("name: 3", 1, "name", "expected text, got 3"),
        ("name: a\nplates: 1.5", 2, "plates", "expected a whole number, got 1.5"),
        ("name: a\nplates: x", 2, "plates", 'expected a whole number, got "x"'),
        ("name: a\nplates: true", 2, "plates", "expected a whole number, got true"),
        ("oven: {}", 1, "name", "expected a value, got none: this key is missing"),
        ("[1]", 1, "", "expected a mapping of settings, got [1]"),
        ("name: a\noven: hot", 2, "oven", 'expected a mapping of settings, got "hot"'),
        ("name: a\nstove:\n  heat: x", 3, "stove.heat", 'expected a number, got "x"'),
    ],
)
def test_a_problem_is_told_in_this_project_s_words_where_it_stands(
    text: str, line: int, path: str, complaint: str
) -> None:
    assert the_one(text, Kitchen) == (line, path, complaint)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("heat: 0", "expected a number above 0, got 0"),
        ("heat: 300", "expected a number below 300, got 300"),
        ("heat: .nan", "expected a finite number, got NaN"),
        ("mode: gril", "expected 'fan' or 'grill', got \"gril\"; did you mean grill?"),
        ("shelves: []", "expected at least 1 value, got []"),
        ("shelves: [1, 2, 3, 4]", "expected at most 3 values, got [1, 2, 3, 4]"),
        ("shelves: 1", "expected a list, got 1"),
    ],
)
def test_bounds_and_choices_are_spelled_out(text: str, complaint: str) -> None:
    line, path, found_complaint = the_one(f"name: a\noven:\n  {text}", Kitchen)
    assert (line, path) == (3, f"oven.{text.partition(':')[0]}")
    assert found_complaint == complaint


def test_an_item_of_a_list_has_a_number_and_a_line_of_its_own() -> None:
    text = "name: a\noven:\n  shelves:\n    - 1\n    - x\n"
    assert the_one(text, Kitchen) == (
        5,
        "oven.shelves[1]",
        'expected a whole number, got "x"',
    )


@pytest.mark.parametrize(
    ("text", "path", "complaint"),
    [
        ("name: a\nplate: 1", "plate", "got an unknown key; did you mean plates?"),
        ("name: a\noven: {heet: 1}", "oven.heet", "did you mean oven.heat?"),
        ("name: a\nheat: 1", "heat", "did you mean oven.heat?"),
        ("name: a\noven: {zzz: 1}", "oven.zzz", "expected one of heat, mode, shelves, got an"),
        ("name: a\nstove: {mood: fan}", "stove.mood", "did you mean stove.mode?"),
    ],
)
def test_an_unknown_key_is_answered_with_those_of_its_place_and_the_nearest(
    text: str, path: str, complaint: str
) -> None:
    _, found_path, found_complaint = the_one(text, Kitchen)
    assert found_path == path
    assert complaint in found_complaint
    assert ("did you mean" in found_complaint) == ("did you mean" in complaint)


@pytest.mark.parametrize(
    ("text", "line", "path", "complaint"),
    [
        ("optimizer:\n  schedule: steps", 2, "schedule", 'got "steps"; did you mean step?'),
        ("optimizer:\n  schedule:\n    kind: steps", 3, "schedule.kind", "did you mean step?"),
        ("optimizer:\n  schedule:\n    warmup: 3", 2, "schedule.kind", "this key is missing"),
        (
            "optimizer:\n  schedule:\n    kind: step\n    every: 0",
            4,
            "schedule.every",
            "expected a number of at least 1, got 0",
        ),
        (
            "optimizer:\n  schedule:\n    kind: step\n    final: 0",
            4,
            "schedule.final",
            "expected one of kind, warmup, every, factor, got an unknown key",
        ),
    ],
)
def test_of_the_forms_of_a_setting_the_one_that_was_chosen_speaks(
    text: str, line: int, path: str, complaint: str
) -> None:
    found_line, found_path, found_complaint = the_one(text)
    assert (found_line, found_path) == (line, f"optimizer.{path}")
    assert complaint in found_complaint


def test_the_forms_of_parameters_are_told_by_name_and_position() -> None:
    text = """\
train: {}
parameters:
  schedule: [1]
  optimizer.momentum: {low: x, high: 1, num: 3}
  optimizer.schedule:
    - cosine
  seed: 3
"""
    problems = found(text, SweepConfig)
    places = {problem.path: problem.place.line for problem in problems}
    assert places == {("parameters", "optimizer.momentum", "low"): 4, ("parameters", "seed"): 7}


def test_settings_that_only_together_are_wrong_are_marked() -> None:
    problems = found("optimizer:\n  nesterov: true\nseed: x\n")
    joint = {problem.path: problem.joint for problem in problems}
    assert joint == {("optimizer", "nesterov"): True, ("seed",): False}


def test_a_document_of_many_problems_is_not_searched_to_its_end() -> None:
    text = "name: a\n" + "".join(f"k{n}: 1\n" for n in range(5 * PROBLEMS_SOUGHT))
    assert len(found(text, Kitchen)) == PROBLEMS_SOUGHT


def test_without_places_a_problem_stands_where_the_document_does() -> None:
    document = Document({"oven": {"heat": -1}, "name": "a"}, {(): Place("parameters")})
    with pytest.raises(ConfigurationError) as caught:
        validated(Kitchen, document)
    assert caught.value.message == "parameters: oven.heat: expected a number above 0, got -1"


def dotted_keys(values: dict[str, Any], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for key, value in values.items():
        keys.add(f"{prefix}{key}")
        if isinstance(value, dict):
            keys |= dotted_keys(value, f"{prefix}{key}.")
    return keys


def test_known_keys_are_those_of_sections_and_of_every_form() -> None:
    assert list(known_keys(Kitchen)) == [
        "oven", "oven.heat", "oven.mode", "oven.shelves",
        "stove", "stove.heat", "stove.mode", "stove.shelves",
        "name", "plates", "weight",
    ]  # fmt: skip
    known = set(known_keys(TrainConfig))
    assert dotted_keys(plain_values(TrainConfig())) <= known
    assert {"optimizer.schedule.every", "model.temperature.start", "training.epochs"} <= known


def test_whole_numbers_are_told_from_numbers() -> None:
    assert list(whole_number_keys(Kitchen)) == [
        "oven.shelves", "stove.shelves", "plates",
    ]  # fmt: skip


def kind_with(key: str) -> str:
    """A kind of features that has this key, if it is one of features."""
    name = key.removeprefix("features.")
    kinds = [kind for kind in get_args(FeatureSettings) if name in kind.model_fields]
    return str(get_args(kinds[0].model_fields["kind"].annotation)[0]) if kinds else "pixels"


WHOLE = {
    "features.cell_size": 4,
    "features.cell_hue_bins": 4,
    "features.filters": 8,
    "features.patch_size": 5,
    "features.regions": 2,
    "features.stride": 2,
}
"""Other values than the default, of keys that 3 does not suit."""


@pytest.mark.parametrize("key", sorted(set(whole_number_keys(TrainConfig))))
def test_a_whole_number_setting_takes_whole_numbers_alone(key: str) -> None:
    sgd: dict[str, Value] = {
        "features": kind_with(key),
        "optimizer.schedule": {"kind": "step"},
        "training.early_stopping": {"patience": 2},
    }
    of_sgd = with_values(TrainConfig(), sgd)
    base = load_train_config("optimum") if key == "optimizer.max_iterations" else of_sgd
    assert with_values(base, {key: WHOLE.get(key, 3)}) != base
    with pytest.raises(ConfigurationError, match=r"expected a whole number, got 2\.5"):
        with_values(base, {key: 2.5})
