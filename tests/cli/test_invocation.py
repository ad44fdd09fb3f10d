"""Usage and hints name the program as its user called it."""

import sys

import pytest

from softmax_cli.cli.invocation import as_called, program_name
from tests.cli.conftest import Run, Start


def test_the_module_names_itself_in_usage_and_hints(start: Start) -> None:
    for arguments, told in (
        (["train", "--no-such-option"], "Usage: python -m softmax_cli train "),
        (["train"], "Run `python -m softmax_cli download` to fetch"),
        (
            ["train", "-c", "demo-sweep"],
            "Run it with: python -m softmax_cli sweep --config demo-sweep",
        ),
    ):
        _, err = start(*arguments).communicate(timeout=60)
        assert told in err
        assert "`softmax " not in err


def test_the_script_names_itself_in_usage_and_hints(run: Run) -> None:
    assert "Usage: softmax train " in run("train", "--no-such-option").err
    assert "Run `softmax download` to fetch" in run("train").err


def test_only_commands_are_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/x/softmax_cli/__main__.py", "train"])
    text = "the softmax loss; softmax 0.1; first: softmax evaluate runs/x; softmax trains"
    renamed = text.replace("softmax evaluate", "python -m softmax_cli evaluate")
    assert as_called(text) == renamed


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion=zsh"])
def test_completion_is_that_of_the_script(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/x/softmax_cli/__main__.py", option])
    assert program_name() == "softmax"
