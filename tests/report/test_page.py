import base64
import hashlib
from itertools import pairwise

from softmax_cli.report.page import render_page
from softmax_cli.report.parts import (
    Cell,
    EvaluationPart,
    Fact,
    Note,
    Picture,
    Reproduction,
    RunPart,
    Table,
    Thumbnail,
)
from tests.report.document import Document

ENVIRONMENT = {"python": "3", "numpy": "2", "platform": "Linux"}
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;{{ 7 * 7 }}"


def table(text: str) -> Table:
    return Table(text, [text, "n"], [[Cell(text), Cell("1", 1.0, text)]], [False, True])


def part(text: str) -> RunPart:
    """A run with a text everywhere."""
    best = RunPart(text, "training", text, facts=[Fact(text, text, text)])
    return RunPart(
        path=text,
        kind="sweep",
        status=text,
        facts=[Fact(text, text, text)],
        notes=[Note(text, text)],
        trials=table(text),
        pictures=[Picture("heatmap", "data:,", text)],
        templates=[Thumbnail("data:,", (text,))],
        evaluation=EvaluationPart(
            text,
            "images",
            [Fact(text, text)],
            table(text),
            [Picture("reliability", "data:,", text)],
            [Thumbnail("data:,", (text, text))],
        ),
        reproduction=Reproduction([text], text, text, "data:,", {text: text}, {text: text}),
        best=best,
    )


def page(*runs: RunPart) -> str:
    return render_page(runs, None, [], ENVIRONMENT)


def test_whatever_a_run_says_is_shown_as_text() -> None:
    plain, hostile = Document.of(page(part("x"))), Document.of(page(part(HOSTILE)))
    assert hostile.tags == plain.tags
    assert [set(found) for found in hostile.attributes] == [set(f) for f in plain.attributes]
    assert hostile.words.count(HOSTILE) > 20


def test_names_that_are_no_text_can_be_written() -> None:
    assert "\\udcff" in page(part("\udcff"))


def test_a_page_loads_nothing_and_allows_only_its_own_script() -> None:
    document = Document.of(page(part("a"), part("b")))
    assert all(uri.startswith("data:") for uri in document.values("src"))
    assert all(uri.startswith(("data:", "#")) for uri in document.values("href"))
    assert "link" not in document.tags
    assert "url(" not in page(part("a"))
    policy = next(value for value in document.values("content") if "default-src" in value)
    digest = base64.b64encode(hashlib.sha256(document.script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert document.tags.count("script") == 1


def test_a_page_is_well_structured() -> None:
    document = Document.of(page(part("a"), part("b")))
    names = document.values("id")
    assert len(set(names)) == len(names)
    assert {uri[1:] for uri in document.values("href") if uri[0] == "#"} <= set(names)
    assert set(document.values("aria-labelledby")) <= set(names)
    levels = [int(tag[1]) for tag in document.tags if tag in {"h1", "h2", "h3", "h4", "h5"}]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    images = [f for t, f in zip(document.tags, document.attributes, strict=True) if t == "img"]
    assert all("alt" in image for image in images)


def test_equal_parts_give_equal_pages() -> None:
    assert page(part("a")) == page(part("a"))


def test_several_runs_are_listed_and_a_failed_comparison_is_explained() -> None:
    notes = [Note("The runs are not compared: reasons.")]
    document = Document.of(render_page([part("a"), part("b")], None, notes, ENVIRONMENT))
    assert "Report of 2 runs" in document.words
    assert "The runs are not compared: reasons." in document.words
    assert "nav" in document.tags
    assert "nav" not in Document.of(page(part("a"))).tags
