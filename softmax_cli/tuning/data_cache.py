"""Training data in memory, kept from one stack to the next."""

import json

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
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

    def of(self, config: TrainConfig) -> TrainingData:
        """The training data of a configuration, loaded unless it is there already.

        Raises:
            DataError: the data set is missing or not intact.
            ConfigurationError: it is too small for the split.
        """
        values = plain_values(config)
        used = [values.get(section) for section in USED_SECTIONS]
        settings = json.dumps(used, sort_keys=True)
        if self._data is None or settings != self._settings:
            self._data = None  # Two data sets in memory would be one too many.
            self._data = load_training_data(config)
            self._settings = settings
        return self._data
