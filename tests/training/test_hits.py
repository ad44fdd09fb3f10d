from typing import Any

import numpy as np
import pytest

from softmax_cli.config.loading import with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.hits import validation_hits
from softmax_cli.training.training_data import load_training_data

SMALL: dict[str, Any] = {
    "data.dataset": "synthetic",
    "data.train_size": 300,
    "data.validation_size": 77,
    "training.iterations": 30,
    "training.validate_every": 10,
    "training.batch_size": 20,
    "optimizer.regularization": 0.1,
    "preprocessing.scale": "pixel",
}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"augmentation.horizontal_flip": "exact"},
        {"training.early_stopping": {"patience": 1}},
    ],
)
def test_hits_are_those_that_validation_counted(values: dict[str, Any]) -> None:
    base = with_values(TrainConfig(), {**SMALL, **values})
    # More models than are scored at once.
    configs = [with_values(base, {"optimizer.learning_rate": 1e-4 * (k + 1)}) for k in range(18)]
    data = load_training_data(base)
    trainer = build_trainer(configs, data)
    for _ in trainer.train():
        pass
    hits = validation_hits(configs, data, trainer)
    if trainer.early_stopping:
        expected = trainer.best.accuracy
    else:
        expected = trainer.history[-1].validation_accuracy
    assert hits.shape == (18, 77)
    np.testing.assert_allclose(hits.mean(axis=1), expected, atol=1e-9)
