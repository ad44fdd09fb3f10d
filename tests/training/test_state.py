"""The state of a trainer as named arrays."""

from collections.abc import Callable

import numpy as np
import pytest

from softmax_cli.arrays import Arrays
from softmax_cli.config.schema import TrainConfig
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.state import check_alike, named, part_of, select_members
from softmax_cli.training.training_data import TrainingData

Settings = Callable[..., TrainConfig]

SAVED_NAMES = {
    "iteration", "status", "ended", "loss_sum", "correct_sum",
    "stack/weights", "stack/bias", "stack/shrinkage",
    "update/velocity", "update/bias_velocity",
    "best/accuracy", "best/iteration", "best/waited", "best/weights", "best/bias",
    "history/iteration", "history/learning_rate", "history/temperature",
    "history/train_loss", "history/train_accuracy",
    "history/validation_loss", "history/validation_accuracy",
}  # fmt: skip
"""Names in the checkpoints that users have: another name makes them unreadable."""


def state(models: int, rows: int = 2, classes: int = 3) -> Arrays:
    """Arrays shaped like those of a trainer; the number of the model is the last digit of all."""
    member = np.arange(models, dtype=np.float64)
    columns = np.arange(classes).repeat(models) * 10 + np.tile(member, classes)
    return {
        "iteration": np.array([7]),
        "status": member.astype(np.int64),
        "stack/weights": 100 * np.arange(4.0)[:, None] + columns,  # (D, C K)
        "stack/bias": 10 * np.arange(classes, dtype=float)[:, None] + member,  # (C, K)
        "history/iteration": np.arange(rows),
        "history/train_loss": 10 * np.arange(rows, dtype=float)[:, None] + member,
    }


def test_the_names_of_a_state_are_those_of_the_checkpoints_there_are(
    settings: Settings, data: TrainingData
) -> None:
    trainer = build_trainer([settings(**{"optimizer.momentum": 0.9})], data)
    assert trainer.state().keys() == SAVED_NAMES


@pytest.mark.parametrize("members", [[0], [4], [1, 3], [3, 1], [0, 1, 2, 3, 4]])
def test_members_are_cut_out_in_their_order(members: list[int]) -> None:
    selected = select_members(state(5), np.array(members))
    assert selected.keys() == state(5).keys()
    for name in ("status", "stack/weights", "stack/bias", "history/train_loss"):
        by_model = selected[name].reshape(-1, len(members)) % 10
        assert (by_model == members).all(), name
    assert selected["stack/weights"].shape == (4, 3 * len(members))
    assert selected["iteration"].tolist() == [7]
    assert selected["history/iteration"].tolist() == [0, 1]


def test_a_selection_of_a_selection_is_a_selection() -> None:
    outer, inner = np.array([4, 0, 3]), np.array([2, 0])
    twice = select_members(select_members(state(5), outer), inner)
    once = select_members(state(5), outer[inner])
    for name, array in once.items():
        np.testing.assert_array_equal(twice[name], array, err_msg=name)


def test_a_selection_is_a_copy() -> None:
    whole = state(3)
    for array in select_members(whole, np.array([0, 1, 2])).values():
        array[...] = -1
    for name, array in state(3).items():
        np.testing.assert_array_equal(whole[name], array, err_msg=name)


def test_a_member_alone_goes_on_as_it_does_in_the_stack(
    settings: Settings, data: TrainingData
) -> None:
    configs = [
        settings(**{"optimizer.learning_rate": rate, "optimizer.momentum": 0.9})
        for rate in (0.003, 0.01)
    ]
    together, alone = build_trainer(configs, data), build_trainer(configs[1:], data)
    for _ in together.train(until=20):
        pass
    alone.restore(select_members(together.state(), np.array([1])))
    for trainer in (together, alone):
        for _ in trainer.train():
            pass
    expected, _ = together.stack.member(1)
    weights, _ = alone.stack.member(0)
    assert np.linalg.norm(weights - expected) <= 1e-4 * np.linalg.norm(expected)
    assert [row.iteration for row in alone.history] == [10, 20, 30, 40]


def test_a_name_is_given_and_taken_away() -> None:
    arrays = {"weights": np.ones(3), "bias": np.zeros(2)}
    best, stack = named("best", arrays), named("stack", {"weights": np.arange(3)})
    assert best.keys() == {"best/weights", "best/bias"}
    both = {**best, **stack, "bestow": np.ones(1)}
    assert part_of("best", both) == arrays
    assert part_of("stack", both).keys() == {"weights"}
    assert part_of("update", both) == {}


def test_states_that_differ_in_the_length_of_their_history_are_alike() -> None:
    check_alike(state(3, rows=0), state(3, rows=9))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("status", np.zeros(3, np.int32)),
        ("status", np.zeros(4, np.int64)),
        ("status", np.zeros((3, 1), np.int64)),
        ("stack/weights", np.zeros((5, 9))),
        ("history/iteration", np.zeros(2)),
        ("history/train_loss", np.zeros((2, 4))),
        ("history/train_loss", np.zeros(2)),
    ],
)
def test_an_array_of_another_kind_is_named(name: str, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected"):
        check_alike(state(3), {**state(3), name: array})


def test_missing_and_further_arrays_are_refused() -> None:
    fewer = state(3)
    del fewer["status"]
    for own, other in ((state(3), fewer), (fewer, state(3))):
        with pytest.raises(ValueError, match="expected the arrays"):
            check_alike(own, other)


@pytest.mark.parametrize("name", ["history/iteration", "history/train_loss"])
def test_the_columns_of_a_history_have_one_length(name: str) -> None:
    with pytest.raises(ValueError, match=r"one length in the history, got \[2, 3\]"):
        check_alike(state(3), {**state(3), name: state(3, rows=3)[name]})
