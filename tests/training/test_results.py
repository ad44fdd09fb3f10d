"""What a finished training leaves behind in its run directory."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import ModelError
from softmax_cli.evaluation.metrics import accuracy
from softmax_cli.evaluation.predictor import loss_of, scores_of
from softmax_cli.features.pixels import Pixels
from softmax_cli.runs.directory import RunDirectory, create_run_directory
from softmax_cli.runs.model_file import SavedModel, load_model
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.history import COLUMNS
from softmax_cli.training.results import (
    TrainingSummary,
    finished_summary,
    write_metrics,
    write_results,
)
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import TrainingData, load_training_data

Settings = Callable[..., TrainConfig]

WILD = {"optimizer.learning_rate": 1e6, "optimizer.regularization": 1e3}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunDirectory]:
    with create_run_directory(tmp_path / "here", kind="train", settings="") as directory:
        yield directory


def trained(configs: list[TrainConfig], data: TrainingData) -> Trainer:
    trainer = build_trainer(configs, data)
    for _ in trainer.train():
        pass
    return trainer


def rows_of(run: RunDirectory) -> list[dict[str, str]]:
    with (run.path / "metrics.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def assert_figures(model: SavedModel, data: TrainingData, figures: dict[str, Any]) -> None:
    """Check figures against scores of the images themselves."""
    for part, images in (("train", data.train), ("validation", data.validation)):
        scores = scores_of(model, images.images)
        loss = loss_of(model).mean(scores, images.labels, model.temperature)
        assert figures[f"{part}_loss"] == loss
        assert figures[f"{part}_accuracy"] == accuracy(scores, images.labels)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"model.temperature": {"start": 4.0, "end": 0.5, "decay": "linear"}},
        {"model.loss": "hinge", "preprocessing.scale": "unit"},
        {"augmentation.horizontal_flip": "exact", "optimizer.momentum": 0.9},
        {"augmentation.horizontal_flip": True, "preprocessing.center": False},
    ],
)
def test_a_model_scores_images_as_the_summary_says(
    settings: Settings, run: RunDirectory, values: dict[str, Any]
) -> None:
    config = settings(**values)
    data = load_training_data(config)
    trainer = trained([config], data)
    summary = write_results(run, config, data, trainer, 0, 1.5)
    model = load_model(run.model_file)
    assert_figures(model, data, asdict(summary))
    last = trainer.history[-1]
    assert summary.validation_loss == pytest.approx(last.validation_loss[0], rel=1e-4)
    assert summary.validation_accuracy == pytest.approx(last.validation_accuracy[0], abs=0.005)
    assert model.temperature == last.temperature[0]
    assert model.settings == plain_values(config)
    assert model.data_digest == data.train.digest
    assert (summary.iterations, summary.saved_iteration, summary.seconds) == (40, 40, 1.5)
    assert (summary.stopped_early, summary.diverged) == (False, False)


def test_a_folded_training_leaves_flip_symmetric_weights_of_all_pixels(
    settings: Settings, run: RunDirectory
) -> None:
    config = settings(**{"augmentation.horizontal_flip": "exact"})
    data = load_training_data(config)
    write_results(run, config, data, trained([config], data), 0, 0.0)
    weights = load_model(run.model_file).weights
    assert weights.shape == (3072, 10)
    np.testing.assert_array_equal(weights, weights[Pixels().mirror])


def test_the_best_model_is_kept_beside_the_last(
    settings: Settings, data: TrainingData, run: RunDirectory
) -> None:
    # Steps this long make the accuracy go up and down.
    config = settings(**{"optimizer.learning_rate": 0.2, "training.iterations": 65})
    trainer = trained([config], data)
    summary = write_results(run, config, data, trainer, 0, 0.0)
    accuracies = [float(row.validation_accuracy[0]) for row in trainer.history]
    best = trainer.history[int(np.argmax(accuracies))].iteration
    assert best < 65
    assert (summary.best_iteration, summary.saved_iteration) == (best, 65)
    assert summary.best_validation_accuracy == pytest.approx(max(accuracies), abs=0.005)
    model = load_model(run.best_model_file)
    assert model.results["iteration"] == best
    assert_figures(model, data, model.results)
    weights, _ = trainer.stack.member(0)
    np.testing.assert_array_equal(load_model(run.model_file).weights, weights)


def test_where_the_last_weights_are_the_best_both_files_are_the_same(
    settings: Settings, data: TrainingData, run: RunDirectory
) -> None:
    config = settings(**{"training.iterations": 10})
    write_results(run, config, data, trained([config], data), 0, 0.0)
    assert run.model_file.read_bytes() == run.best_model_file.read_bytes()


def test_after_early_stopping_the_model_is_the_best_one(
    settings: Settings, data: TrainingData, run: RunDirectory
) -> None:
    config = settings(
        **{
            "training.early_stopping": {"patience": 2},
            "training.iterations": 2000,
            "optimizer.learning_rate": 0.1,
        }
    )
    trainer = trained([config], data)
    summary = write_results(run, config, data, trainer, 0, 0.0)
    assert summary.stopped_early
    assert summary.saved_iteration == summary.best_iteration == trainer.best.iteration[0]
    assert summary.iterations == trainer.iteration > trainer.best.iteration[0]
    assert summary.validation_accuracy == summary.best_validation_accuracy
    assert run.model_file.read_bytes() == run.best_model_file.read_bytes()


def test_a_training_that_diverged_at_once_leaves_no_model(
    settings: Settings, data: TrainingData, run: RunDirectory
) -> None:
    config = settings(**WILD)
    summary = write_results(run, config, data, trained([config], data), 0, 0.0)
    assert summary.diverged
    assert not run.model_file.exists()
    assert not run.best_model_file.exists()
    figures = asdict(summary)
    for name in ("iterations", "seconds", "stopped_early", "diverged"):
        del figures[name]
    assert set(figures.values()) == {None}
    assert rows_of(run) == []


def test_a_training_that_diverged_late_leaves_its_best_model(
    settings: Settings, data: TrainingData, run: RunDirectory
) -> None:
    config = settings()
    trainer = build_trainer([config], data)
    for _ in trainer.train(until=20):
        pass
    trainer.stack.weights[:] = np.inf
    for _ in trainer.train():
        pass
    summary = write_results(run, config, data, trainer, 0, 0.0)
    assert summary.diverged
    assert (summary.saved_iteration, summary.validation_loss) == (None, None)
    assert summary.best_iteration in {10, 20}
    assert not run.model_file.exists()
    assert_figures(load_model(run.best_model_file), data, load_model(run.best_model_file).results)


def test_the_results_of_one_member_of_a_stack_are_its_own(
    settings: Settings, data: TrainingData, run: RunDirectory
) -> None:
    configs = [settings(**WILD), settings(), settings(**{"optimizer.learning_rate": 0.001})]
    trainer = trained(configs, data)
    for member, config in enumerate(configs):
        summary = write_results(run, config, data, trainer, member, 0.0)
        assert summary.diverged == (member == 0)
        if member:
            weights, bias = trainer.stack.member(member)
            model = load_model(run.model_file)
            np.testing.assert_array_equal(model.weights, weights)
            np.testing.assert_array_equal(model.bias, bias)
            last = float(rows_of(run)[-1]["validation_loss"])
            assert last == trainer.history[-1].validation_loss[member]


def test_metrics_are_every_number_that_was_measured(
    settings: Settings, data: TrainingData, run: RunDirectory
) -> None:
    trainer = build_trainer([settings()], data)
    write_metrics(run, trainer, 0)
    assert (run.path / "metrics.csv").read_text() == ",".join(COLUMNS) + "\n"
    for _ in trainer.train(until=25):
        pass
    write_metrics(run, trainer, 0)
    rows = [{name: float(cell) for name, cell in row.items()} for row in rows_of(run)]
    assert rows == [measurement.of_model(0) for measurement in trainer.history]
    assert len(rows) == 3


SUMMARY = TrainingSummary(
    iterations=40, seconds=1.5, train_loss=0.5, train_accuracy=0.9, validation_loss=0.6,
    validation_accuracy=0.8, saved_iteration=40, best_iteration=30, best_validation_accuracy=0.85,
    stopped_early=False, diverged=False,
)  # fmt: skip


def test_a_summary_comes_back(run: RunDirectory) -> None:
    assert finished_summary(run) is None
    (run.path / "summary.json").write_text(json.dumps(asdict(SUMMARY)))
    assert finished_summary(run) == SUMMARY


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"iterations": 3}', json.dumps({**asdict(SUMMARY), "further": 1})],
)
def test_what_is_not_a_summary_is_refused(run: RunDirectory, text: str) -> None:
    (run.path / "summary.json").write_text(text)
    with pytest.raises(ModelError, match=r"summary\.json"):
        finished_summary(run)
