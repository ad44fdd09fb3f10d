"""What the documentation shows is what the functions do, and its links lead somewhere.

Other tests run what is shown: commands (tests/cli/test_documents.py), the batch script
(tests/cli/test_signals.py), docs/python.md and the tutorial (tests/api/test_documents.py), and
docs/extending.md (tests/test_extending.py).
"""

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs"
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *DOCS.glob("*.md")])
EXAMPLES = {"softmax.md": 20, "differences.md": 12}
"""Documents with doctests, and how many there are at least."""
EXAMPLES_ELSEWHERE = {"python.md": "needs a finished run: tests/api/test_documents.py"}


@pytest.mark.parametrize(("name", "least"), EXAMPLES.items())
def test_examples_of_the_documents_hold(name: str, least: int) -> None:
    results = doctest.testfile(str(DOCS / name), module_relative=False, encoding="utf-8")
    assert results.attempted > least
    assert results.failed == 0


def test_all_examples_are_run() -> None:
    with_examples = {path.name for path in DOCUMENTS if "```pycon" in path.read_text("utf-8")}
    assert with_examples == {*EXAMPLES, *EXAMPLES_ELSEWHERE}


def test_all_python_code_can_be_read() -> None:
    found = 0
    for path in DOCUMENTS:
        for code in re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.M | re.S):
            ast.parse(code, path.name)
            found += 1
    assert found > 5


@pytest.mark.parametrize("name", ["softmax", "softmax_loss"])
def test_examples_of_the_docstrings_hold(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"softmax_cli.model.{name}"))
    assert results.attempted > 0
    assert results.failed == 0


# Links.


def prose_of(text: str) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def links_of(text: str) -> Iterator[str]:
    """The targets of the links and pictures of a document, quoted code left out."""
    sentences = re.sub(r"`[^`]*`", "code", prose_of(text))
    yield from re.findall(r"\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)", sentences)


def anchors_of(text: str) -> set[str]:
    """The anchors that forges give the headings of a document."""
    anchors: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", prose_of(text), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading)).lower()
        anchors.append(words.strip().replace(" ", "-"))
    return {
        f"{anchor}-{before}" if (before := anchors[:number].count(anchor)) else anchor
        for number, anchor in enumerate(anchors)
    }


def broken_links(document: Path, text: str) -> list[str]:
    """The relative links of a document whose file or heading does not exist."""
    broken = []
    for link in links_of(text):
        if re.match(r"https?://|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        target = document.parent / file if file else document
        there = target.exists() and target.resolve().is_relative_to(PROJECT.resolve())
        if not there or (anchor and anchor not in anchors_of(target.read_text("utf-8"))):
            broken.append(link)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    assert broken_links(document, document.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("link", "is_broken"),
    [
        ("docs/features.md#hog-histograms-of-oriented-gradients", False),
        ("docs/features.md#nothing", True),
        ("docs/nothing.md", True),
        ("#license", False),
        ("#licence", True),
        ("../outside.md", True),
        ("https://example.org/a_(b)", False),
    ],
)
def test_broken_links_are_found(link: str, is_broken: bool) -> None:
    readme = PROJECT / "README.md"
    assert broken_links(readme, f"see [it]({link}),\n`[no](link)`") == ([link] if is_broken else [])


def test_files_that_are_named_without_a_link_exist() -> None:
    """Comments, presets and sentences name documents, such as ``docs/features.md``."""
    folders = ("softmax_cli", "configs", "benchmarks", "campaigns", "docs")
    files = [path for folder in folders for path in (PROJECT / folder).rglob("*")]
    named = {
        name
        for path in [*DOCUMENTS, *files]
        if path.suffix in {".md", ".py", ".yaml"}
        for name in re.findall(r"\b(?:docs|tests)/[\w/-]+\.(?:md|py)\b", path.read_text("utf-8"))
    }
    examples = {"tests/data/test_photos.py"}
    assert len(named) > 10
    assert {name for name in named - examples if not (PROJECT / name).is_file()} == set()


def test_the_index_lists_every_document_once() -> None:
    index = DOCS / "README.md"
    linked = [link for link in links_of(index.read_text("utf-8")) if not link.startswith("..")]
    documents = {path.name for path in DOCS.glob("*.md")} - {index.name}
    assert sorted(linked) == sorted({*documents, "tutorial.py"})


def test_the_readme_is_short() -> None:
    assert len((PROJECT / "README.md").read_text("utf-8").splitlines()) <= 180


def test_no_sentence_stands_in_two_documents() -> None:
    seen: dict[str, str] = {}
    for path in DOCUMENTS:
        text = re.sub(r"^[|#].*$", "", prose_of(path.read_text("utf-8")), flags=re.MULTILINE)
        for sentence in re.split(r"(?<=[.:])\s|\n\n", text):
            words = " ".join(sentence.split())
            if len(words) > 60:
                assert seen.setdefault(words, path.name) == path.name, words
