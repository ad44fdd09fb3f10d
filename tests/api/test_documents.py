"""What docs/python.md shows is what happens, and the tutorial runs from its top to its end."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_examples_of_the_document_hold(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "first").symlink_to(trained)
    monkeypatch.chdir(tmp_path)
    results = doctest.testfile(str(DOCS / "python.md"), module_relative=False, encoding="utf-8")
    assert results.attempted > 20
    assert results.failed == 0


def test_the_document_names_all_that_is_exported() -> None:
    import softmax_cli

    text = (DOCS / "python.md").read_text("utf-8")
    assert set(softmax_cli.__all__) <= set(re.findall(r"`(\w+)`", text))


def run_tutorial(folder: Path, settings: str) -> str:
    """What the tutorial prints with other settings in its first cell."""
    code, count = re.subn(
        r"^NAME, DATA_DIR, EXAMPLES = .*$",
        lambda _: f"NAME, DATA_DIR, EXAMPLES = {settings}",
        (DOCS / "tutorial.py").read_text("utf-8"),
        flags=re.MULTILINE,
    )
    assert count == 1
    script = folder / "tutorial.py"
    script.write_text(code, "utf-8")
    environment = {**os.environ, "MPLBACKEND": "Agg", "MPLCONFIGDIR": str(folder)}
    ran = subprocess.run(
        [sys.executable, script],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_tutorial_on_synthetic_images(tmp_path: Path) -> None:
    printed = run_tutorial(tmp_path, '"synthetic", None, 400')
    accuracy = re.search(r"test accuracy (\S+)%", printed)
    assert accuracy is not None
    assert float(accuracy[1]) > 50
    assert "T = 2.0: [0.1863 0.3072 0.5065]" in printed


@pytest.mark.cifar10
def test_the_tutorial_on_cifar10(tmp_path: Path, cifar10_dir: Path) -> None:
    printed = run_tutorial(tmp_path, f'"cifar10", {str(cifar10_dir)!r}, 2000')
    accuracy = re.search(r"test accuracy (\S+)%", printed)
    assert accuracy is not None
    assert 25 < float(accuracy[1]) < 45
