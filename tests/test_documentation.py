"""What the documentation shows is what the functions do."""

import doctest
import importlib
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", ["softmax.md", "differences.md"])
def test_examples_of_the_documents_hold(name: str) -> None:
    results = doctest.testfile(str(DOCS / name), module_relative=False, encoding="utf-8")
    assert results.attempted > 12
    assert results.failed == 0


@pytest.mark.parametrize("name", ["softmax", "softmax_loss"])
def test_examples_of_the_docstrings_hold(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"softmax_cli.model.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
