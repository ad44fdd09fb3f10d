"""Training to the optimum, from settings to a run directory."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import to_yaml
from softmax_cli.errors import InterruptedRunError
from softmax_cli.runs.directory import create_run_directory, open_run_directory
from softmax_cli.training.assembly import build_trainer, certify_trainer
from softmax_cli.training.results import TrainingSummary, finished_summary
from softmax_cli.training.single_run import train_in_directory
from softmax_cli.training.trainer import Status, Trainer
from softmax_cli.training.training_data import TrainingData, load_training_data
from tests.training.conftest import Watcher

Settings = Callable[..., TrainConfig]
DECAYS = [0.03, 0.1, 1.0]


def trained(configs: list[TrainConfig], data: TrainingData, *, folds: int = 1) -> Trainer:
    trainer = build_trainer(configs, data, folds=folds)
    list(trainer.train())
    return trainer


def member(trainer: Trainer, index: int) -> np.ndarray:
    return np.vstack(trainer.stack.member(index))


def begin(
    path: Path, config: TrainConfig, data: TrainingData, watcher: Watcher | None = None
) -> TrainingSummary:
    with create_run_directory(path, kind="train", settings=to_yaml(config)) as run:
        return train_in_directory(run, config, data, watcher or Watcher(), resume=False)


def test_a_stack_ends_at_its_optima_and_proves_it(optimum: Settings, data: TrainingData) -> None:
    configs = [optimum(**{"optimizer.regularization": decay}) for decay in DECAYS]
    trainer = trained(configs, data)
    proven = certify_trainer(trainer, configs, data)
    assert proven is not None
    assert (trainer.status == Status.CONVERGED).all()
    assert (proven.gradient_norm <= 1e-4).all()
    assert (proven.bound < 1e-2).all()
    assert trainer.ended.max() == trainer.iteration < 100
    assert [row.iteration for row in trainer.history] == list(range(1, trainer.iteration + 1))
    # The further it goes the lower is the objective, and the loss is that of all images.
    penalty = [0.5 * d * np.sum(member(trainer, k) ** 2) for k, d in enumerate(DECAYS)]
    np.testing.assert_allclose(
        proven.objective, trainer.history[-1].train_loss + penalty, rtol=1e-6
    )
    assert ((trainer.history[-1].train_accuracy > 0.3) & (trainer.best.accuracy > 0.3)).all()


def test_a_model_ends_up_alone_where_it_ends_up_in_a_stack(
    optimum: Settings, data: TrainingData
) -> None:
    tight = {"optimizer.tolerance": 1e-6}
    configs = [optimum(**{"optimizer.regularization": decay, **tight}) for decay in DECAYS]
    together = trained(configs, data)
    for place, config in enumerate(configs):
        alone = member(trained([config], data), 0)
        np.testing.assert_allclose(member(together, place), alone, atol=1e-5)


def test_folding_is_what_mirrored_images_amount_to(optimum: Settings) -> None:
    # What standardisation learns differs: only that for folding looks at mirrored images.
    unstandardised = {"preprocessing.center": False, "preprocessing.scale": "unit"}
    objectives, losses, bounds = [], [], []
    for flip in (True, "exact"):
        config = optimum(**{"augmentation.horizontal_flip": flip, **unstandardised})
        data = load_training_data(config)
        trainer = trained([config], data)
        proven = certify_trainer(trainer, [config], data)
        assert proven is not None
        objectives.append(proven.objective[0])
        bounds.append(proven.bound[0])
        losses.append(trainer.history[-1].validation_loss[0])
    assert abs(objectives[0] - objectives[1]) <= max(bounds) < 1e-4
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_fold_learns_what_a_training_without_its_images_learns(
    optimum: Settings, data: TrainingData
) -> None:
    config = optimum(**{"optimizer.tolerance": 1e-6})
    trainer = trained([config], data, folds=3)
    assert np.isnan(trainer.history[-2].validation_loss).all()
    assert np.isfinite(trainer.history[-1].validation_loss).all()
    without_last = replace(
        data, train=data.train.take_first(400), train_features=data.train_features[:400]
    )
    np.testing.assert_allclose(
        member(trainer, 2), member(trained([config], without_last), 0), atol=1e-5
    )


def test_temperature_is_that_of_the_loss(optimum: Settings, data: TrainingData) -> None:
    # At twice the temperature, weights twice as large give the same losses.
    tight = {"optimizer.tolerance": 1e-6}
    cold = optimum(**tight)
    warm = optimum(**tight, **{"model.temperature": 2.0, "optimizer.regularization": 0.025})
    trainer = trained([cold, warm], data)
    np.testing.assert_allclose(2 * member(trainer, 0), member(trainer, 1), atol=2e-5)


@pytest.mark.parametrize("stop", [1, 7])
def test_resumed_is_uninterrupted_bit_for_bit(
    optimum: Settings, data: TrainingData, tmp_path: Path, stop: int
) -> None:
    config = optimum()
    whole = begin(tmp_path / "whole", config, data)
    with pytest.raises(InterruptedRunError, match=f"after {stop} of 200 iterations"):
        begin(tmp_path / "cut", config, data, Watcher(stop_after=stop))
    watcher = Watcher()
    with open_run_directory(tmp_path / "cut", kind="train", exclusive=True) as run:
        resumed = train_in_directory(run, config, data, watcher, resume=True)
    assert watcher.started_at == [stop]
    assert replace(resumed, seconds=0) == replace(whole, seconds=0)
    for name in ("model.safetensors", "metrics.csv"):
        a, b = (tmp_path / run / name for run in ("whole", "cut"))
        assert a.read_bytes() == b.read_bytes()


def test_a_summary_says_how_far_the_optimum_is(
    optimum: Settings, data: TrainingData, tmp_path: Path
) -> None:
    summary = begin(tmp_path / "run", optimum(), data)
    assert summary.converged
    assert summary.gradient_norm is not None
    assert summary.gradient_norm <= 1e-4
    assert summary.optimality_bound is not None
    assert summary.optimality_bound < 1e-3
    with open_run_directory(tmp_path / "run", kind="train") as run:
        assert finished_summary(run) == summary
    assert load_file(tmp_path / "run/model.safetensors")["weights"].shape == (3072, 10)


def test_too_few_iterations_are_told_of(
    optimum: Settings, data: TrainingData, tmp_path: Path
) -> None:
    summary = begin(tmp_path / "run", optimum(**{"optimizer.max_iterations": 3}), data)
    assert (summary.iterations, summary.converged) == (3, False)
    assert summary.validation_accuracy is not None


def test_without_regularisation_there_is_no_bound(
    optimum: Settings, data: TrainingData, tmp_path: Path
) -> None:
    summary = begin(tmp_path / "run", optimum(**{"optimizer.regularization": 0.0}), data)
    assert summary.optimality_bound is None
    assert summary.converged


def test_a_gradient_that_is_small_at_once_is_a_result(
    optimum: Settings, data: TrainingData, tmp_path: Path
) -> None:
    summary = begin(tmp_path / "run", optimum(**{"optimizer.tolerance": 1e3}), data)
    assert (summary.iterations, summary.converged) == (1, True)
    assert summary.train_loss == pytest.approx(math.log(10))


def test_features_beyond_float32_diverge(
    optimum: Settings, data: TrainingData, tmp_path: Path
) -> None:
    features = data.train_features.astype(np.float32)
    features[0, 0] = np.inf
    summary = begin(tmp_path / "run", optimum(), replace(data, train_features=features))
    assert summary.diverged
    assert summary.gradient_norm is None


def test_sgd_is_certified_on_request(
    settings: Settings, optimum: Settings, data: TrainingData, tmp_path: Path
) -> None:
    plain = begin(tmp_path / "plain", settings(), data)
    assert plain.gradient_norm is None
    certified = begin(tmp_path / "certified", settings(**{"training.certificate": True}), data)
    assert certified.objective is not None
    assert certified.optimality_bound is not None
    assert certified.converged is None
    best = begin(tmp_path / "best", optimum(), data)
    assert best.objective is not None
    assert best.optimality_bound is not None
    above = certified.objective - best.objective
    assert 0 < above <= certified.optimality_bound + best.optimality_bound
