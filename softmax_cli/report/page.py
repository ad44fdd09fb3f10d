"""From parts to one HTML page, which needs nothing beside itself."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from softmax_cli import __version__
from softmax_cli.report.parts import ComparisonPart, Note, RunPart

if TYPE_CHECKING:
    from markupsafe import Markup


def render_page(
    runs: Sequence[RunPart],
    comparison: ComparisonPart | None,
    notes: Sequence[Note],
    environment: Mapping[str, object],
) -> str:
    """The page of a report: equal parts give equal text.

    All that comes from runs (names, paths, settings) is escaped. A content security policy allows
    the page its own styles, its one script and ``data:`` pictures, and nothing from elsewhere.

    Args:
        runs: in the order in which they are shown.
        comparison: of these runs; None if there is none.
        notes: on the comparison.
        environment: software and processor that the report is made with.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("softmax_cli.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["breakable"] = _breakable
    script = templates.get_template("sorting.js").render()
    digest = b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    page = templates.get_template("report.html").render(
        runs=runs,
        comparison=comparison,
        notes=notes,
        environment=environment,
        script=script,
        script_digest=f"sha256-{digest}",
        version=__version__,
    )
    # A name of a file need not be text.
    return page.encode("utf-8", "backslashreplace").decode("utf-8")


def _breakable(name: str) -> "Markup":
    """A dotted key, escaped, that may be broken behind each point and underscore."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(map(escape, re.split(r"(?<=[._])", name)))
