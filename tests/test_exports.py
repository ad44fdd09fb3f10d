"""What ``softmax_cli`` exports, and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import softmax_cli

SOURCE = Path(str(softmax_cli.__file__)).read_text(encoding="utf-8")


def names_imported_from(code: str) -> set[str]:
    """Modules that a new process has loaded after some code, of this package and of others."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_the_exported_names_are_sorted_and_there() -> None:
    assert softmax_cli.__all__ == sorted(softmax_cli.__all__)
    for name in softmax_cli.__all__:
        exported = getattr(softmax_cli, name)
        assert exported.__name__ == name
        assert exported.__doc__
    assert set(softmax_cli.__all__) <= set(dir(softmax_cli))


def test_type_checkers_see_the_same_names() -> None:
    block = next(node for node in ast.parse(SOURCE).body if isinstance(node, ast.If))
    seen = [
        alias.name
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(seen) == softmax_cli.__all__


def test_importing_the_package_imports_nothing_else() -> None:
    added = names_imported_from("import softmax_cli") - names_imported_from("pass")
    assert added == {"softmax_cli"}


def test_an_exported_name_loads_what_it_needs_and_no_more() -> None:
    loaded = names_imported_from("from softmax_cli import softmax, load_dataset")
    assert "numpy" in loaded
    assert not loaded & {"matplotlib", "pydantic", "sklearn", "scipy", "typer"}
    loaded = names_imported_from(
        "from softmax_cli import SoftmaxClassifier, SoftmaxSweep, load_run"
    )
    assert not loaded & {"matplotlib", "pydantic", "sklearn", "scipy", "typer"}


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'SVM'"):
        _ = softmax_cli.SVM
