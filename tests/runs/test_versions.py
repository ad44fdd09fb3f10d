"""Which version of softmax wrote a file is said, if it can be known and be shown."""

import pytest

from softmax_cli import __version__
from softmax_cli.runs.versions import other_format, stated_version


def test_the_version_of_this_program_can_be_stated() -> None:
    assert stated_version(__version__) == __version__


@pytest.mark.parametrize("value", ["0.3.1", "1.0rc1", "0.4.dev3+g1a2b3c", "1!2.0"])
def test_versions_are_taken_as_they_are(value: str) -> None:
    assert stated_version(value) == value


@pytest.mark.parametrize("value", [None, 3, ["0.3.1"], "", "0.3 1", "\x1b[31m", "1" * 41, "1\n"])
def test_what_is_no_version_is_not_shown(value: object) -> None:
    assert stated_version(value) is None


def test_a_newer_format_asks_for_its_version_or_a_newer_one() -> None:
    message, hint = other_format(4, 1, "9.3.1")
    assert message == (
        f"written by softmax 9.3.1 (format 4); this is softmax {__version__}, which reads format 1"
    )
    assert hint == "Install softmax 9.3.1 or newer."


def test_an_older_format_asks_for_its_version() -> None:
    assert other_format(1, 2, "0.0.1")[1] == "Use softmax 0.0.1, which wrote it."


@pytest.mark.parametrize(
    ("found", "hint"),
    [
        (4, "A newer version of softmax wrote it: install that one."),
        (1, "Use the version of softmax that wrote it."),
        ("'x'", "Use the version of softmax that wrote it."),
    ],
)
def test_without_a_version_the_hint_says_what_is_known(found: object, hint: str) -> None:
    message, given = other_format(found, 2, None)
    assert message.startswith(f"written in format {found}; this is softmax {__version__}")
    assert given == hint
