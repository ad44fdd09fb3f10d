"""Tests mirror the package: ``softmax_cli/data/photos.py`` has ``tests/data/test_photos.py``."""

from pathlib import Path

import softmax_cli

PACKAGE = Path(softmax_cli.__file__).parent
TESTS = Path(__file__).parent

WITHOUT_TESTS = {
    "__main__.py": "starts the command line; tests run it as a process of its own",
    "arrays.py": "names for types, no code",
    "features/feature_map.py": "a contract, no code; tests of feature_maps hold every map to it",
}
"""Modules that need no test module of their own, and why."""


def test_every_module_has_its_test_module() -> None:
    modules = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    untested = {
        module.as_posix()
        for module in modules
        if module.name != "__init__.py"
        and not (TESTS / module.with_name(f"test_{module.name}")).is_file()
    }
    assert untested == WITHOUT_TESTS.keys()


def test_no_test_module_is_empty() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}
    assert [path for path, text in texts.items() if "\ndef test_" not in text] == []
