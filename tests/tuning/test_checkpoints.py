from pathlib import Path

import pytest

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import Checkpoint, save_checkpoint
from softmax_cli.training.training_data import load_training_data
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.stack_run import StackTask, run_stack
from softmax_cli.tuning.stacks import plan_stacks
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space, Watcher


@pytest.fixture
def tasks(space: Space) -> list[StackTask]:
    """Three stacks of two trials each, to be trained for ten steps."""
    settings = space(
        {"training.batch_size": [5, 10, 20], "optimizer.learning_rate": [0.01, 0.1]},
        **{"training.iterations": 10},
    )
    return [StackTask(stack) for stack in plan_stacks(make_trials(settings), 1)]


def ids(task: StackTask) -> list[str]:
    return [trial.id for trial in task.stack.trials]


def test_states_of_stacks_in_flight_and_of_the_best_are_kept(
    tasks: list[StackTask], tmp_path: Path
) -> None:
    states = StackCheckpoints(tmp_path)
    for task in tasks:
        data = load_training_data(task.stack.shared)
        states.save(task, run_stack(task, data, Watcher()))
    best, in_flight, done = tasks
    states.keep_only(ids(best)[1], {*ids(best), ids(in_flight)[0], *ids(done)})
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {best.name, in_flight.name}
    assert sorted(states.begun()) == sorted([ids(best), ids(in_flight)])
    assert states.find(ids(done)[0]) is None
    states.keep_only(None, {*ids(best), *ids(in_flight)})
    assert states.begun() == []


def test_the_state_that_got_furthest_is_found(tasks: list[StackTask], tmp_path: Path) -> None:
    states = StackCheckpoints(tmp_path)
    stack = tasks[0].stack
    for until in (8, 10, 3):
        task = StackTask(stack, until=until)
        states.save(task, run_stack(task, load_training_data(stack.shared), Watcher()))
    found = states.find(stack.trials[0].id)
    assert found is not None
    assert found.step == 10


def test_there_are_no_states_without_a_folder(tmp_path: Path) -> None:
    states = StackCheckpoints(tmp_path / "nowhere")
    assert states.begun() == []
    assert states.find("x") is None
    states.keep_only(None, set())


def test_states_are_removed_whether_they_can_be_read_or_not(
    tasks: list[StackTask], tmp_path: Path
) -> None:
    states = StackCheckpoints(tmp_path / "checkpoint")
    for task in tasks:
        states.save(task, run_stack(task, load_training_data(task.stack.shared), Watcher()))
    damage(states.folder(tasks[0]))
    states.remove_all()
    assert not (tmp_path / "checkpoint").exists()
    states.remove_all()


def test_files_of_others_are_not_removed(tasks: list[StackTask], tmp_path: Path) -> None:
    states = StackCheckpoints(tmp_path / "checkpoint")
    states.save(tasks[0], run_stack(tasks[0], load_training_data(tasks[0].stack.shared), Watcher()))
    (states.folder(tasks[0]) / "notes.txt").write_text("mine")
    states.remove_all()
    (left,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert left.read_text() == "mine"


def test_a_state_that_cannot_be_read_matters_to_its_own_stack_alone(
    tasks: list[StackTask], tmp_path: Path
) -> None:
    states = StackCheckpoints(tmp_path)
    for task in tasks[:2]:
        states.save(task, run_stack(task, load_training_data(task.stack.shared), Watcher()))
    damage(states.folder(tasks[0]))
    assert states.begun() == [ids(tasks[1])]
    assert states.find(ids(tasks[0])[0]) is None
    states.check(tasks[1:])
    with pytest.raises(CheckpointError) as caught:
        states.check(tasks)
    assert str(states.folder(tasks[0])) in str(caught.value.hint)


@pytest.mark.parametrize("document", [{"settings": {}}, {"trials": None}, {"trials": [{"id": 3}]}])
def test_the_checkpoint_of_another_kind_of_run_is_one_that_cannot_be_read(
    tasks: list[StackTask], tmp_path: Path, document: dict[str, object]
) -> None:
    states = StackCheckpoints(tmp_path)
    save_checkpoint(states.folder(tasks[0]), Checkpoint(10, {}, document))
    assert states.begun() == []
    assert states.find("x") is None
    states.keep_only(None, set())
    with pytest.raises(CheckpointError, match="another kind of run") as caught:
        states.check(tasks)
    assert str(states.folder(tasks[0])) in str(caught.value.hint)


def damage(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"?")
