import io
import math
import subprocess
import sys

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from softmax_cli.errors import ConfigurationError
from softmax_cli.plots import render
from softmax_cli.plots.style import new_figure, readable_number, readable_percent, styled
from softmax_cli.runs.pictures import PictureFormat


@styled
def small_figure(name: str = "a name") -> Figure:
    figure = new_figure(3, 2, "title")
    axes = figure.subplots()
    axes.plot([0, 1], [1, 0])
    axes.set_xlabel(name)
    return figure


# The title adds a quarter of an inch.
@pytest.mark.parametrize("dpi", [50, 100, 150])
def test_png_measures_inches_times_dpi(dpi: int) -> None:
    with Image.open(io.BytesIO(render(small_figure(), "png", dpi))) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (3 * dpi, int(2.25 * dpi)))


@pytest.mark.parametrize(
    ("picture_format", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_equal_figures_give_equal_bytes(picture_format: PictureFormat, start: bytes) -> None:
    first = render(small_figure(), picture_format)

    assert first.startswith(start)
    assert render(small_figure(), picture_format) == first
    assert render(small_figure("another name"), picture_format) != first


@pytest.mark.parametrize("picture_format", ["png", "svg", "pdf"])
def test_no_version_or_date_is_written(picture_format: PictureFormat) -> None:
    content = render(small_figure(), picture_format)

    assert mpl.__version__.encode() not in content
    assert b"CreationDate" not in content
    assert b"dc:date" not in content


def test_a_user_s_settings_do_not_show_and_come_back() -> None:
    plain = render(small_figure())
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "text.parse_math": True}):
        assert render(small_figure()) == plain
        assert mpl.rcParams["font.size"] == 30
        assert mpl.rcParams["axes.grid"] is True
        assert mpl.rcParams["axes.spines.top"] is True


def test_pyplot_is_never_imported() -> None:
    script = (
        "import sys; from softmax_cli.plots import render; "
        "from softmax_cli.plots.style import new_figure; render(new_figure(1, 1)); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_dollar_signs_in_names_are_text() -> None:
    assert render(small_figure("a $5 frog and a $\\broken one"), "png", 50)


@pytest.mark.parametrize(("picture_format", "dpi"), [("gif", 100), ("png", 0), ("png", math.nan)])
def test_impossible_pictures_are_refused(picture_format: PictureFormat, dpi: float) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        render(small_figure(), picture_format, dpi)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (0.5, "0.5"),
        (0.01, "0.01"),
        (8e3, "8000"),
        (21_000, "21000"),
        (1e5, "1e5"),
        (1.5e-7, "1.5e-7"),
        (-1e-3, "-1e-3"),
        (9167.3, "9167"),
        (1.23456e-9, "1.235e-9"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert readable_number(value) == text


def test_shares_are_written_as_percent() -> None:
    assert [readable_percent(x) for x in (0, 0.4267, 1)] == ["0 %", "42.67 %", "100 %"]


@pytest.mark.parametrize("title", ["図", "$\\frac{$", "no text \udcff", "a\x1bb"])
def test_any_name_can_be_a_title(title: str) -> None:
    assert render(new_figure(2, 2, title), dpi=30)
