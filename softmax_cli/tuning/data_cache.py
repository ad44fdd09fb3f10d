"""Training data in memory, kept from one stack to the next."""

import json

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.data.datasets import load_training_parts
from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.training.training_data import (
    USED_SECTIONS,
    TrainingData,
    load_training_data,
)


class DataCache:
    """The training data of the configuration that asked last; one set in memory is enough."""

    def __init__(self) -> None:
        self._settings = ""
        self._data: TrainingData | None = None
        self._digests: dict[str, str] = {}

    def of(self, config: TrainConfig, observer: ExtractionObserver | None = None) -> TrainingData:
        """The training data of a configuration, loaded unless it is there already.

        Args:
            config: names the data.
            observer: is told of features that take long to compute.

        Raises:
            DataError: the data set is missing or not intact.
            ConfigurationError: it is too small for the split.
        """
        settings = _used_settings(config)
        if self._data is None or settings != self._settings:
            self._data = None  # Two data sets in memory would be one too many.
            self._data = load_training_data(config, observer)
            self._settings = settings
        return self._data

    def train_digest(self, config: TrainConfig) -> str:
        """The digest of a configuration's training images; features are not computed for it.

        Raises:
            DataError: the data set is missing or not intact.
            ConfigurationError: it is too small for the split.
        """
        if self._data is not None and _used_settings(config) == self._settings:
            return self._data.train.digest
        settings = config.data.model_dump_json()
        if settings not in self._digests:
            self._digests[settings] = load_training_parts(config.data)[0].digest
        return self._digests[settings]


def _used_settings(config: TrainConfig) -> str:
    """The settings that training data depends on, as one text."""
    values = plain_values(config)
    used = [values.get(section) for section in USED_SECTIONS]
    if "features" in values:
        used.append(config.seed)  # maps other than pixels may draw from it
    return json.dumps(used, sort_keys=True)
