"""Small trainings that finish in milliseconds."""

from collections.abc import Callable

import pytest

from softmax_cli.config.loading import with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.training.training_data import TrainingData, load_training_data

SMALL = {
    "data.dataset": "synthetic",
    "data.train_size": 600,
    "data.validation_size": 200,
    "preprocessing.scale": "pixel",
    "optimizer.learning_rate": 0.01,
    "optimizer.regularization": 0.1,
    "training.batch_size": 20,
    "training.validate_every": 10,
    "training.checkpoint_every": 10,
}


@pytest.fixture
def settings() -> Callable[..., TrainConfig]:
    """``settings(**{"optimizer.momentum": 0.9})``: a small training with some values changed."""

    def build(**values: object) -> TrainConfig:
        length = {} if "training.epochs" in values else {"training.iterations": 40}
        return with_values(TrainConfig(), {**SMALL, **length, **values})  # type: ignore[dict-item]

    return build


@pytest.fixture(scope="session")
def data() -> TrainingData:
    """What the small trainings train on, unless they change preprocessing or split."""
    return load_training_data(with_values(TrainConfig(), SMALL))  # type: ignore[arg-type]
