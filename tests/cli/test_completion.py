"""Completion by the Tab key, by the mechanism that shells use."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.test_presets import TRAININGS

PROGRAM = "from softmax_cli.cli.main import main; main()"
HEAVY = ("numpy", "pydantic", "yaml", "httpx", "safetensors", "rich")


def ask(directory: Path, code: str, *arguments: str, **variables: str) -> list[str]:
    """Lines that the program answers to a shell."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=directory,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def offered(directory: Path, *words: str, code: str = PROGRAM) -> list[str]:
    """What is offered in place of the last word."""
    return ask(
        directory,
        code,
        COMP_WORDS="\n".join(words),
        COMP_CWORD=str(len(words) - 1),
        _SOFTMAX_COMPLETE="complete_bash",
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("train", "--config", ""), list(TRAININGS)),
        (("train", "--seed", "1", "-c", "d"), ["demo"]),
        (("sweep", "--config", "d"), ["demo-sweep"]),
        (("presets", "c"), ["cifar100", "cs231n", "cs231n-sweep"]),
        (("presets", "x"), [""]),
        (("presets", "--schema", "t"), ["train"]),
        (("train", "--data-dir", ""), [""]),
        (("eva",), ["evaluate"]),
    ],
)
def test_names_are_offered(tmp_path: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(tmp_path, "softmax", *words) == expected


def test_files_are_offered_beside_presets_and_other_folders_are_left_to_the_shell(
    tmp_path: Path,
) -> None:
    for name in ("mine.yaml", "demanding.yml", "my sweep.yaml", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/more.yaml").touch()
    train = ("softmax", "train", "--config")
    assert offered(tmp_path, *train, "") == [*TRAININGS, "demanding.yml", "mine.yaml"]
    assert offered(tmp_path, *train, "de") == ["demo", "demanding.yml"]
    for path in ("configs/", "./m", "~", "my"):
        assert offered(tmp_path, *train, path) == [""]


def test_zsh_is_told_what_the_names_mean(tmp_path: Path) -> None:
    variables = {"_TYPER_COMPLETE_ARGS": "softmax train -c de", "_SOFTMAX_COMPLETE": "complete_zsh"}
    answer = " ".join(ask(tmp_path, PROGRAM, **variables))
    assert answer.startswith("_arguments")
    assert '"demo":"Synthetic images in memory' in answer


def test_an_answer_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from softmax_cli.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('', sorted(set({HEAVY}) & set(sys.modules)))"
    )
    assert offered(tmp_path, "softmax", "train", "--config", "d", code=code) == ["demo", " []"]


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_after_an_installation(tmp_path: Path) -> None:
    (tmp_path / "softmax").write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{PROGRAM}' \"$@\"\n")
    (tmp_path / "softmax").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    # In a test there is no shell around the program that it could look at.
    named = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    ask(tmp_path, PROGRAM, "--install-completion", "bash", **named)
    script = (
        "source ~/.bashrc; COMP_WORDS=(softmax train --config de); COMP_CWORD=3;"
        "_softmax_completion softmax; printf '%s\n' \"${COMPREPLY[@]}\"; complete -p softmax"
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    first, *others = done.stdout.splitlines()
    assert first == "demo"
    assert "-o default" in others[-1]


def test_data_sets_that_can_be_downloaded(tmp_path: Path) -> None:
    assert offered(tmp_path, "softmax", "download", "cifar10") == [
        "cifar10",
        "cifar100",
        "cifar100-coarse",
    ]
