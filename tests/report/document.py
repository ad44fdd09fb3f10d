"""An HTML page as a test reads it."""

from html.parser import HTMLParser
from typing import Self

_VOID = {"meta", "img", "wbr", "link", "br", "hr", "input"}


class Document(HTMLParser):
    """Tags, attributes and visible text of a page, whose tags must be balanced.

    Attributes:
        tags: names in the order of the page.
        attributes: of each of these tags.
        words: the visible text, blanks in a row as one.
        script: text of the scripts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.script = ""
        self._texts: list[str] = []
        self._open: list[str] = []

    @classmethod
    def of(cls, page: str) -> Self:
        """Read a whole page."""
        document = cls()
        document.feed(page)
        document.close()
        assert document._open == []
        return document

    @property
    def words(self) -> str:
        """The visible text."""
        return " ".join("".join(self._texts).split())

    def values(self, attribute: str) -> list[str]:
        """All values of an attribute."""
        return [str(found[attribute]) for found in self.attributes if attribute in found]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.script += data
        elif not self._open or self._open[-1] not in {"style", "title"}:
            self._texts.append(data)
