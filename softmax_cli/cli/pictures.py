"""Drawing pictures into run directories."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from softmax_cli.config.sweep_schema import SweepConfig
    from softmax_cli.runs.directory import RunDirectory
    from softmax_cli.tuning.outcomes import Outcome


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


def draw_heatmap(
    run: "RunDirectory", settings: "SweepConfig", outcomes: "Sequence[Outcome]"
) -> None:
    """Draw the validation accuracy of all trials, best first, as ``heatmap.png``."""
    from softmax_cli.plots.heatmap import heatmap_figure
    from softmax_cli.plots.style import render
    from softmax_cli.runs.atomic import write_bytes

    figure = heatmap_figure(
        {key: [outcome.parameters[key] for outcome in outcomes] for key in settings.parameters},
        [outcome.validation_accuracy for outcome in outcomes],
        best=0,
        title=run.path.name,
    )
    write_bytes(run.path / "heatmap.png", render(figure, "png"))
