from dataclasses import replace

import numpy as np
import pytest

from softmax_cli.config.sweep_schema import Rungs
from softmax_cli.training.training_data import load_training_data
from softmax_cli.tuning.halving import narrowed, rung_end, share_of_steps, survivors
from softmax_cli.tuning.outcomes import failed
from softmax_cli.tuning.stack_run import StackTask, run_stack
from softmax_cli.tuning.stacks import plan_stacks
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space, Watcher
from tests.tuning.test_outcomes import GOOD


@pytest.mark.parametrize(
    ("iterations", "factor", "rungs", "ends"),
    [
        (900, 3, 3, [100, 300, 900]),
        (1000, 3, 3, [112, 334, 1000]),
        (1000, 4, 2, [250, 1000]),
        (2, 3, 4, [1, 1, 1, 2]),
    ],
)
def test_rungs_end_at_shares_of_the_training(
    iterations: int, factor: int, rungs: int, ends: list[int]
) -> None:
    settings = Rungs(factor=factor, rungs=rungs)
    assert [rung_end(iterations, rung, settings) for rung in range(rungs)] == ends


def test_the_best_share_survives_and_nothing_without_figures() -> None:
    good = [
        replace(GOOD, id=str(i), parameters={"x": i}, validation_accuracy=i / 10) for i in range(7)
    ]
    assert survivors(good, 3, "validation_accuracy") == {"5", "6"}
    assert survivors(good[:2], 3, "validation_accuracy") == {"1"}
    lost = [failed(f"x{i}", {}) for i in range(6)]
    assert survivors([*lost, good[0]], 2, "validation_accuracy") == {"0"}
    assert survivors(lost, 2, "validation_accuracy") == set()


def test_the_share_of_steps_counts_who_is_left() -> None:
    assert share_of_steps(9, 900, Rungs(factor=3, rungs=3)) == pytest.approx(
        (9 * 100 + 3 * 200 + 1 * 600) / (9 * 900)
    )


@pytest.mark.parametrize("folds", [1, 2])
def test_what_is_left_of_a_stack_ends_where_it_would_have_ended_in_it(
    space: Space, folds: int
) -> None:
    settings = space(
        {"optimizer.learning_rate": [0.001, 0.003, 0.01, 0.03], "optimizer.momentum": [0.0, 0.9]},
        folds=folds,
    )
    (stack,) = plan_stacks(make_trials(settings), folds)
    data = load_training_data(stack.shared)
    whole = run_stack(StackTask(stack), data, Watcher())
    half = run_stack(StackTask(stack, until=20), data, Watcher())
    # Without momentum the models left alone keep no velocity.
    keep = {t.id for t in stack.trials if t.config.optimizer.momentum == 0}
    rest = narrowed(stack, half, keep)
    assert rest is not None
    assert [trial.id for trial in rest.stack.trials] == [t.id for t in stack.trials if t.id in keep]
    watcher = Watcher()
    result = run_stack(rest, data, watcher)
    assert len(watcher.steps) == 20
    members = [
        place * folds + fold
        for place, trial in enumerate(stack.trials)
        if trial.id in keep
        for fold in range(folds)
    ]
    expected = whole.state["stack/weights"].reshape(3072, 10, -1)[..., members]
    expected = expected * whole.state["stack/shrinkage"][members]
    got = result.state["stack/weights"].reshape(3072, 10, -1) * result.state["stack/shrinkage"]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_nothing_is_left_of_a_stack_without_survivors(space: Space) -> None:
    (stack,) = plan_stacks(make_trials(space({"optimizer.learning_rate": [0.1]})), 1)
    result = run_stack(StackTask(stack, until=5), load_training_data(stack.shared), Watcher())
    assert narrowed(stack, result, set()) is None
