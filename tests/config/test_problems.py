"""What is wrong in a configuration, and how that is put to the user."""

from dataclasses import replace
from typing import Any

import pytest

from softmax_cli.config.problems import (
    PROBLEMS_SHOWN,
    TEXT_SHOWN,
    KeyPath,
    Place,
    Problem,
    configuration_error,
    dotted,
    nearest,
    printable,
    shown,
)

HERE = Place("train.yaml", 3, 1)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("train.yaml", 3, 7), "train.yaml:3"),
        (Place("command line"), "command line"),
        (Place("a\nb.yaml", 1), '"a\\nb.yaml":1'),
    ],
)
def test_a_place_is_a_source_and_a_line_if_it_has_lines(place: Place, text: str) -> None:
    assert str(place) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("optimizer", "momentum"), "train.yaml:3: optimizer.momentum: expected a number"),
        ((), "train.yaml:3: expected a number"),
        (("seed",), "train.yaml:3: seed: expected a number"),
    ],
)
def test_a_problem_is_a_place_a_name_and_a_complaint(path: KeyPath, text: str) -> None:
    assert str(Problem(HERE, path, "expected a number")) == text


def test_problems_come_in_the_order_in_which_they_were_written() -> None:
    problems = [
        Problem(Place("command line"), ("a",), "first in no file"),
        Problem(Place("train.yaml", 10, 1), ("b",), "third"),
        Problem(Place("train.yaml", 2, 9), ("c",), "second"),
        Problem(Place("train.yaml", 2, 3), ("d",), "first"),
        Problem(Place("base.yaml", 50, 1), ("e",), "of another file"),
        Problem(Place("command line"), ("f",), "second in no file"),
    ]
    error = configuration_error(problems, hint="Look again.")
    assert [line.partition(": ")[2] for line in error.message.splitlines()] == [
        "e: of another file",
        "d: first",
        "c: second",
        "b: third",
        "a: first in no file",
        "f: second in no file",
    ]
    assert error.hint == "Look again."


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (PROBLEMS_SHOWN, PROBLEMS_SHOWN)])
def test_few_problems_are_all_spelled_out(count: int, lines: int) -> None:
    problems = [Problem(replace(HERE, line=n + 1), ("k",), "bad") for n in range(count)]
    assert len(configuration_error(problems).message.splitlines()) == lines


def test_of_many_problems_the_first_are_spelled_out() -> None:
    problems = [Problem(replace(HERE, line=n + 1), ("k",), "bad") for n in range(1000)]
    lines = configuration_error(reversed(problems)).message.splitlines()
    assert lines[:-1] == [str(problem) for problem in problems[:PROBLEMS_SHOWN]]
    assert lines[-1] == "... and more"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), ""),
        (("seed",), "seed"),
        (("optimizer", "schedule", "kind"), "optimizer.schedule.kind"),
        (("parameters", "model.temperature", 2, "start"), "parameters.model.temperature[2].start"),
        ((0, 1), "[0][1]"),
        (("a\x1b[2J", "b"), '"a\\u001b[2J".b'),
    ],
)
def test_names_are_written_as_users_write_them(path: KeyPath, name: str) -> None:
    assert dotted(path) == name


def test_the_name_of_a_long_path_is_shortened() -> None:
    assert len(dotted(tuple("abc" for _ in range(10_000)))) < 5 * TEXT_SHOWN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", '"text"'),
        ("0.1", '"0.1"'),
        ("a\nb\x1b", '"a\\nb\\u001b"'),
        ("\ud800", '"\\ud800"'),
        (True, "true"),
        (None, "null"),
        (1e-3, "0.001"),
        (float("nan"), "NaN"),
        (10**59, "1" + "0" * 59),
        (10**60, "a whole number of more than 60 digits"),
        ([1, "a", None], '[1, "a", null]'),
        ({"kind": "step", "every": 5}, '{"kind": "step", "every": 5}'),
    ],
)
def test_values_are_shown_as_yaml_has_them(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_that_python_refuses_to_spell_out_is_described(sign: int) -> None:
    assert shown(sign * 10**5000) == "a whole number of more than 60 digits"


@pytest.mark.parametrize(
    "value", ["x" * 500, "\x00" * 500, list(range(500)), {str(n): n for n in range(500)}, object()]
)
def test_whatever_is_shown_is_short_and_safe_for_a_terminal(value: Any) -> None:
    text = shown(value)
    assert len(text) <= TEXT_SHOWN
    assert text.isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my data.yaml", "my data.yaml"),
        ("Maße", "Maße"),
        ("bell\a", '"bell\\u0007"'),
        ("two\nlines", '"two\\nlines"'),
        ("", ""),
    ],
)
def test_text_that_could_move_the_cursor_is_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_long_text_is_shortened() -> None:
    assert printable("x" * 240) == "x" * 240
    assert printable("x" * 241) == "x" * 240 + "..."
    assert printable("\n" * 10**6).isprintable()
    assert len(printable("\n" * 10**6)) < 1000


@pytest.mark.parametrize(
    ("word", "question"),
    [
        ("momentun", "; did you mean momentum?"),
        ("learning_rat", "; did you mean learning_rate?"),
        ("zebra", ""),
        ("", ""),
        ("momentum" + "m" * TEXT_SHOWN, ""),
    ],
)
def test_a_slip_of_the_pen_is_answered_with_the_nearest_word(word: str, question: str) -> None:
    assert nearest(word, ["learning_rate", "momentum", "nesterov"]) == question
    assert nearest(word, []) == ""
