import shlex
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace

import pytest

from softmax_cli import paths
from softmax_cli.errors import ConfigurationError
from softmax_cli.paths import expand_home, quoted


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_tilde_at_the_start_is_the_home(home: Path) -> None:
    assert expand_home("~") == str(home)
    assert Path(expand_home("~/")) == home
    assert Path(expand_home("~/my data/x")) == home / "my data/x"


@pytest.mark.parametrize("path", ["data", "", "-", "a~", "a/~/b", "./~", "./~/data", "/~"])
def test_anywhere_else_it_is_part_of_a_name(path: str) -> None:
    assert expand_home(path) == path


def test_another_user_can_be_named() -> None:
    pwd = pytest.importorskip("pwd")
    user = pwd.getpwall()[0]
    assert expand_home(f"~{user.pw_name}/data") == f"{user.pw_dir.rstrip('/')}/data"


@pytest.mark.skipif(sys.platform == "win32", reason="any user may have a home beside one's own")
def test_an_unknown_user_is_an_error_unless_a_file_has_that_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="got ~no-such-user/x: the home folder") as caught:
        expand_home("~no-such-user/x")
    assert "./~no-such-user" in str(caught.value.hint)
    (tmp_path / "~$report.png").touch()
    assert expand_home("~$report.png") == "~$report.png"


def test_without_a_home_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    pwd = pytest.importorskip("pwd")

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(ConfigurationError, match="the home folder of ~ is not known"):
        expand_home("~/data")


@pytest.mark.parametrize(
    "name", ["runs/a", "with a blank", "it's", 'say "x"', "$HOME", "a;b", "größer", "a\\b", "*"]
)
def test_a_shell_of_posix_takes_a_quoted_path_for_one_argument(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(paths, "sys", SimpleNamespace(platform="linux"))
    assert shlex.split(quoted(PurePosixPath(name))) == [name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (r"runs\train\demo-001", r"runs\train\demo-001"),
        (r"C:\My Documents\run", r'"C:\My Documents\run"'),
        (r"a&b", '"a&b"'),
        (r"it's", '"it\'s"'),
    ],
)
def test_cmd_and_powershell_take_a_quoted_path_for_one_argument(
    monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.setattr(paths, "sys", SimpleNamespace(platform="win32"))
    assert quoted(PureWindowsPath(name)) == expected
