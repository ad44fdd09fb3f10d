"""What the reader takes for a number, what it refuses, and where it says things stand."""

import contextlib
import os
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.config import yaml_reader
from softmax_cli.config.problems import Place
from softmax_cli.config.yaml_reader import (
    MAX_BYTES,
    MAX_DEPTH,
    read_yaml,
    read_yaml_file,
    scalar_value,
)
from softmax_cli.errors import ConfigurationError


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either of PyYAML's parsers."""
    if not hasattr(yaml, request.param):
        pytest.skip("this build of PyYAML has no parser in C")
    monkeypatch.setattr(yaml_reader, "EVENT_LOADER", getattr(yaml, request.param))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.0e-3", 0.001),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1E+2", -100.0),
        ("1e999", float("inf")),
        ("-.INF", float("-inf")),
        ("0", 0),
        ("-12", -12),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
    ],
)
def test_plain_scalars_that_mean_something(text: str, value: object) -> None:
    assert scalar_value(text) == value
    assert type(scalar_value(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    ["yes", "no", "on", "off", "010", "0o10", "0x1F", "1_000", "12:30:00", "2001-12-14", "1e", ".",
     "e3", "+", "nan", "inf", "\u0661", "tRUE"],
)  # fmt: skip
def test_plain_scalars_that_are_only_text(text: str) -> None:
    assert scalar_value(text) == text


def test_quoted_numbers_are_text() -> None:
    assert read_yaml('["1", \'1e3\', ""]', "x").value == ["1", "1e3", ""]


def test_an_enormous_whole_number_is_read_without_stalling() -> None:
    assert scalar_value("9" * 100_000) == float("inf")


@pytest.mark.usefixtures("_loader")
def test_places_are_kept() -> None:
    document = read_yaml("a: 1\nb:\n  - 2\n  - {c: 3}\n", "file.yaml")
    assert document.value == {"a": 1, "b": [2, {"c": 3}]}
    assert document.places == {
        (): Place("file.yaml", 1, 1),
        ("a",): Place("file.yaml", 1, 1),
        ("b",): Place("file.yaml", 2, 1),
        ("b", 0): Place("file.yaml", 3, 5),
        ("b", 1): Place("file.yaml", 4, 5),
        ("b", 1, "c"): Place("file.yaml", 4, 6),
    }
    assert document.place(("b", 1, "d")) == Place("file.yaml", 4, 5)


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: &x 1", "x.yaml:1: a: expected no anchors, got &x"),
        ("a: *x", "x.yaml:1: a: expected a value, got the alias *x"),
        ("a: !!str 1", "x.yaml:1: a: expected no tags"),
        ("a: !x [1]", "x.yaml:1: a: expected no tags"),
        ("a: !!binary aGk=", "x.yaml:1: a: expected no tags"),
        ("b: 1\n<<: {a: 1}", 'x.yaml:2: expected a name as key, got "<<"'),
        ("1: 2", "x.yaml:1: expected a name as key, got 1"),
        ("? [a, b]\n: 2", 'x.yaml:1: expected a name as key, got ["a", "b"]'),
        ("a: 1\nb: 2\na: 3", "x.yaml:3: a: expected a key once, got it after x.yaml:1"),
        ("a: 1\n---\nb: 2", "x.yaml:2: expected one document, got a second one"),
        ('a: "\\e[31m"', "x.yaml:1: a: expected no control characters"),
        ('a: "\\0"', "x.yaml:1: a: expected no control characters"),
    ],
)
def test_what_is_readable_but_refused(text: str, complaint: str) -> None:
    problems = [str(problem) for problem in read_yaml(text, "x.yaml").problems]
    assert any(problem.startswith(complaint) for problem in problems), problems


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [1", "expected YAML, got a syntax error: while parsing a flow sequence"),
        ("a: 1\n\tb: 2", "x.yaml:2: expected YAML, got a syntax error"),
        ("a: b: c", "x.yaml:1: expected YAML, got a syntax error"),
        ("", "x.yaml: expected settings, got an empty file"),
        ("# nothing\n", "x.yaml: expected settings, got an empty file"),
        ("a: \x01", "x.yaml: expected YAML, got text that cannot be read"),
        ("a: \0", "x.yaml: expected text, got a NUL byte"),
        ('a: "\\UFFFFFFFF"', "expected YAML, got"),
        ("%YAML 99999999999999999999.1\n---\na: 1", "expected YAML, got"),
        ("[" * 100_000, f"x.yaml:1: expected at most {MAX_DEPTH} levels, got more"),
        ("{a: " * 50_000, f"x.yaml:1: expected at most {MAX_DEPTH} levels, got more"),
        ("- " * 50_000, f"x.yaml:1: expected at most {MAX_DEPTH} levels, got more"),
        ("? " * 50_000, f"x.yaml:1: expected at most {MAX_DEPTH} levels, got more"),
        ("a: " + "[" * 1_000, f"x.yaml:1: expected at most {MAX_DEPTH} levels, got more"),
        ("[\n" * 50_000, f"x.yaml:17: expected at most {MAX_DEPTH} levels, got more"),
        ("{? [\n" * 50_000, f"x.yaml:9: expected at most {MAX_DEPTH} levels, got more"),
    ],
)
def test_what_is_no_acceptable_document(text: str, complaint: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(text, "x.yaml")
    assert complaint in caught.value.message
    assert time.perf_counter() - start < 1


def test_a_parser_that_counts_levels_itself_is_given_no_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The parser in C of PyYAML 6.0.4, whatever is installed: it complains before any event."""

    class Impatient(yaml.SafeLoader):
        def check_event(self, *_: object) -> bool:
            raise yaml.scanner.ScannerError(problem="exceeded maximum nesting depth")

    monkeypatch.setattr(yaml_reader, "EVENT_LOADER", Impatient)
    with pytest.raises(ConfigurationError, match=r"^x\.yaml:17: expected at most 16 levels"):
        read_yaml("[\n" * 2_000, "x.yaml")


@pytest.mark.parametrize("sign", ["&", "*"])
def test_a_long_name_is_shortened_in_the_message(sign: str) -> None:
    (problem,) = read_yaml(f"a: {sign}{'x' * 100_000}", "x.yaml").problems
    assert len(str(problem)) < 300


def test_an_alias_bomb_stays_small() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))]
    document = read_yaml("\n".join(lines), "bomb.yaml")
    assert isinstance(document.value, dict)
    assert document.value["a59"] == [None, None]


@pytest.mark.posix("named pipes")
def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: é".encode("latin-1"))
    (tmp_path / "unmarked.yaml").write_bytes("a: 1".encode("utf-16-le"))
    (tmp_path / "half.yaml").write_bytes("a: 1".encode("utf-16")[:-1])
    (tmp_path / "wide.yaml").write_bytes("a: é".encode("utf-16-le"))
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe.yaml")
    complaints = {
        "latin.yaml": "expected UTF-8 text",
        "unmarked.yaml": "expected text, got a NUL byte",
        "half.yaml": "expected UTF-16-LE text",
        "wide.yaml": "expected UTF-8 text",
        "large.yaml": "expected at most 256 KiB, got more",
        "pipe.yaml": "expected a YAML file, got something else",
        "absent.yaml": "No such file or directory",
        "nul\0.yaml": "embedded null",
        ".": "expected a YAML file, got a directory",
    }
    for name, complaint in complaints.items():
        with pytest.raises(ConfigurationError, match=complaint):
            read_yaml_file(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_skipped(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "marked.yaml"
    path.write_bytes("a: größer\r\n".encode(encoding))
    document = read_yaml_file(path)
    assert document.value == {"a": "größer"}
    assert document.places["a",].column == 1


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_what_windows_powershell_writes_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("\ufeffa: größer 図\r\nb: 1\r\n".encode(encoding))
    assert read_yaml_file(path).value == {"a": "größer 図", "b": 1}


def test_a_large_file_is_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("".join(f"key{i}: [1, 2, 3]\n" for i in range(12_000)))
    start = time.perf_counter()
    assert len(read_yaml_file(path).places) == 1 + 12_000 * 4
    assert time.perf_counter() - start < 5


@given(st.text(st.sampled_from("ab:- \n\t[]{},&*!|>'\"%@`#?~0.1eé\\<="), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert read_yaml(text, "x.yaml").places
