"""The best trial of a sweep as a run directory of its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli.config.loading import load_train_config
from softmax_cli.config.schema import TrainConfig
from softmax_cli.errors import CheckpointError
from softmax_cli.runs.directory import open_run_directory
from softmax_cli.runs.model_file import load_model
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.checkpointed_run import StopRequestedError
from softmax_cli.training.results import TrainingSummary, finished_summary
from softmax_cli.training.training_data import TrainingData
from softmax_cli.tuning.best_run import write_best_run
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.data_cache import DataCache
from softmax_cli.tuning.stack_run import StackTask, run_stack
from softmax_cli.tuning.stacks import Stack, plan_stacks
from softmax_cli.tuning.trials import Trial, make_trials
from tests.tuning.conftest import Space, Watcher

PARAMETERS = {"optimizer.learning_rate": [0.003, 0.01], "optimizer.momentum": [0.0, 0.9]}


@pytest.fixture
def stack(space: Space) -> Stack:
    """Four trials side by side, two of them with momentum."""
    (stack,) = plan_stacks(make_trials(space(PARAMETERS)), 1)
    return stack


@pytest.fixture
def checkpoints(stack: Stack, tmp_path: Path) -> StackCheckpoints:
    """With the last state of that stack."""
    checkpoints, task = StackCheckpoints(tmp_path / "checkpoint"), StackTask(stack)
    run_stack(task, DataCache().of(stack.shared), Watcher(), checkpoints.folder(task))
    return checkpoints


@pytest.fixture
def nothing_saved(tmp_path: Path) -> StackCheckpoints:
    return StackCheckpoints(tmp_path / "none")


def write(
    directory: Path, trial: Trial, checkpoints: StackCheckpoints, watcher: Watcher, **options: Any
) -> TrainingSummary:
    folds = options.get("folds", 1)
    write_best_run(directory, trial, 2.5, checkpoints, DataCache(), watcher, folds=folds)
    summary = finished_summary(open_run_directory(directory / "best", kind="train"))
    assert summary is not None
    return summary


@pytest.mark.parametrize("place", range(4))
def test_a_trial_is_cut_out_of_its_stack_without_training(
    stack: Stack, checkpoints: StackCheckpoints, tmp_path: Path, place: int
) -> None:
    trial, watcher = stack.trials[place], Watcher()
    summary = write(tmp_path, trial, checkpoints, watcher)
    assert watcher.steps == []
    assert (summary.iterations, summary.seconds) == (40, 2.5)
    assert load_train_config(str(tmp_path / "best.yaml")) == trial.config
    assert load_train_config(str(tmp_path / "best/config.yaml")) == trial.config
    trainer = build_trainer([trial.config], DataCache().of(trial.config))
    for _ in trainer.train():
        pass
    weights, _ = trainer.stack.member(0)
    saved = load_model(tmp_path / "best/model.safetensors").weights
    assert np.linalg.norm(saved - weights) <= 1e-4 * np.linalg.norm(weights)


def test_a_trial_whose_state_is_gone_is_trained_again(
    stack: Stack, nothing_saved: StackCheckpoints, tmp_path: Path
) -> None:
    trial, watcher = stack.trials[1], Watcher()
    write(tmp_path, trial, nothing_saved, watcher)
    assert watcher.steps == [(trial.id,)] * 40
    assert not (tmp_path / "none").exists()


def test_after_cross_validation_the_trial_is_trained_anew(
    stack: Stack, checkpoints: StackCheckpoints, tmp_path: Path
) -> None:
    watcher = Watcher()
    write(tmp_path, stack.trials[0], checkpoints, watcher, folds=3)
    assert len(watcher.steps) == 40


def test_what_is_there_already_is_left_alone_and_needs_no_data(
    stack: Stack,
    checkpoints: StackCheckpoints,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(tmp_path, stack.trials[0], checkpoints, Watcher())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "best").iterdir()}
    monkeypatch.setattr(DataCache, "of", lambda *_: pytest.fail("data is loaded"))
    (tmp_path / "best.yaml").unlink()
    write(tmp_path, stack.trials[0], checkpoints, Watcher())
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "best").iterdir()} == before
    assert load_train_config(str(tmp_path / "best.yaml")) == stack.trials[0].config


@pytest.mark.parametrize("damage", ["unfinished", "unreadable settings", "other settings"])
def test_what_is_not_this_trial_at_its_end_is_replaced(
    stack: Stack, checkpoints: StackCheckpoints, tmp_path: Path, damage: str
) -> None:
    best, trial = tmp_path / "best", stack.trials[0]
    write(tmp_path, stack.trials[1 if damage == "other settings" else 0], checkpoints, Watcher())
    if damage == "unfinished":
        (best / "summary.json").unlink()
    elif damage == "unreadable settings":
        marker, _, _ = (best / "config.yaml").read_text().partition("\n")
        (best / "config.yaml").write_text(f"{marker}\nseed: [")
    (best / "model.safetensors").write_bytes(b"half")
    (best / "notes.txt").write_text("a user's own")
    write(tmp_path, trial, checkpoints, Watcher())
    assert (
        load_model(best / "model.safetensors").settings["optimizer"]
        == (trial.config.model_dump(mode="json")["optimizer"])
    )
    assert load_train_config(str(best / "config.yaml")) == trial.config
    assert (best / "notes.txt").exists()


def test_a_state_that_was_trained_on_other_images_is_refused(
    space: Space, stack: Stack, checkpoints: StackCheckpoints, tmp_path: Path
) -> None:
    # The same trials find other images where their data set was.
    (fewer,) = make_trials(space({"data.train_size": [300]}))

    class Moved(DataCache):
        def of(self, config: TrainConfig, observer: object = None) -> TrainingData:
            return super().of(fewer.config)

    with pytest.raises(CheckpointError, match="made with other images") as caught:
        write_best_run(tmp_path, stack.trials[0], 1.0, checkpoints, Moved(), Watcher(), folds=1)
    assert "--data-dir" in str(caught.value.hint)
    assert not (tmp_path / "best").exists()


def test_a_stop_leaves_no_best_run_and_the_next_session_makes_it(
    stack: Stack, nothing_saved: StackCheckpoints, tmp_path: Path
) -> None:
    trial = stack.trials[0]
    with pytest.raises(StopRequestedError):
        write(tmp_path, trial, nothing_saved, Watcher(stop_after=11))
    assert not (tmp_path / "best").exists()
    write(tmp_path, trial, nothing_saved, Watcher())
    (tmp_path / "whole").mkdir()
    write(tmp_path / "whole", trial, nothing_saved, Watcher())
    names = ("model.safetensors", "best.safetensors", "metrics.csv", "summary.json")
    for name in names:
        first, second = tmp_path / "best" / name, tmp_path / "whole/best" / name
        assert first.read_bytes() == second.read_bytes()
