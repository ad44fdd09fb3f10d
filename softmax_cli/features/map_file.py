"""The file of what a feature map learned from training images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmax_cli.errors import DataError
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.feature_maps import fitted_map
from softmax_cli.runs.sealed import SealedFormat, read_sealed, write_sealed

MAP_FORMAT = SealedFormat(
    kind="feature map",
    version=1,
    error=DataError,
    header_limit=2**20,
    allows_non_finite=False,
    noted_in="settings",
)


@dataclass(frozen=True)
class MapFile:
    """Where a fitted map is, or will be.

    Attributes:
        path: the file.
        settings: the section ``features`` of the configuration that the map is made from.
    """

    path: Path
    settings: Mapping[str, Any]

    def exists(self) -> bool:
        """Whether it is there, intact or not."""
        return self.path.exists()

    def write(self, fitted: FeatureMap) -> None:
        """Write a fitted map.

        Raises:
            OSError: it could not be written.
        """
        document = {"settings": dict(self.settings)}
        write_sealed(self.path, MAP_FORMAT, tensors=fitted.arrays(), document=document)

    def read(self) -> FeatureMap:
        """The fitted map.

        Raises:
            DataError: it is not there, or not intact.
            ValueError: it holds other arrays than such a map has.
        """
        tensors, _ = read_sealed(self.path, MAP_FORMAT)
        return fitted_map(self.settings, tensors)
