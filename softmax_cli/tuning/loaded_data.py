"""Training data in memory, kept from one stack to the next."""

import json

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.training.assembly import TrainingData, load_training_data


class LoadedData:
    """The training data of the configuration that asked last; one set in memory is enough."""

    def __init__(self) -> None:
        self._settings = ""
        self._data: TrainingData | None = None

    def of(self, config: TrainConfig) -> TrainingData:
        """Images and preprocessing of a configuration, loaded unless they are there already.

        Raises:
            DataError: the data set is missing or not intact.
            ConfigurationError: it is too small for the split.
        """
        values = plain_values(config)
        # The augmentation is among them: preprocessing for folded images is flip-symmetric.
        used = [values[section] for section in ("data", "preprocessing", "augmentation")]
        settings = json.dumps(used, sort_keys=True)
        if self._data is None or settings != self._settings:
            self._data = None  # Two data sets in memory would be one too many.
            self._data = load_training_data(config)
            self._settings = settings
        return self._data
