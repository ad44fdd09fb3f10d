"""Imports between the rooms of the package run one way, as ``softmax_cli/__init__.py`` says."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import softmax_cli

PACKAGE = Path(softmax_cli.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_KNOW: dict[str, set[str]] = {
    "cli": {
        "report",
        "tuning",
        "training",
        "plots",
        "evaluation",
        "features",
        "data",
        "config",
        "runs",
        "model",
    },
    "report": {
        "tuning",
        "training",
        "plots",
        "evaluation",
        "features",
        "data",
        "config",
        "runs",
        "model",
    },
    "api": {"training", "plots", "evaluation", "features", "data", "runs", "model"},
    "tuning": {"training", "evaluation", "features", "data", "config", "runs"},
    "training": {"evaluation", "features", "data", "config", "runs", "model"},
    "plots": {"evaluation", "runs"},
    "evaluation": {"features", "data", "config", "runs", "model"},
    "features": {"data", "runs"},
    "data": {"runs"},
    "config": {"runs"},
    "runs": set(),
    "model": set(),
    "paths": set(),
    "arrays": set(),
    "blas": set(),
    "threads": set(),
    "errors": set(),
}
FOR_ALL = {"paths", "arrays", "blas", "threads", "errors", "__version__"}


def room_of(module: Path) -> str:
    """The room of a file: its folder in the package, or its own name at the top."""
    first = module.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(module: Path) -> Iterator[str]:
    """Rooms that a file imports from, wherever in it: at the top, in functions, for types."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("softmax_cli."))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_knows_only_rooms_below_its_own(module: Path) -> None:
    room = room_of(module)
    if room in {"__init__", "__main__"}:
        return
    foreign = {name for name in imported_rooms(module) if name != room}
    assert foreign <= MAY_KNOW[room] | FOR_ALL


def test_the_docstring_lists_the_rooms_from_the_outside_in() -> None:
    lines = [line for line in str(softmax_cli.__doc__).splitlines() if line.startswith("- ``")]
    listed = [name for line in lines for name in re.findall(r"``(\w+)``", line.partition(":")[0])]
    assert listed == list(MAY_KNOW)
    for position, room in enumerate(listed):
        assert MAY_KNOW[room] <= set(listed[position + 1 :])
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders <= set(listed)


def imported_libraries(module: Path) -> set[str]:
    """Top-level names of what a file imports by ``import`` or ``from``."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports for alias in node.names]
    names += [str(node.module) for node in froms]
    return {name.split(".")[0] for name in names}


def test_the_mathematics_needs_numpy_and_the_standard_library_alone() -> None:
    found = set[str]().union(*map(imported_libraries, (PACKAGE / "model").rglob("*.py")))
    assert found - sys.stdlib_module_names == {"numpy", "softmax_cli"}


def test_one_room_draws() -> None:
    drawing = {room_of(path) for path in MODULES if "matplotlib" in imported_libraries(path)}
    assert drawing == {"plots"}


def test_one_room_prints() -> None:
    calls = re.compile(r"(?<![\w.])print\(|typer\.echo\(|sys\.std(out|err)\.write")
    printing = {room_of(path) for path in MODULES if calls.search(path.read_text(encoding="utf-8"))}
    assert printing == {"cli"}
