"""How every picture of this package looks, and how it becomes bytes.

Only matplotlib's object interface is used: no pyplot, no window system, no figure kept alive by a
registry. Settings apply inside `styled` functions and are put back afterwards, so neither a user's
matplotlibrc nor another library's settings show in our pictures, nor ours in theirs.
"""

import io
import math
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from softmax_cli.errors import ConfigurationError
from softmax_cli.runs.pictures import PICTURE_FORMATS, PictureFormat

P = ParamSpec("P")
R = TypeVar("R")

# Okabe and Ito, "Color Universal Design" (2008): told apart under every common colour blindness.
BLUE, SKY, ORANGE, GREEN, VERMILION, PURPLE, GREY = (
    "#0072B2",
    "#56B4E9",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#6E6E6E",
)

_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "figure.titlesize": 11.5,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    # A class may be called "$5": names are text, never formulas.
    "text.parse_math": False,
    # SVG identifiers are random unless salted.
    "svg.hashsalt": "softmax",
    "pdf.fonttype": 42,
}

_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Creator": None, "Date": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}


@contextmanager
def _settings() -> Iterator[None]:
    with mpl.rc_context():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mpl.MatplotlibDeprecationWarning)
            # Not `rcdefaults`, which reads the style sheets in the user's home.
            mpl.rcParams.update({k: v for k, v in mpl.rcParamsDefault.items() if k != "backend"})
        mpl.rcParams.update(_SETTINGS)
        yield


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function under this package's settings, whatever matplotlib's are."""

    @wraps(draw)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with _settings():
            return draw(*args, **kwargs)

    return run


def new_figure(width: float, height: float, title: str = "", *, column_gap: float = 0.02) -> Figure:
    """Return an empty figure with constrained layout.

    Args:
        width: inches.
        height: inches, without the title.
        title: above everything, in as many lines as it takes; none if empty.
        column_gap: least space between columns of panels, as a share of a panel's width.
    """
    # A name of a file need not be text.
    title = title.encode("utf-8", "replace").decode("utf-8")
    lines = [part for line in title.splitlines() for part in textwrap.wrap(line, int(10 * width))]
    figure = Figure(
        figsize=(width, height + 0.25 * len(lines)),
        layout=ConstrainedLayoutEngine(wspace=column_gap),
    )
    FigureCanvasAgg(figure)
    if lines:
        figure.suptitle("\n".join(lines), parse_math=False)
    return figure


@styled
def render(figure: Figure, picture_format: PictureFormat = "png", dpi: float = 150) -> bytes:
    """Return the bytes of a picture file; equal figures give equal bytes.

    The picture measures the figure's size in inches times ``dpi`` pixels. Nothing that varies from
    run to run (dates, versions) is written into it.

    Args:
        figure: what one of this package's plot functions returned.
        picture_format: ``png``, ``svg`` or ``pdf``.
        dpi: dots per inch, also of the bitmaps inside svg and pdf.

    Raises:
        ConfigurationError: the format is none of the three, or dpi is not positive.
    """
    if picture_format not in PICTURE_FORMATS:
        raise ConfigurationError(f"expected a picture as png, svg or pdf, got {picture_format!r}")
    if not dpi > 0:
        raise ConfigurationError(f"expected dpi above 0, got {dpi}")
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A character that the font lacks is drawn as a box; a warning would add nothing.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(
            buffer, format=picture_format, dpi=dpi, metadata=_METADATA[picture_format].copy()
        )
    return buffer.getvalue()


def readable_number(value: float, _position: int | None = None) -> str:
    """Write a number as a person would: ``8000``, ``0.05``, ``1.5e-7``.

    Four significant digits at most, an exponent below 0.01 and from 100,000 on. The second argument
    lets this serve as a matplotlib tick formatter.
    """
    if value == 0 or not math.isfinite(value) or 1e-2 <= abs(value) < 1e4:
        return f"{value + 0.0:.4g}"
    if 1e4 <= abs(value) < 1e5:
        return f"{value:.0f}"
    mantissa, _, exponent = f"{value:.3e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def readable_percent(share: float, _position: int | None = None) -> str:
    """Write a share from 0 to 1 as ``42.7 %``; usable as a matplotlib tick formatter."""
    return f"{100 * share + 0.0:.4g} %"


def short_name(name: str, limit: int) -> str:
    """Cut a name to ``limit`` characters, the last an ellipsis if any were lost."""
    return name if len(name) <= limit else name[: limit - 1].rstrip() + "…"


def ink_on(colour_map: Colormap, share: float) -> str:
    """Return black or white, whichever is read more easily on a colour.

    Args:
        colour_map: where the colour comes from.
        share: position in the map, 0 to 1.
    """
    red, green, blue, _ = colour_map(share)
    # Luma by Rec. 709; at 0.45 black and white are about equally readable.
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "white"


def grid_lines(axes: Axes) -> None:
    """Draw pale lines across at the vertical ticks."""
    axes.grid(visible=True, axis="y")


def legend_above(axes: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Put a one-line legend over the right end of a panel, where it can cover no data.

    Args:
        axes: the panel.
        handles: what to list; everything labelled if None.
    """
    listed = axes.get_legend_handles_labels()[0] if handles is None else handles
    axes.legend(
        handles=listed,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=max(1, len(listed)),
        borderaxespad=0.1,
        borderpad=0.2,
    )
