from pathlib import Path

import numpy as np
import pytest

from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.config.writing import plain_values
from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import Checkpoint, save_checkpoint
from softmax_cli.training.checkpointed_run import StopRequestedError
from softmax_cli.training.training_data import TrainingData, load_training_data
from softmax_cli.tuning.stack_run import StackResult, StackTask, run_stack
from softmax_cli.tuning.stacks import Stack, plan_stacks
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space, Watcher

RATES = {"optimizer.learning_rate": [0.001, 0.01, 0.03]}


def only_stack(settings: SweepConfig) -> Stack:
    (stack,) = plan_stacks(make_trials(settings), settings.folds)
    return stack


def images(stack: Stack) -> TrainingData:
    return load_training_data(stack.shared)


def assert_same(a: StackResult, b: StackResult) -> None:
    assert a.state.keys() == b.state.keys()
    for name, array in a.state.items():
        np.testing.assert_array_equal(array, b.state[name], err_msg=name)


MIXED = {
    "optimizer.learning_rate": [0.003, 0.01],
    "optimizer.momentum": [0.0, 0.9],
    "optimizer.regularization": [0.0, 1.0],
    "optimizer.schedule": ["constant", {"kind": "cosine", "warmup": 5}],
    "model.temperature": [1.0, {"start": 4.0, "end": 0.5, "decay": "cosine"}],
    "model.weight_seed": [None, 7],
}


def test_every_trial_of_a_stack_agrees_with_the_same_trial_alone(space: Space) -> None:
    stack = only_stack(space(MIXED))
    assert stack.models == 64
    data = images(stack)
    together = run_stack(StackTask(stack), data, Watcher())
    for place in range(0, 64, 5):
        alone = run_stack(StackTask(Stack(stack.trials[place : place + 1], 1)), data, Watcher())
        for name in ("weights", "bias"):
            scale = together.state["stack/shrinkage"][place]
            many = together.state[f"stack/{name}"].reshape(-1, 10, 64)[..., place] * scale
            one = (alone.state[f"stack/{name}"] * alone.state["stack/shrinkage"]).reshape(-1, 10)
            assert np.linalg.norm(many - one) <= 1e-4 * np.linalg.norm(one)
        a, b = together.outcomes[place], alone.outcomes[0]
        assert a.id == b.id
        assert a.validation_accuracy == pytest.approx(b.validation_accuracy, abs=0.003)
        assert a.train_loss == pytest.approx(b.train_loss, rel=1e-3)


def test_a_stack_goes_on_from_its_checkpoint_to_the_same_bits(space: Space, tmp_path: Path) -> None:
    stack = only_stack(space(RATES, **{"optimizer.momentum": 0.9}))
    task, data = StackTask(stack), images(stack)
    whole = run_stack(task, data, Watcher())
    with pytest.raises(StopRequestedError):
        run_stack(task, data, Watcher(stop_after=17), tmp_path)
    second = Watcher()
    rest = run_stack(task, data, second, tmp_path)
    assert len(second.steps) == 40 - 17
    assert second.warnings == []
    assert_same(whole, rest)
    third = Watcher()
    again = run_stack(task, data, third, tmp_path)
    assert third.steps == []
    assert_same(whole, again)


def test_a_checkpoint_of_other_images_is_refused(space: Space, tmp_path: Path) -> None:
    stack = only_stack(space(RATES))
    run_stack(StackTask(stack), images(stack), Watcher(), tmp_path)
    fewer = only_stack(space(RATES, **{"data.train_size": 300}))
    with pytest.raises(CheckpointError, match="other images"):
        run_stack(StackTask(stack), images(fewer), Watcher(), tmp_path)


def test_a_checkpoint_of_another_stack_is_refused(space: Space, tmp_path: Path) -> None:
    stack = only_stack(space(RATES))
    run_stack(StackTask(stack), images(stack), Watcher(), tmp_path)
    narrow = StackTask(Stack(stack.trials[:2], 1))
    with pytest.raises(CheckpointError, match="trials have changed"):
        run_stack(narrow, images(stack), Watcher(), tmp_path)


def test_a_checkpoint_of_a_single_training_is_refused(space: Space, tmp_path: Path) -> None:
    stack = Stack(only_stack(space(RATES)).trials[:1], 1)
    result = run_stack(StackTask(stack), images(stack), Watcher())
    document = {
        "settings": plain_values(stack.shared),
        "train_digest": images(stack).train.digest,
        "validation_digest": images(stack).validation.digest,
        "environment": {},
        "seconds": 1.0,
    }
    save_checkpoint(tmp_path, Checkpoint(40, result.state, document))
    with pytest.raises(CheckpointError, match="another kind of run") as caught:
        run_stack(StackTask(stack), images(stack), Watcher(), tmp_path)
    assert str(tmp_path) in str(caught.value.hint)


def test_a_damaged_checkpoint_falls_back_with_a_warning(space: Space, tmp_path: Path) -> None:
    stack = only_stack(space(RATES))
    whole = run_stack(StackTask(stack), images(stack), Watcher(), tmp_path)
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes()[:-10])
    watcher = Watcher()
    again = run_stack(StackTask(stack), images(stack), watcher, tmp_path)
    assert len(watcher.steps) == 10
    assert any("passed over" in warning for warning in watcher.warnings)
    assert_same(whole, again)


def test_going_on_with_another_blas_warns(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = only_stack(space(RATES))
    with pytest.raises(StopRequestedError):
        run_stack(StackTask(stack), images(stack), Watcher(stop_after=5), tmp_path)
    monkeypatch.setattr(
        "softmax_cli.training.checkpointed_run.environment", lambda: {"blas": "other"}
    )
    watcher = Watcher()
    run_stack(StackTask(stack), images(stack), watcher, tmp_path)
    assert any("last bits may differ" in warning for warning in watcher.warnings)


def test_stages_of_a_stack_have_names_of_their_own(space: Space) -> None:
    stack = only_stack(space(RATES))
    names = {
        StackTask(stack).name,
        StackTask(stack, until=10).name,
        StackTask(stack, until=20).name,
    }
    assert len(names) == 3
