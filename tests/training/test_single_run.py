"""One training in its run directory."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.writing import to_yaml
from softmax_cli.errors import CheckpointError, InterruptedRunError
from softmax_cli.runs.checkpoint import Checkpoint, load_latest_checkpoint, save_checkpoint
from softmax_cli.runs.directory import create_run_directory, open_run_directory, resume_command
from softmax_cli.training.results import TrainingSummary, finished_summary
from softmax_cli.training.single_run import train_in_directory
from softmax_cli.training.training_data import (
    TrainingData,
    load_training_data,
    prepare_training_data,
)
from tests.data.own_arrays import write_npz
from tests.training.conftest import Watcher

Settings = Callable[..., TrainConfig]

SAME_BITS = ("model.safetensors", "best.safetensors", "metrics.csv")


def begin(
    path: Path, config: TrainConfig, data: TrainingData, watcher: Watcher | None = None
) -> TrainingSummary:
    with create_run_directory(path, kind="train", settings=to_yaml(config)) as run:
        return train_in_directory(run, config, data, watcher or Watcher(), resume=False)


def resume(
    path: Path, config: TrainConfig, data: TrainingData, watcher: Watcher | None = None
) -> TrainingSummary:
    with open_run_directory(path, kind="train", exclusive=True) as run:
        return train_in_directory(run, config, data, watcher or Watcher(), resume=True)


def iterations_in(path: Path) -> list[int]:
    with (path / "metrics.csv").open(newline="") as stream:
        return [int(row["iteration"]) for row in csv.DictReader(stream)]


@pytest.fixture
def cut(settings: Settings, data: TrainingData, tmp_path: Path) -> Path:
    """The directory of a training that was stopped after 25 of 40 steps."""
    with pytest.raises(InterruptedRunError):
        begin(tmp_path / "cut", settings(), data, Watcher(stop_after=25))
    return tmp_path / "cut"


def test_a_stop_says_how_far_it_came_and_how_to_go_on(
    settings: Settings, data: TrainingData, tmp_path: Path
) -> None:
    path = tmp_path / "my run"
    with pytest.raises(InterruptedRunError) as caught:
        begin(path, settings(), data, Watcher(stop_after=25))
    assert caught.value.message == "stopped after 25 of 40 iterations; a checkpoint is saved"
    assert caught.value.hint == f"Go on with: {resume_command('train', path)}"
    assert iterations_in(path) == [10, 20]
    names = sorted(entry.name for entry in path.iterdir())
    assert names == ["checkpoint", "config.yaml", "metrics.csv"]


def test_what_is_returned_is_what_the_directory_says(
    settings: Settings, data: TrainingData, tmp_path: Path
) -> None:
    summary = begin(tmp_path / "here", settings(), data)
    with open_run_directory(tmp_path / "here") as run:
        assert finished_summary(run) == summary
    assert (summary.iterations, summary.saved_iteration) == (40, 40)
    assert 0 < summary.seconds < 100


@pytest.mark.parametrize(
    "values",
    [
        {"optimizer.momentum": 0.9},
        {"model.loss": "hinge", "augmentation.horizontal_flip": "exact"},
    ],
)
def test_an_interrupted_training_ends_in_the_same_files(
    settings: Settings, tmp_path: Path, values: dict[str, Any]
) -> None:
    config = settings(**values)
    data = load_training_data(config)
    begin(tmp_path / "whole", config, data)
    with pytest.raises(InterruptedRunError):
        begin(tmp_path / "cut", config, data, Watcher(stop_after=13))
    watcher = Watcher()
    resume(tmp_path / "cut", config, data, watcher)
    assert (watcher.started_at, watcher.steps) == ([13], list(range(14, 41)))
    assert watcher.warnings == []
    for name in SAME_BITS:
        whole = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "cut" / name).read_bytes() == whole, name


def test_seconds_are_those_of_all_sessions(
    settings: Settings, data: TrainingData, cut: Path
) -> None:
    latest, _ = load_latest_checkpoint(cut / "checkpoint")
    document = {**latest.document, "seconds": 500.0}
    save_checkpoint(cut / "checkpoint", Checkpoint(25, latest.arrays, document))
    assert 500 < resume(cut, settings(), data).seconds < 600


def test_without_a_checkpoint_training_starts_from_the_beginning_and_says_so(
    settings: Settings, data: TrainingData, tmp_path: Path
) -> None:
    path, watcher = tmp_path / "here", Watcher()
    create_run_directory(path, kind="train", settings=to_yaml(settings())).close()
    summary = resume(path, settings(), data, watcher)
    assert watcher.warnings == ["There is no checkpoint yet: training starts from the beginning."]
    assert watcher.started_at == [0]
    assert summary.iterations == 40


def test_the_data_may_have_moved(settings: Settings, data: TrainingData, cut: Path) -> None:
    moved = settings(**{"data.dir": "/somewhere/else"})
    assert resume(cut, moved, data).iterations == 40


def refused(cut: Path, config: TrainConfig, data: TrainingData) -> CheckpointError:
    """The error that going on ends in; nothing in the directory may change."""
    before = {path: path.read_bytes() for path in cut.rglob("*") if path.is_file()}
    with pytest.raises(CheckpointError) as caught:
        resume(cut, config, data)
    assert {path: path.read_bytes() for path in cut.rglob("*") if path.is_file()} == before
    assert caught.value.hint
    return caught.value


def test_other_settings_are_refused(settings: Settings, data: TrainingData, cut: Path) -> None:
    error = refused(cut, settings(**{"optimizer.momentum": 0.5, "seed": 1}), data)
    assert "optimizer.momentum: 0.0, now 0.5, seed: 0, now 1" in error.message
    assert "config.yaml" in str(error.hint)


@pytest.mark.parametrize("part", ["training", "validation"])
def test_other_images_are_refused(
    settings: Settings, data: TrainingData, cut: Path, part: str
) -> None:
    train, validation = data.train, data.validation
    if part == "training":
        train = train.take_first(599)
    else:
        validation = validation.take_first(199)
    others = prepare_training_data(settings(), train, validation)
    error = refused(cut, settings(), others)
    assert f"made with other {part} images" in error.message


def test_the_checkpoint_of_a_stack_is_refused(
    settings: Settings, data: TrainingData, cut: Path
) -> None:
    latest, _ = load_latest_checkpoint(cut / "checkpoint")
    document = {
        "trials": ["0e99bf1653c5"],
        "data_digest": data.train.digest,
        "environment": latest.document["environment"],
        "seconds": 0.9,
    }
    save_checkpoint(cut / "checkpoint", Checkpoint(25, latest.arrays, document))
    error = refused(cut, settings(), data)
    assert "belongs to another kind of run" in error.message
    assert str(cut / "checkpoint") in error.message


@pytest.mark.parametrize("normalize", ["none", "l2"])
def test_resumed_on_own_features_it_ends_in_the_same_bits(
    normalize: str, settings: Settings, tmp_path: Path
) -> None:
    config = settings(
        **{
            "data.dataset": "arrays",
            "data.train": str(write_npz(tmp_path / "train.npz", 300)),
            "data.train_size": None,
            "data.validation_size": 50,
            "preprocessing.normalize": normalize,
        }
    )
    begin(tmp_path / "whole", config, load_training_data(config))
    with pytest.raises(InterruptedRunError):
        begin(tmp_path / "cut", config, load_training_data(config), Watcher(stop_after=25))
    resume(tmp_path / "cut", config, load_training_data(config))
    for name in SAME_BITS:
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_other_features_are_not_resumed_on(settings: Settings, tmp_path: Path) -> None:
    file = write_npz(tmp_path / "train.npz", 300)
    config = settings(
        **{
            "data.dataset": "arrays",
            "data.train": str(file),
            "data.train_size": None,
            "data.validation_size": 50,
        }
    )
    with pytest.raises(InterruptedRunError):
        begin(tmp_path / "cut", config, load_training_data(config), Watcher(stop_after=25))
    write_npz(file, 300, seed=1)
    with pytest.raises(CheckpointError, match="other training images"):
        resume(tmp_path / "cut", config, load_training_data(config))
