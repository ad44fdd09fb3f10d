from collections.abc import Callable

import numpy as np
import pytest

from softmax_cli.config.schema import TrainConfig
from softmax_cli.model import softmax_loss_vectorized
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.random_streams import RandomStreams
from softmax_cli.training.sampling import with_replacement
from softmax_cli.training.trainer import Progress, SgdTrainer, Status, Trainer
from softmax_cli.training.training_data import TrainingData

Settings = Callable[..., TrainConfig]


def train(trainer: Trainer) -> list[Progress]:
    return list(trainer.train())


def member(trainer: Trainer, index: int) -> np.ndarray:
    weights, bias = trainer.stack.member(index)
    return np.vstack([weights, bias])


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def test_agrees_with_a_plain_loop_in_float64(settings: Settings, data: TrainingData) -> None:
    config = settings()
    trainer = build_trainer([config], data)
    W = member(trainer, 0).astype(np.float64)
    train(trainer)
    sample = with_replacement(600, 20, RandomStreams.of(config).sampling)
    X = np.empty(data.train.images.shape, np.float32)
    data.standardization.apply(data.train.images, X)
    X = np.hstack([X, np.ones((600, 1))])
    for step in range(40):
        rows = sample(step)
        _, dW = softmax_loss_vectorized(W, X[rows], data.train.labels[rows], 0.1)
        W -= 0.01 * dW
    assert relative_error(member(trainer, 0), W) < 1e-5


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("loss", ["softmax", "hinge"])
def test_each_member_agrees_with_the_same_model_alone(
    settings: Settings, data: TrainingData, loss: str, momentum: float
) -> None:
    configs = [
        settings(
            **{
                "model.loss": loss,
                "model.weight_scale": scale,
                "optimizer.learning_rate": rate,
                "optimizer.regularization": regularization,
                "optimizer.momentum": momentum,
            }
        )
        for rate, regularization, scale in [(1e-3, 0.0, 1e-3), (1e-2, 0.5, 0.0), (3e-3, 5.0, 0.1)]
    ]
    together = build_trainer(configs, data)
    train(together)
    for k, config in enumerate(configs):
        alone = build_trainer([config], data)
        train(alone)
        assert relative_error(member(together, k), member(alone, 0)) < 1e-4
        stacked, single = together.history[-1], alone.history[-1]
        assert stacked.train_loss[k] == pytest.approx(single.train_loss[0], rel=1e-4)
        assert stacked.validation_accuracy[k] == pytest.approx(single.validation_accuracy[0])


def test_training_lowers_the_loss_and_reports_it(settings: Settings, data: TrainingData) -> None:
    trainer = build_trainer([settings(**{"training.iterations": 200})], data)
    progress = train(trainer)
    assert [p.iteration for p in progress] == list(range(1, 201))
    assert [p.iteration for p in progress if p.measurement] == list(range(10, 201, 10))
    losses = [float(row.train_loss[0]) for row in trainer.history]
    assert losses[-1] < 0.7 * losses[0]
    assert trainer.history[-1].validation_accuracy[0] > 0.5


def test_the_last_step_is_always_validated(settings: Settings, data: TrainingData) -> None:
    trainer = build_trainer([settings(**{"training.iterations": 25})], data)
    train(trainer)
    assert [row.iteration for row in trainer.history] == [10, 20, 25]


def test_a_diverging_member_is_named_and_leaves_the_others_bit_unchanged(
    settings: Settings, data: TrainingData
) -> None:
    calm = [settings(), settings(), settings(**{"optimizer.momentum": 0.9})]
    wild = settings(**{"optimizer.learning_rate": 1e6, "optimizer.regularization": 1e3})
    undisturbed = build_trainer([calm[0], calm[1], calm[2]], data)
    train(undisturbed)
    disturbed = build_trainer([calm[0], wild, calm[2]], data)
    progress = train(disturbed)
    for k in (0, 2):
        assert (member(disturbed, k) == member(undisturbed, k)).all()
    assert disturbed.status.tolist() == [Status.RUNNING, Status.DIVERGED, Status.RUNNING]
    named = [(p.iteration, p.diverged) for p in progress if p.diverged]
    assert named == [(int(disturbed.ended[1]) + 1, (1,))]
    assert np.isnan(disturbed.history[-1].validation_accuracy[1])
    assert not np.isnan(disturbed.history[-1].validation_accuracy[[0, 2]]).any()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("iterations", [10, 12, 25])
def test_weights_that_overflow_in_the_last_step_have_diverged(
    settings: Settings,
    data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
    iterations: int,
    momentum: float,
) -> None:
    values = {"training.iterations": iterations, "optimizer.momentum": momentum}
    trainer = build_trainer([settings(**values), settings(**values)], data)
    assert isinstance(trainer, SgdTrainer)
    undisturbed = build_trainer([settings(**values), settings(**values)], data)
    train(undisturbed)
    steps = trainer.train()
    progress = [next(steps) for _ in range(iterations - 1)]
    monkeypatch.setattr(trainer._engine, "backward", overflowing(trainer))
    progress += steps
    assert [p.diverged for p in progress] == [()] * (iterations - 1) + [(0,)]
    assert trainer.status.tolist() == [Status.DIVERGED, Status.RUNNING]
    assert trainer.ended.tolist() == [iterations, -1]
    assert np.isnan(trainer.history[-1].validation_loss).tolist() == [True, False]
    assert trainer.best.iteration[0] < iterations
    assert np.isfinite(trainer.best.member(0)[0]).all()
    assert (member(trainer, 1) == member(undisturbed, 1)).all()


def test_weights_that_overflow_before_a_validation_are_told_of_once_and_cleared(
    settings: Settings, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = build_trainer([settings(), settings()], data)
    assert isinstance(trainer, SgdTrainer)
    progress = []
    for step in trainer.train():
        progress.append(step)
        if step.iteration == 19:
            monkeypatch.setattr(trainer._engine, "backward", overflowing(trainer))
        elif step.iteration == 20:
            monkeypatch.undo()
    assert [(p.iteration, p.diverged) for p in progress if p.diverged] == [(20, (0,))]
    assert trainer.ended.tolist() == [20, -1]
    assert trainer.best.iteration[0] == 10
    assert not member(trainer, 0).any()
    assert np.isnan(trainer.history[-1].train_loss).tolist() == [True, False]
    assert len(progress) == 40


def overflowing(trainer: SgdTrainer) -> Callable[[np.ndarray], None]:
    """A backward step that takes the first model beyond all numbers."""
    backward = trainer._engine.backward

    def step(learning_rate: np.ndarray) -> None:
        backward(learning_rate)
        trainer.stack.shrinkage[0] = 1e60

    return step


def test_training_ends_when_every_member_has_diverged(
    settings: Settings, data: TrainingData
) -> None:
    wild = settings(**{"optimizer.learning_rate": 1e6, "optimizer.regularization": 1e3})
    trainer = build_trainer([wild, wild], data)
    assert len(train(trainer)) < 40
    assert (trainer.status == Status.DIVERGED).all()


def test_early_stopping_keeps_the_best_weights(settings: Settings, data: TrainingData) -> None:
    values = {
        "training.early_stopping": {"patience": 2},
        "training.iterations": 2000,
        "optimizer.learning_rate": 0.03,
    }
    trainer = build_trainer([settings(**values)], data)
    train(trainer)
    accuracies = [float(row.validation_accuracy[0]) for row in trainer.history]
    best = int(np.argmax(accuracies))
    assert trainer.status[0] == Status.STOPPED
    assert trainer.iteration < 2000
    assert len(accuracies) == best + 1 + 2
    assert trainer.best.iteration[0] == trainer.history[best].iteration
    assert trainer.best.accuracy[0] == max(accuracies)
    replay = build_trainer([settings(**values)], data)
    for progress in replay.train():
        if progress.iteration == trainer.best.iteration[0]:
            break
    assert (trainer.best.member(0)[0] == replay.stack.member(0)[0]).all()


def test_a_stopped_member_keeps_its_weights_while_others_go_on(
    settings: Settings, data: TrainingData
) -> None:
    patient = {"training.early_stopping": {"patience": 3}, "optimizer.momentum": 0.9}
    still = settings(**patient, **{"optimizer.learning_rate": 0.0})
    trainer = build_trainer([settings(**patient), still], data)
    start = member(trainer, 1)
    train(trainer)
    assert trainer.status.tolist() == [Status.RUNNING, Status.STOPPED]
    assert trainer.iteration == 40
    assert (member(trainer, 1) == start).all()


@pytest.mark.parametrize("kill_at", [1, 10, 17, 39, 40])
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"optimizer.momentum": 0.9, "optimizer.nesterov": True, "optimizer.schedule": "cosine"},
        {"training.sampling": "epoch", "augmentation.horizontal_flip": True},
        {"training.early_stopping": {"patience": 1}, "model.loss": "hinge"},
        {"model.temperature": {"start": 4.0, "end": 1.0, "decay": "exponential"}},
    ],
)
def test_a_restored_training_ends_in_the_same_bits(
    settings: Settings, data: TrainingData, values: dict[str, object], kill_at: int
) -> None:
    configs = [settings(**values), settings(**values, **{"optimizer.learning_rate": 3e-3})]
    whole = build_trainer(configs, data)
    train(whole)
    first = build_trainer(configs, data)
    for progress in first.train():
        if progress.iteration == kill_at:
            break
    saved = {name: array.copy() for name, array in first.state().items()}
    second = build_trainer(configs, data)
    second.restore(saved)
    train(second)
    expected, got = whole.state(), second.state()
    assert expected.keys() == got.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(array, got[name], err_msg=name)


def test_a_state_of_another_shape_is_refused(settings: Settings, data: TrainingData) -> None:
    one, two = build_trainer([settings()], data), build_trainer([settings()] * 2, data)
    with pytest.raises(ValueError, match="expected"):
        one.restore(two.state())
    with pytest.raises(ValueError, match="expected the arrays"):
        one.restore({})
