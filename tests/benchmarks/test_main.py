import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.task import Images


def test_the_guard_prints_the_ratio_and_needs_no_data(
    images: Images,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(command, "many_synthetic_images", lambda: images.train)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    arguments = ["step", "--repeats", "1", "--data-dir", str(tmp_path / "none")]
    assert command.main([*arguments, "--output", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "K = 1" in printed
    assert "K = 24" in printed
    document = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [step["models"] for step in document["steps"]] == [1, 24]


def test_a_missing_library_is_told_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else name)
    assert command.main(["step", "single"]) == 2
    captured = capsys.readouterr()
    assert "expected jax to compare with" in captured.err
    assert "pip install -e '.[bench]'" in captured.err
    assert captured.out == ""


def test_missing_data_is_an_error_with_a_hint(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command.main(["growth", "--data-dir", str(tmp_path)]) == 2
    assert "softmax download" in capsys.readouterr().err


def test_a_tilde_is_the_home(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SOFTMAX_DATA_DIR", "~/mine")
    for options in ((), ("--data-dir=~/mine",)):
        assert command.main(["growth", *options]) == 2
        assert str(tmp_path / "mine") in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["growth", "--data-dir=~no-such-user/mine"])
    assert "the home folder of ~no-such-user is not known" in capsys.readouterr().err


def test_an_unknown_group_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        command.main(["nonsense"])
    assert error.value.code == 2
    assert "nonsense" in capsys.readouterr().err
