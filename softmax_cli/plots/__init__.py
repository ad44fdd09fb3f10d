"""Pictures: arrays in, a matplotlib figure out, and `render` to turn it into bytes.

Importing this package imports matplotlib; import it where a picture is wanted, not before.
"""

from softmax_cli.plots.curves import CURVE_COLUMNS, curves_figure
from softmax_cli.plots.style import PictureFormat, render

__all__ = ["CURVE_COLUMNS", "PictureFormat", "curves_figure", "render"]
