"""Tables for every width of a terminal, in which no figure is ever cut or split.

A figure with its unit, a word and a path are whole pieces. In a table that is too wide, headings
and long texts are broken between their pieces; if that is not enough, the columns that are optional
are left out, the last ones first; then short texts are broken, too; and in the end the values of
each row stand below each other. Only a single piece that is wider than the terminal goes beyond its
edge.

Widths are counted in cells of a terminal: a Chinese character takes two.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_GAP = "   "
_FACTS_GAP = 2
_INDENT = 2
# In fewer cells a text of several words is hard to read.
_TEXT_WIDTH = 20
# Every blank but those between a number and its unit, or its sign.
_BREAK = r"(?<!±) (?!(?:%|s|ms|µs|MB)(?!\w))"


class Line(NamedTuple):
    """A line of a table."""

    text: str
    is_bold: bool = False


class Table(ABC):
    """What has lines for every width; rich prints it."""

    @abstractmethod
    def lines(self, width: int, rule: str = "─") -> Iterator[Line]:
        """Lay the table out.

        Args:
            width: of the terminal, in cells.
            rule: character that lines across are made of.
        """

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Lay the table out for a console."""
        from rich.text import Text

        for text, is_bold in self.lines(options.max_width, "-" if options.ascii_only else "─"):
            yield Text(text, style="bold" if is_bold else "", no_wrap=True, overflow="ignore")


class FactsTable(Table):
    """Names and their values.

    Args:
        facts: name -> text, or a path, which is never broken.
    """

    def __init__(self, facts: Mapping[str, str | Path]) -> None:
        self.facts = facts

    def lines(self, width: int, rule: str = "─") -> Iterator[Line]:  # noqa: ARG002
        """Each value beside its name, or below where it finds no room there."""
        yield from map(Line, _fact_lines(list(self.facts.items()), width, indent=0))


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        heading: above the column.
        is_text: words, to the left; figures stand to the right.
        is_optional: may be left out where the table is too wide.
        name: what it is called away from its neighbours, if not as its heading.
    """

    heading: str
    is_text: bool = False
    is_optional: bool = False
    name: str = ""

    @property
    def full_name(self) -> str:
        """What it is called away from its neighbours."""
        return self.name or self.heading

    def cell(self, lines: Sequence[str], width: int, height: int, *, low: bool) -> list[str]:
        """Lines filled up with blanks to a block."""
        blank = [""] * (height - len(lines))
        filled = [*blank, *lines] if low else [*lines, *blank]
        return [padded(line, width, left=self.is_text) for line in filled]


class ResultTable(Table):
    """Rows under headings; the first column names the rows.

    Args:
        columns: in the order of their importance.
        rows: a text for each column; empty for none.
        has_total: the last row is set apart.
        highlighted: index of a row that stands out, if any.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        *,
        has_total: bool = False,
        highlighted: int | None = None,
    ) -> None:
        self.columns = columns
        self.rows = rows
        self.has_total = has_total
        self.highlighted = highlighted

    def lines(self, width: int, rule: str = "─") -> Iterator[Line]:
        """Rows of as many columns as fit, or the values of each row below each other."""
        shown, text_width = list(range(len(self.columns))), _TEXT_WIDTH
        while (widths := self._widths(shown, width, text_width)) is None:
            optional = [index for index in shown if self.columns[index].is_optional]
            if optional:
                shown.remove(optional[-1])
            elif text_width:
                text_width = 0
            else:
                yield from self._rows_below_each_other(width)
                return
        yield from self._rows_across(dict(zip(shown, widths, strict=True)), rule)
        missing = [c.full_name for i, c in enumerate(self.columns) if i not in shown]
        if missing:
            yield from map(Line, wrapped(f"columns left out: {', '.join(missing)}", width))

    def _widths(self, shown: Sequence[int], width: int, text_width: int) -> list[int] | None:
        """Widths of columns, the widest made narrower as needed; None if they do not fit.

        A cell with a text of several pieces gets ``text_width`` or more, if the text is so wide.
        """
        columns = [(self.columns[i].heading, [row[i] for row in self.rows]) for i in shown]
        least = [
            max([_widest_piece(heading), *(_width_needed(text, text_width) for text in texts)])
            for heading, texts in columns
        ]
        most = [max(map(_full_width, [heading, *texts])) for heading, texts in columns]
        room = width - len(_GAP) * (len(shown) - 1)
        if sum(least) > room:
            return None
        limited = (
            [max(a, min(b, limit)) for a, b in zip(least, most, strict=True)]
            for limit in range(max(most), -1, -1)
        )
        return next(widths for widths in limited if sum(widths) <= room)

    def _rows_across(self, widths: Mapping[int, int], rule: str) -> Iterator[Line]:
        across = rule * (sum(widths.values()) + len(_GAP) * (len(widths) - 1))
        for text in self._row_lines([column.heading for column in self.columns], widths, low=True):
            yield Line(text, is_bold=True)
        yield Line(across)
        for number, row in enumerate(self.rows):
            if self.has_total and number == len(self.rows) - 1:
                yield Line(across)
            for text in self._row_lines(row, widths, low=False):
                yield Line(text, is_bold=number == self.highlighted)

    def _row_lines(
        self, row: Sequence[str], widths: Mapping[int, int], *, low: bool
    ) -> Iterator[str]:
        """As many lines as the cell with the most; cells with fewer stand low or high."""
        cells = {index: wrapped(row[index], width) for index, width in widths.items()}
        height = max(map(len, cells.values()))
        blocks = (
            self.columns[index].cell(lines, widths[index], height, low=low)
            for index, lines in cells.items()
        )
        yield from (_GAP.join(parts).rstrip() for parts in zip(*blocks, strict=True))

    def _rows_below_each_other(self, width: int) -> Iterator[Line]:
        first, *others = self.columns
        for number, row in enumerate(self.rows):
            title = row[0] if first.is_text else f"{first.heading} {row[0]}"
            for text in wrapped(title, width):
                yield Line(text, is_bold=number == self.highlighted)
            values = zip(others, row[1:], strict=True)
            facts = [(column.full_name, value) for column, value in values if value]
            yield from map(Line, _fact_lines(facts, width, indent=_INDENT))


def cell_width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def padded(text: str, width: int, *, left: bool = True) -> str:
    """A text at one side of a width, filled up with blanks."""
    blanks = " " * (width - cell_width(text))
    return text + blanks if left else blanks + text


def printable(text: str | Path) -> str:
    """A text without what would move the cursor or cannot be written."""
    writable = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if _is_printable(c) else "\N{REPLACEMENT CHARACTER}" for c in writable)


def _is_printable(character: str) -> bool:
    # Python counts no blank as printable but the plain one.
    return character.isprintable() or category(character) == "Zs"


def wrapped(text: str | Path, width: int) -> list[str]:
    """A text in lines of a width, broken between pieces only; a path is one piece."""
    lines: list[str] = []
    for piece in _pieces(text):
        if lines and cell_width(lines[-1]) + 1 + cell_width(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return lines


def _pieces(text: str | Path) -> list[str]:
    return [printable(text)] if isinstance(text, Path) else re.split(_BREAK, printable(text))


def _widest_piece(text: str | Path) -> int:
    return max(map(cell_width, _pieces(text)))


def _full_width(text: str | Path) -> int:
    return cell_width(printable(text))


def _width_needed(text: str | Path, text_width: int) -> int:
    """Width of the widest piece, or of the text up to a width that is enough to read it in."""
    return max(_widest_piece(text), min(text_width, _full_width(text)))


def _fact_lines(
    facts: Sequence[tuple[str, str | Path]], width: int, *, indent: int
) -> Iterator[str]:
    """Names with the values beside them, or below where a value finds no room there."""
    column = indent + _FACTS_GAP + max((cell_width(name) for name, _ in facts), default=0)
    for name, value in facts:
        head, widest = " " * indent + printable(name), _widest_piece(value)
        if column + _width_needed(value, _TEXT_WIDTH) <= width:
            first, *others = wrapped(value, width - column)
            yield padded(head, column) + first
            yield from (" " * column + line for line in others)
        else:
            start = max(0, min(indent + _INDENT, width - widest))
            yield head
            yield from (" " * start + line for line in wrapped(value, width - start))
