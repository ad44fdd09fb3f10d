"""What the documentation shows is what the functions do."""

import doctest
import importlib
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize(("name", "least"), [("softmax.md", 20), ("differences.md", 12)])
def test_examples_of_the_documents_hold(name: str, least: int) -> None:
    results = doctest.testfile(str(DOCS / name), module_relative=False, encoding="utf-8")
    assert results.attempted > least
    assert results.failed == 0


@pytest.mark.parametrize("name", ["softmax", "softmax_loss"])
def test_examples_of_the_docstrings_hold(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"softmax_cli.model.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
