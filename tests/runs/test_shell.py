"""Paths that hints show can be pasted, whatever is in them."""

import shlex
from pathlib import PurePosixPath, PureWindowsPath
from types import SimpleNamespace

import pytest

from softmax_cli.runs import shell
from softmax_cli.runs.shell import quoted


@pytest.mark.parametrize(
    "name", ["runs/a", "with a blank", "it's", 'say "x"', "$HOME", "a;b", "größer", "a\\b", "*"]
)
def test_a_shell_of_posix_takes_it_for_one_argument(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(shell, "sys", SimpleNamespace(platform="linux"))
    assert shlex.split(quoted(PurePosixPath(name))) == [name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (r"runs\train\demo-001", r"runs\train\demo-001"),
        (r"C:\Users\größer\runs", r"C:\Users\größer\runs"),
        (r"\\server\share\run", r"\\server\share\run"),
        (r"C:\My Documents\run", r'"C:\My Documents\run"'),
        ("C:/My Documents/", r'"C:\My Documents"'),
        (r"a&b", '"a&b"'),
        (r"a,b", '"a,b"'),
        (r"it's", '"it\'s"'),
        (r"run (1)", '"run (1)"'),
    ],
)
def test_cmd_and_powershell_take_it_for_one_argument(
    monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.setattr(shell, "sys", SimpleNamespace(platform="win32"))
    assert quoted(PureWindowsPath(name)) == expected
