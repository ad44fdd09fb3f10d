import random

import pytest

from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.tuning.stacks import MAX_STACK_MODELS, Stack, plan_stacks
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space

COSINE = {"kind": "cosine", "final": 0.1}
ANNEALED = {"start": 4.0, "end": 1.0}


def plan(settings: SweepConfig) -> list[Stack]:
    return plan_stacks(make_trials(settings), settings.folds)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("optimizer.learning_rate", [0.1, 0.2]),
        ("optimizer.momentum", [0.0, 0.9]),
        ("optimizer.regularization", [0.1, 0.2]),
        ("optimizer.schedule", ["constant", COSINE]),
        ("model.temperature", [1.0, ANNEALED]),
        ("model.weight_scale", [0.0, 0.1]),
        ("model.weight_seed", [1, 2]),
    ],
)
def test_what_a_stack_keeps_as_a_vector_shares_one(
    space: Space, key: str, values: list[object]
) -> None:
    assert [stack.models for stack in plan(space({key: values}))] == [2]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("model.loss", ["softmax", "hinge"]),
        ("training.batch_size", [10, 20]),
        ("training.iterations", [10, 20]),
        ("training.epochs", [1.0, 2.0]),
        ("training.sampling", ["replacement", "epoch"]),
        ("training.early_stopping", [None, {"patience": 3}]),
        ("preprocessing.scale", ["unit", "pixel"]),
        ("augmentation.horizontal_flip", [False, True]),
        ("data.train_size", [100, 200]),
        ("seed", [1, 2]),
    ],
)
def test_everything_else_splits(space: Space, key: str, values: list[object]) -> None:
    settings = space({key: values, "optimizer.learning_rate": [0.1, 0.2, 0.3]})
    stacks = plan(settings)
    assert [stack.models for stack in stacks] == [3, 3]
    section, _, name = key.rpartition(".")
    for stack in stacks:
        found = {repr(t.parameters[key]) for t in stack.trials}
        assert len(found) == 1, (section, name)


def test_stacks_do_not_depend_on_the_order_of_the_trials(space: Space) -> None:
    settings = space(
        {
            "optimizer.learning_rate": {"low": 0.1, "high": 1, "num": 50},
            "training.batch_size": [5, 10],
        }
    )
    trials = make_trials(settings)
    expected = [[trial.id for trial in stack.trials] for stack in plan_stacks(trials, 2)]
    random.Random(0).shuffle(trials)
    assert [[trial.id for trial in stack.trials] for stack in plan_stacks(trials, 2)] == expected


@pytest.mark.parametrize("folds", [1, 3, 100])
def test_wide_grids_are_cut_into_stacks_of_similar_width(space: Space, folds: int) -> None:
    settings = space({"optimizer.learning_rate": {"low": 0.1, "high": 1, "num": 150}}, folds=folds)
    stacks = plan(settings)
    widths = {stack.models for stack in stacks}
    assert max(widths) <= max(MAX_STACK_MODELS, folds)
    assert max(widths) - min(widths) <= folds
    ids = [trial.id for stack in stacks for trial in stack.trials]
    assert sorted(ids) == sorted(trial.id for trial in make_trials(settings))


def test_an_id_tells_stacks_apart(space: Space) -> None:
    first, second = plan(space({"seed": [1, 2]}))
    assert first.id == Stack(first.trials, folds=1).id
    assert len({first.id, second.id, Stack(first.trials, folds=2).id}) == 3
