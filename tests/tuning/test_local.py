"""Stacks trained by this process, one after another."""

from pathlib import Path
from typing import Any

import pytest

from softmax_cli.config.writing import plain_values
from softmax_cli.errors import (
    CheckpointError,
    ConfigurationError,
    DataError,
    LostProcessError,
    ModelError,
    SoftmaxError,
)
from softmax_cli.runs.checkpoint import Checkpoint, load_latest_checkpoint, save_checkpoint
from softmax_cli.training.checkpointed_run import StopRequestedError
from softmax_cli.tuning import local
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.data_cache import DataCache
from softmax_cli.tuning.local import run_locally
from softmax_cli.tuning.stack_run import StackResult, StackTask, run_stack
from softmax_cli.tuning.stacks import plan_stacks
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space, Watcher


@pytest.fixture
def tasks(space: Space) -> list[StackTask]:
    """Three stacks of two trials each, to be trained for twelve steps."""
    settings = space(
        {"training.batch_size": [5, 10, 20], "optimizer.learning_rate": [0.01, 0.1]},
        **{"training.iterations": 12},
    )
    return [StackTask(stack) for stack in plan_stacks(make_trials(settings), 1)]


def ids(task: StackTask) -> tuple[str, ...]:
    return tuple(trial.id for trial in task.stack.trials)


def failing(number: int, error: BaseException) -> Any:
    """``run_stack``, but for a call of it that raises an error."""
    calls = 0

    def run(*arguments: Any) -> StackResult:
        nonlocal calls
        calls += 1
        if calls == number:
            raise error
        return run_stack(*arguments)

    return run


def test_stacks_are_trained_in_turn_and_told_of_as_they_are_done(
    tasks: list[StackTask], tmp_path: Path
) -> None:
    checkpoints, watcher = StackCheckpoints(tmp_path), Watcher()
    for place, (task, result) in enumerate(run_locally(tasks, DataCache(), checkpoints, watcher)):
        assert task is tasks[place]
        assert isinstance(result, StackResult)
        assert tuple(outcome.id for outcome in result.outcomes) == ids(task)
        saved, _ = load_latest_checkpoint(checkpoints.folder(task))
        assert saved.step == 12
        assert watcher.steps == [ids(done) for done in tasks[: place + 1] for _ in range(12)]
    assert len(watcher.steps) == 36


def test_a_stack_goes_on_from_its_own_checkpoint(tasks: list[StackTask], tmp_path: Path) -> None:
    checkpoints = StackCheckpoints(tmp_path)
    with pytest.raises(StopRequestedError):
        list(run_locally(tasks, DataCache(), checkpoints, Watcher(stop_after=12 + 7)))
    watcher = Watcher()
    results = list(run_locally(tasks, DataCache(), checkpoints, watcher))
    assert watcher.steps == [ids(tasks[1])] * 5 + [ids(tasks[2])] * 12
    assert len(results) == 3


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        LostProcessError("a process has ended"),
        ConfigurationError("too few images"),
        SoftmaxError("anything of this program"),
    ],
)
def test_what_one_stack_fails_of_is_its_result_and_the_others_go_on(
    tasks: list[StackTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(local, "run_stack", failing(2, error))
    results = [
        result
        for _, result in run_locally(tasks, DataCache(), StackCheckpoints(tmp_path), Watcher())
    ]
    assert results[1] is error
    assert isinstance(results[0], StackResult)
    assert isinstance(results[2], StackResult)


@pytest.mark.parametrize(
    "error",
    [
        DataError("no images"),
        CheckpointError("of other images"),
        ModelError("damaged"),
        OSError(28, "No space left on device"),
        KeyboardInterrupt(),
        KeyError("a defect"),
    ],
)
def test_what_concerns_all_stacks_is_raised(
    tasks: list[StackTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(local, "run_stack", failing(2, error))
    results = run_locally(tasks, DataCache(), StackCheckpoints(tmp_path), Watcher())
    assert isinstance(next(results)[1], StackResult)
    with pytest.raises(type(error)) as caught:
        next(results)
    assert caught.value is error


def test_data_that_is_too_small_for_one_stack_fails_that_one_alone(
    space: Space, tmp_path: Path
) -> None:
    settings = space({"data.train_size": [300, 100_000]}, **{"training.iterations": 5})
    tasks = [StackTask(stack) for stack in plan_stacks(make_trials(settings), 1)]
    results = {
        task.stack.shared.data.train_size: result
        for task, result in run_locally(tasks, DataCache(), StackCheckpoints(tmp_path), Watcher())
    }
    assert isinstance(results[300], StackResult)
    assert isinstance(results[100_000], ConfigurationError)


def test_the_checkpoint_of_a_single_training_is_not_taken_for_that_of_a_stack(
    tasks: list[StackTask], tmp_path: Path
) -> None:
    checkpoints, data = StackCheckpoints(tmp_path), DataCache()
    ((_, result),) = run_locally(tasks[:1], data, checkpoints, Watcher())
    assert isinstance(result, StackResult)
    config = tasks[0].stack.shared
    document = {
        "settings": plain_values(config),
        "train_digest": data.of(config).train.digest,
        "validation_digest": data.of(config).validation.digest,
        "environment": {},
        "seconds": 1.0,
    }
    save_checkpoint(checkpoints.folder(tasks[0]), Checkpoint(12, result.state, document))
    with pytest.raises(CheckpointError, match="another kind of run"):
        list(run_locally(tasks, data, checkpoints, Watcher()))
