"""What ``pyproject.toml`` promises of releases is what is tested."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from softmax_cli import __version__

CHECKOUT = Path(__file__).parents[1]
OLDEST = CHECKOUT / "constraints" / "oldest.txt"


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))


def requirements(settings: dict[str, Any]) -> Iterator[Requirement]:
    """Of the build, of the program and of its extras, apart from the program itself."""
    project = settings["project"]
    extras = project["optional-dependencies"].values()
    lists = (settings["build-system"]["requires"], project["dependencies"], *extras)
    for line in (line for lines in lists for line in lines):
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            yield requirement


def pinned() -> dict[str, str]:
    """The release of each line of the constraints."""
    lines = OLDEST.read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(pin.specifier and str(pin.specifier).startswith("==") for pin in pins)
    return {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in pins}


def test_the_lower_bounds_are_what_is_tested_as_oldest(settings: dict[str, Any]) -> None:
    stated: dict[str, set[str]] = {}
    for requirement in requirements(settings):
        lower = [bound.version for bound in requirement.specifier if bound.operator == ">="]
        assert len(lower) == 1, f"expected one lower bound, got {requirement}"
        stated.setdefault(canonicalize_name(requirement.name), set()).update(lower)
    assert stated == {name: {version} for name, version in pinned().items()}


def test_the_source_distribution_carries_what_its_tests_read(settings: dict[str, Any]) -> None:
    included = settings["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    documents = {path.name for path in CHECKOUT.glob("*.md")}
    assert documents | {OLDEST.parent.name, "docs", "benchmarks", "configs"} <= {*included}


def test_a_package_index_shows_no_link_that_leads_nowhere(settings: dict[str, Any]) -> None:
    hook = settings["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    (fragment,) = hook["fragments"]
    readme = shown = (CHECKOUT / fragment["path"]).read_text("utf-8")
    for substitution in hook["substitutions"]:
        shown = re.sub(substitution["pattern"], substitution["replacement"], shown)
    relative = r"\]\((?!https?://|#)"
    assert len(re.findall(relative, readme)) > 10
    assert re.findall(relative, shown) == []
    assert "| change settings, limit threads | docs/configuration.md |" in shown
    assert "readme" in settings["project"]["dynamic"]


def test_the_citation_names_the_version() -> None:
    citation = (CHECKOUT / "CITATION.cff").read_text("utf-8")
    changes = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")
    version, date = re.findall(r"^## ([\d.]+) \(([\d-]+)\)$", changes, re.MULTILINE)[0]
    assert version == __version__
    assert f"\nversion: {version}\n" in citation
    assert f'\ndate-released: "{date}"\n' in citation
