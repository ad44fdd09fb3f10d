"""The report in a real browser: it fits, its pictures are shown, its tables sort."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, Run
from tests.report.browser import Browser, find_browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.posix("pipes at chosen descriptors"),
    pytest.mark.skipif(
        find_browser() is None, reason="needs Chromium: SOFTMAX_TEST_BROWSER, or on the PATH"
    ),
]

WIDER_THAN_THE_PAGE = """
[...document.querySelectorAll("body *")].filter((element) => {
  if (element.closest(".table, .commands") !== null) return false;
  return element.getBoundingClientRect().right > innerWidth + 0.5;
}).map((element) => element.outerHTML.slice(0, 200)).concat(
  document.documentElement.scrollWidth > innerWidth ? ["the page itself"] : [])
"""
NOT_DECODED = """
Promise.all([...document.images].map((image) => image.decode().then(() => "", () => image.alt)))
  .then((failed) => [document.images.length, failed.filter((text) => text)])
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(str(find_browser()), tmp_path) as started:
        yield started


@pytest.fixture
def page(run: Run, tmp_path: Path, trained: Path, swept: Path) -> Path:
    """The report of several runs, one with a long and hostile name, one that diverged."""
    name = "<script>alert(1)</script>" + "x" * 150
    shutil.copytree(trained, tmp_path / name)
    diverging = ("optimizer.learning_rate=1e9", "optimizer.regularization=1")
    run("train", "-c", "demo", *QUICK, *diverging, "--run-dir", "lost")
    run("evaluate", "here", "--calibrate")
    assert run("report", "here", name, "swept", "lost").code == 0
    return tmp_path / "report.html"


def test_it_fits_is_whole_and_sorts(browser: Browser, page: Path) -> None:
    grounds = set()
    for width, scheme in ((1280, "light"), (400, "light"), (1280, "dark"), (400, "dark")):
        browser.show(page, width=width, scheme=scheme)
        assert browser.run(WIDER_THAN_THE_PAGE) == [], (width, scheme)
        count, failed = browser.run(NOT_DECODED)
        assert count > 40
        assert failed == []
        grounds.add(browser.run("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
    sorted_by_keyboard(browser)
    assert browser.complaints == []


def sorted_by_keyboard(browser: Browser) -> None:
    """Sort the table of the sweep by its validation loss, twice, as with the keyboard."""
    find = """
    (() => {
      const table = [...document.querySelectorAll("table.sortable")]
        .find((found) => found.tHead.textContent.includes("validation loss"));
      const cells = [...table.tHead.rows[0].cells];
      const heading = cells.find((cell) => cell.textContent === "validation loss");
      return {heading, values: [...table.tBodies[0].rows]
        .map((row) => Number(row.cells[cells.indexOf(heading)].dataset.value))};
    })()
    """
    for direction, sign in (("ascending", 1), ("descending", -1)):
        browser.run(f"{find}.heading.querySelector('button').focus()")
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", text="\r", code="Enter")
        assert browser.run(f"{find}.heading.getAttribute('aria-sort')") == direction
        values = browser.run(f"{find}.values")
        assert len(values) > 2
        assert values == sorted(values, key=lambda value: sign * value)
    assert browser.run("document.querySelectorAll('[aria-sort]').length") == 1


def test_it_can_be_read_without_its_script(browser: Browser, page: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.show(page, width=1280)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('button').length") == 0
    assert browser.run("document.querySelectorAll('table.sortable tbody tr').length") > 10


def test_it_prints(browser: Browser, page: Path) -> None:
    browser.show(page, width=1280, scheme="dark")
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("getComputedStyle(document.querySelector('.table')).overflowX") == "visible"
    browser.call("Emulation.setEmulatedMedia", media="")
