"""The feature maps that ``features.kind`` can name.

To add one: a file with its :class:`~softmax_cli.features.feature_map.FeatureMap`, an entry here,
and its keys in ``softmax_cli/config/feature_schema.py``.
"""

from collections.abc import Mapping
from typing import Any, Final

from softmax_cli.arrays import Arrays
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.hog import Hog
from softmax_cli.features.patches import Patches
from softmax_cli.features.pixels import Pixels
from softmax_cli.features.quantized import Quantized

FEATURE_MAPS: Final[dict[str, type[FeatureMap]]] = {
    feature_map.kind: feature_map for feature_map in (Pixels, Hog, Patches)
}


def unfitted_map(settings: Mapping[str, Any]) -> FeatureMap:
    """The feature map of some settings, before it has learned anything.

    Args:
        settings: the section ``features`` of a configuration: ``kind``, perhaps ``storage``, and
            the keys of that kind.
    """
    feature_map, options = _parts(settings)
    unfitted = feature_map(**options)
    return Quantized(unfitted) if _is_quantized(settings) else unfitted


def fitted_map(settings: Mapping[str, Any], arrays: Arrays) -> FeatureMap:
    """The fitted feature map of these settings that gave these arrays.

    Raises:
        ValueError: the arrays are not those of such a map.
    """
    feature_map, options = _parts(settings)
    if _is_quantized(settings):
        return Quantized.from_arrays(arrays, feature_map=feature_map, **options)
    return feature_map.from_arrays(arrays, **options)


def _parts(settings: Mapping[str, Any]) -> tuple[type[FeatureMap], dict[str, Any]]:
    options = {key: value for key, value in settings.items() if key not in {"kind", "storage"}}
    return FEATURE_MAPS[settings["kind"]], options


def _is_quantized(settings: Mapping[str, Any]) -> bool:
    return settings.get("storage") == "bytes"
