"""The feature maps that ``features.kind`` can name.

To add one: a file with its :class:`~softmax_cli.features.feature_map.FeatureMap`, an entry here,
and its keys in ``softmax_cli/config/schema.py``.
"""

from typing import Final

from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.pixels import Pixels

FEATURE_MAPS: Final[dict[str, type[FeatureMap]]] = {Pixels.kind: Pixels}
