"""Text is the same whatever mark an editor puts before it."""

from pathlib import Path

import pytest

from softmax_cli.runs.text import decode, read_text

TEXT = "a: größer 図\r\nb: 1\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "file").write_bytes(TEXT.encode(encoding))
    assert read_text(tmp_path / "file") == TEXT


def test_both_byte_orders_are_read() -> None:
    assert decode(b"\xfe\xff\0a\0b") == decode(b"\xff\xfea\0b\0") == "ab"


def test_only_the_first_mark_is_none_of_the_text() -> None:
    assert decode(b"\xef\xbb\xbf\xef\xbb\xbfa") == "\ufeffa"


@pytest.mark.parametrize(
    "data", [b"a\xff", b"\xef\xbb\xbf\xff", b"\xff\xfea\0\0", b"\xff\xfe\0\xd8"]
)
def test_what_is_no_text_is_an_error(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(data)
    assert "\ufffd" in decode(data, errors="replace")
