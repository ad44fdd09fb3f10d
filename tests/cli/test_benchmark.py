from pathlib import Path

import pytest

from softmax_cli.cli import benchmark as command
from tests.cli.conftest import Run

QUICKLY = ("benchmark", "--dataset", "synthetic", "--samples", "60")


@pytest.fixture
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two small stacks: wide ones take long where other processes keep the processor busy."""
    assert command.MODELS == (1, 8, 24, 64)
    monkeypatch.setattr(command, "MODELS", (1, 3))


@pytest.mark.usefixtures("_narrow")
def test_the_json_document_has_every_form_and_every_width(run: Run) -> None:
    document = run(*QUICKLY, "--format", "json").json()
    assert document["samples"] == 60
    assert document["environment"]["numpy"]
    assert [(f["form"], f["dtype"]) for f in document["forms"]] == [
        ("naive", "float64"),
        ("vectorized", "float64"),
        ("vectorized", "float32"),
        ("kernel", "float32"),
    ]
    assert [step["models"] for step in document["steps"]] == [1, 3]
    assert all(step["ratio"] > 0 for step in document["steps"])
    assert document["gradient_check"]["max_relative_error"] < 1e-5


@pytest.mark.usefixtures("_narrow")
def test_tables_fit_a_terminal_and_progress_goes_to_stderr(run: Run) -> None:
    result = run(*QUICKLY)
    assert result.code == 0
    assert "speed-up" in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())
    assert "3 models" in result.err


def test_missing_data_names_both_ways_out(run: Run) -> None:
    result = run("benchmark")
    assert result.code == 3
    assert "softmax download" in result.err
    assert "--dataset synthetic" in result.err


def test_wrong_usage_exits_with_2(run: Run) -> None:
    assert run("benchmark", "--samples", "0").code == 2
    assert run("benchmark", "--dataset", "synthetic", "--samples", "5001").code == 2
    assert run("benchmark", "--dataset", "mnist").code == 2


@pytest.mark.usefixtures("_narrow")
@pytest.mark.cifar10
def test_runs_on_the_real_images(run: Run, cifar10_dir: Path) -> None:
    document = run("benchmark", "--data-dir", cifar10_dir, "--samples", 200, "--format", "json")
    assert document.json()["dataset"] == "cifar10"
