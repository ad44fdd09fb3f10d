import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import groups
from benchmarks.groups import Benchmarks, Group
from benchmarks.results import Findings
from benchmarks.task import Images


def test_the_guard_prints_the_ratio_and_needs_no_data(
    images: Images,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(groups, "many_synthetic_images", lambda: images.train)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    arguments = ["step", "--repeats", "1", "--data-dir", str(tmp_path / "none")]
    assert command.main([*arguments, "--output", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "K = 1" in printed
    assert "K = 24" in printed
    document = json.loads((tmp_path / "out" / "step.json").read_text())
    assert [step["models"] for step in document["findings"]["steps"]] == [1, 24]
    assert (tmp_path / "out" / "results.md").read_text().startswith("Measured on ")


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


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the groups that are measured, of which there are three."""
    names: list[str] = []

    def group(name: str) -> Group:
        def measure(_: Benchmarks) -> Findings:
            if name == "single" and names.count(name) == 0:
                names.append(name)
                raise KeyboardInterrupt
            names.append(name)
            return Findings()

        return Group(measure)

    for name in list(groups.GROUPS):
        if name in {"step", "growth", "single"}:
            monkeypatch.setitem(groups.GROUPS, name, group(name))
        else:
            monkeypatch.delitem(groups.GROUPS, name)
    return names


def test_a_run_that_was_cut_goes_on(measured: list[str], tmp_path: Path) -> None:
    options = ["--output", str(tmp_path / "out"), "--resume"]
    with pytest.raises(KeyboardInterrupt):
        command.main(["growth", "single", *options])
    assert command.main(options) == 0
    assert measured == ["growth", "single", "single", "step"]
    assert command.main([*options, "--repeats", "2"]) == 0  # other options: measured again
    assert sorted(measured[4:]) == ["growth", "single", "step"]
    assert command.main([*options, "--repeats", "2"]) == 0
    assert len(measured) == 7


def test_to_resume_takes_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        command.main(["step", "--resume"])
    assert error.value.code == 2
    assert "--resume needs --output" in capsys.readouterr().err
