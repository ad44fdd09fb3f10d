"""Pictures: arrays in, a matplotlib figure out, and `render` to turn it into bytes.

Importing this package imports matplotlib; import it where a picture is wanted, not before.
"""

from softmax_cli.plots.isolation import isolated

with isolated():
    from matplotlib.figure import Figure

    from softmax_cli.plots.confusion import confusion_figure
    from softmax_cli.plots.curves import CURVE_COLUMNS, curves_figure
    from softmax_cli.plots.heatmap import heatmap_figure
    from softmax_cli.plots.hog_strokes import strokes_figure
    from softmax_cli.plots.mistakes import mistakes_figure
    from softmax_cli.plots.patch_grids import dictionary_figure, patches_figure
    from softmax_cli.plots.preview import half_block_lines, preview_lines
    from softmax_cli.plots.reliability import reliability_figure
    from softmax_cli.plots.style import render
    from softmax_cli.plots.templates import template_images, templates_figure
    from softmax_cli.plots.weight_scale import TemplateScale

__all__ = [
    "CURVE_COLUMNS",
    "Figure",
    "TemplateScale",
    "confusion_figure",
    "curves_figure",
    "dictionary_figure",
    "half_block_lines",
    "heatmap_figure",
    "mistakes_figure",
    "patches_figure",
    "preview_lines",
    "reliability_figure",
    "render",
    "strokes_figure",
    "template_images",
    "templates_figure",
]
