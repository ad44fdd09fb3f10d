import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from softmax_cli.cli import main as main_module
from tests.cli.conftest import QUICK, Run, Start

COMMANDS = (
    "download", "train", "sweep", "evaluate", "compare", "visualize", "predict", "benchmark",
    "presets",
)  # fmt: skip


def test_help_lists_every_command_and_fits_a_terminal(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    for command in COMMANDS:
        assert command in result.out
        described = run(command, "--help")
        assert described.code == 0
        assert all(len(line) <= 80 for line in described.out.splitlines())


def modules_of(directory: Path, *arguments: str) -> set[str]:
    """The modules that a command has imported when it is done."""
    code = (
        "import sys\n"
        "from softmax_cli.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


HEAVY = {
    "dask", "distributed", "httpx", "jinja2", "matplotlib", "numpy", "PIL", "pydantic", "rich",
    "safetensors", "scipy", "sklearn", "threadpoolctl", "yaml",
}  # fmt: skip


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("train", "--help")])
def test_help_imports_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert modules_of(tmp_path, *arguments) & HEAVY == set()


def test_a_command_imports_no_other(tmp_path: Path) -> None:
    assert modules_of(tmp_path, "presets") & {f"softmax_cli.cli.{name}" for name in COMMANDS} == {
        "softmax_cli.cli.presets"
    }


def test_a_training_imports_only_what_it_needs(tmp_path: Path) -> None:
    imported = modules_of(tmp_path, "train", "-c", "demo", *QUICK)
    assert "numpy" in imported
    needless = {
        "dask", "distributed", "httpx", "jinja2", "scipy", "sklearn", "softmax_cli.api",
        "softmax_cli.evaluation.assessment", "softmax_cli.evaluation.comparison",
        "softmax_cli.training.full_batch", "softmax_cli.training.timing", "softmax_cli.tuning",
    }  # fmt: skip
    assert imported & needless == set()


def test_unknown_commands_and_options_are_wrong_usage(run: Run) -> None:
    assert run("trian").code == 2
    assert run("train", "--no-such-option").code == 2


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("softmax 0.")


def test_a_defect_is_one_message_and_exit_code_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(main_module, "app", broken)
    result = run("presets")
    assert result.code == 1
    assert "SOFTMAX_DEBUG=1" in result.err
    monkeypatch.setenv("SOFTMAX_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["softmax", "presets"])
    with pytest.raises(ZeroDivisionError):
        main_module.main()


def test_a_closed_pipe_is_silent(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "softmax_cli", "presets", "cs231n"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    os.close(writer)
    assert process.stderr == ""
    assert process.returncode in (0, 1)


def test_output_into_a_file_has_no_control_characters(start: Start) -> None:
    process = start("train", "-c", "demo", *QUICK, "--format", "json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["iterations"] == 60
    assert "\x1b" not in out + err
    assert "\r" not in out + err


def test_a_pipe_that_windows_reports_as_closed_is_silent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(**_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(main_module, "app", cut_off)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "Invalid argument" in run("presets").err
    monkeypatch.setattr(sys, "platform", "win32")
    result = run("presets")
    assert (result.code, result.err) == (1, "")


def test_windows_is_told_of_files_that_another_program_has_open(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Access is denied", "metrics.csv")

    monkeypatch.setattr(main_module, "app", denied)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "another program" not in run("presets").err
    monkeypatch.setattr(sys, "platform", "win32")
    result = run("presets")
    assert result.code == 1
    assert "Access is denied: metrics.csv" in result.err
    assert "another program has it open" in result.err
