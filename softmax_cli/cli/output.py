"""Printing: results on stdout, messages on stderr."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from softmax_cli.cli.invocation import as_called
from softmax_cli.cli.options import OutputFormat
from softmax_cli.errors import SoftmaxError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from softmax_cli.evaluation.intervals import Interval


def stderr_console() -> "Console":
    """Console for messages and progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_error(message: str, hint: str | None = None) -> None:
    """Say on stderr what went wrong and what to do next."""
    from rich.text import Text

    console = stderr_console()
    console.print(Text.assemble(("Error: ", "bold red"), as_called(message)))
    if hint:
        console.print(Text(as_called(hint)))


def describe(error: Exception) -> str:
    """Say in one sentence what went wrong."""
    if isinstance(error, SoftmaxError):
        return error.message
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return f"{reason}: {error.filename}" if error.filename else reason
    return f"{type(error).__name__}: {error}"


class Output:
    """Where one command prints to.

    Args:
        form: table or JSON.
        quiet: leave out messages; warnings stay.
        verbose: add details.
    """

    def __init__(self, form: OutputFormat, *, quiet: bool, verbose: bool = False) -> None:
        self.form = form
        self.quiet = quiet
        self.verbose = verbose

    def result(self, document: Mapping[str, Any], table: "Callable[[], RenderableType]") -> None:
        """Print a result on stdout: the document as JSON, or else the table."""
        if self.form is OutputFormat.JSON:
            from softmax_cli.runs.tables import json_value

            sys.stdout.write(json_text(json_value(document), indent=2) + "\n")
        else:
            from rich.console import Console

            # Tables are laid out for the width; what is wider all the same is not to be cut.
            console = Console(highlight=False, markup=False, emoji=False)
            console.print(table(), soft_wrap=True)
        sys.stdout.flush()

    def message(self, text: str) -> None:
        """Say something on stderr, unless quiet."""
        if not self.quiet:
            stderr_console().print(as_called(text))

    def detail(self, text: str) -> None:
        """Say something on stderr if verbose."""
        if self.verbose:
            stderr_console().print(text, style="dim")

    def warning(self, text: str) -> None:
        """Warn on stderr."""
        from rich.text import Text

        stderr_console().print(Text.assemble(("Warning: ", "bold yellow"), as_called(text)))


def json_text(document: Any, *, indent: int | None = None) -> str:
    """JSON that stdout can encode: characters that its encoding lacks are written as escapes."""
    import json

    escaped = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    return json.dumps(document, indent=indent, ensure_ascii=escaped, allow_nan=False)


def percent(fraction: float | None) -> str:
    """A fraction as a percentage with two decimals; a dash where there is none."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def percent_with_interval(fraction: float | None, interval: "Interval | None") -> str:
    """A fraction as a percentage, and its interval in brackets where there is one."""
    if interval is None:
        return percent(fraction)
    low, high = interval
    return f"{percent(fraction)} ({100 * low:.1f} to {100 * high:.1f} %)"


def number_with_interval(number: float, interval: "Interval | None") -> str:
    """A loss with four decimals, and its interval in brackets where there is one."""
    if interval is None:
        return f"{number:.4f}"
    return f"{number:.4f} ({interval[0]:.4f} to {interval[1]:.4f})"
