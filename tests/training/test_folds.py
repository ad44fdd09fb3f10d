from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.config.schema import TrainConfig
from softmax_cli.errors import ConfigurationError
from softmax_cli.model import softmax_loss_vectorized
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.folds import fold_of_images, fold_weights
from softmax_cli.training.random_streams import RandomStreams
from softmax_cli.training.sampling import SAMPLERS
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import TrainingData

Settings = Callable[..., TrainConfig]


def train(trainer: Trainer) -> Trainer:
    for _ in trainer.train():
        pass
    return trainer


@given(folds=st.integers(2, 20), extra=st.integers(0, 200))
def test_every_image_is_in_one_fold_and_folds_are_of_a_size(folds: int, extra: int) -> None:
    found = fold_of_images(folds + extra, folds)
    assert (np.diff(found) >= 0).all()
    sizes = np.bincount(found, minlength=folds)
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1


def test_fewer_images_than_folds_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 5 training images for 5 folds, got 4"):
        fold_of_images(4, 5)


def test_the_own_fold_has_weight_zero_and_the_others_sum_to_the_minibatch() -> None:
    weights = fold_weights(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 1]))
    third = 4 / 3
    expected = [[0, 0, 2, 2], [third, third, 0, third], [third, third, third, 0]]
    got = weights(np.array([0, 1, 2, 4]))
    np.testing.assert_allclose(got, np.array([*expected, expected[1]]))


def test_a_minibatch_within_the_own_fold_teaches_nothing() -> None:
    weights = fold_weights(np.array([0, 0, 1]), np.array([0, 1]))
    np.testing.assert_array_equal(weights(np.array([0, 1, 1])), [[0, 0, 0], [1, 1, 1]])


@pytest.mark.parametrize("sampling", ["replacement", "epoch"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_agrees_with_separate_trainings_in_plain_numpy(
    settings: Settings, data: TrainingData, sampling: str, momentum: float
) -> None:
    folds = 4
    configs = [
        settings(
            **{
                "optimizer.learning_rate": rate,
                "optimizer.regularization": regularization,
                "optimizer.momentum": momentum,
                "training.sampling": sampling,
            }
        )
        for rate, regularization in [(0.01, 0.1), (0.003, 1.0)]
    ]
    untrained = build_trainer(configs, data, folds=folds).stack
    trainer = train(build_trainer(configs, data, folds=folds))
    X = np.empty(data.train.images.shape, np.float32)
    data.standardization.apply(data.train.images, X)
    X = np.hstack([X, np.ones((len(X), 1))])
    y, n = data.train.labels, len(data.train)
    sampling_seed = RandomStreams.of(configs[0]).sampling
    sample = SAMPLERS[configs[0].training.sampling](n, 20, sampling_seed)
    for member in range(2 * folds):
        optimizer, fold = configs[member // folds].optimizer, member % folds
        mine = np.arange(n) * folds // n == fold
        weights, bias = untrained.member(member)
        W = np.vstack([weights, bias]).astype(np.float64)
        velocity = np.zeros_like(W)
        for step in range(40):
            rows = sample(step)
            rows = rows[~mine[rows]]
            _, dW = softmax_loss_vectorized(W, X[rows], y[rows], optimizer.regularization)
            velocity = momentum * velocity + dW
            W -= optimizer.learning_rate * velocity
        got = np.vstack(trainer.stack.member(member))
        assert np.linalg.norm(got - W) / np.linalg.norm(W) < 1e-4
        loss, _ = softmax_loss_vectorized(W, X[mine], y[mine], 0.0)
        last = trainer.history[-1]
        assert last.validation_loss[member] == pytest.approx(loss, rel=1e-4)
        accuracy = ((X[mine] @ W).argmax(axis=1) == y[mine]).mean()
        assert last.validation_accuracy[member] == pytest.approx(accuracy, abs=0.003)


def test_folds_are_scored_at_the_end_alone(settings: Settings, data: TrainingData) -> None:
    trainer = train(build_trainer([settings()], data, folds=3))
    scored = [bool(np.isfinite(row.validation_loss).all()) for row in trainer.history]
    assert [row.iteration for row in trainer.history] == [10, 20, 30, 40]
    assert scored == [False, False, False, True]


def test_folds_are_scored_where_training_is_going_to_stop(
    settings: Settings, data: TrainingData
) -> None:
    trainer = build_trainer([settings()], data, folds=3, stop=20)
    for _ in trainer.train(until=20):
        pass
    scored = [bool(np.isfinite(row.validation_loss).all()) for row in trainer.history]
    assert scored == [False, True]


def test_folds_are_always_scored_if_they_may_stop_early(
    settings: Settings, data: TrainingData
) -> None:
    patient = settings(**{"training.early_stopping": {"patience": 2}})
    trainer = train(build_trainer([patient], data, folds=3))
    assert all(np.isfinite(row.validation_loss).all() for row in trainer.history)
