"""Drawing pictures into run directories."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softmax_cli.runs.directory import RunDirectory


def draw_curves(run: "RunDirectory") -> None:
    """Draw ``metrics.csv`` as ``curves.png``, where a validation was made at all."""
    from softmax_cli.plots.curves import CURVE_COLUMNS, curves_figure
    from softmax_cli.plots.style import render
    from softmax_cli.runs.atomic import write_bytes
    from softmax_cli.runs.tables import read_numbers

    columns = read_numbers(run.path / "metrics.csv", CURVE_COLUMNS)
    if columns["iteration"]:
        figure = curves_figure(columns, title=run.path.name)
        write_bytes(run.path / "curves.png", render(figure, "png"))
