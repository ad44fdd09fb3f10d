"""Small trainings that finish in milliseconds."""

from collections.abc import Callable

import pytest

from softmax_cli.config.loading import load_train_config, with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.training import preconditioner
from softmax_cli.training.trainer import Progress, Trainer
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


SMALL_OPTIMUM = {
    "data.dataset": "synthetic",
    "data.train_size": 600,
    "data.validation_size": 200,
    "augmentation.horizontal_flip": False,
    "optimizer.regularization": 0.1,
    "optimizer.tolerance": 1e-4,
    "training.checkpoint_every": 5,
}


@pytest.fixture
def optimum(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TrainConfig]:
    """``optimum(**{"optimizer.regularization": 1.0})``: a small training by L-BFGS.

    It is preconditioned by the diagonal of the Gram matrix: to decompose one of all pixels takes
    seconds.
    """
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 0)

    def build(**values: object) -> TrainConfig:
        return with_values(load_train_config("optimum"), {**SMALL_OPTIMUM, **values})  # type: ignore[dict-item]

    return build


@pytest.fixture(scope="session")
def data() -> TrainingData:
    """What the small trainings train on, unless they change preprocessing or split."""
    return load_training_data(with_values(TrainConfig(), SMALL))  # type: ignore[arg-type]


class Watcher:
    """Observer of a training that remembers, and may ask to stop after a number of steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.started_at: list[int] = []
        self.steps: list[int] = []
        self.warnings: list[str] = []
        self._stop_after = stop_after

    def started(self, trainer: Trainer) -> None:
        self.started_at.append(trainer.iteration)

    def progressed(self, trainer: Trainer, progress: Progress) -> None:
        self.steps.append(progress.iteration)

    def warned(self, message: str) -> None:
        self.warnings.append(message)

    def stop_requested(self) -> bool:
        return self._stop_after is not None and len(self.steps) >= self._stop_after
