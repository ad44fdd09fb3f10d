import time
from collections.abc import Callable

import numpy as np
import pytest

from softmax_cli.config.loading import load_train_config
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.model import softmax_loss
from softmax_cli.training import timing
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.timing import (
    check_gradient,
    compare_forms,
    seconds_of,
    step_blocks,
    steps_needed,
    time_steps,
)
from softmax_cli.training.training_data import prepare_training_data


def test_all_forms_agree_to_rounding() -> None:
    naive, double, single, kernel = compare_forms(make_synthetic("train", size=80), seed=3)
    assert naive.loss_difference == naive.gradient_difference == 0
    assert naive.speedup == 1
    assert double.loss_difference < 1e-12
    assert double.gradient_difference < 1e-12
    for form in (single, kernel):
        assert form.loss_difference < 1e-5
        assert form.gradient_difference < 1e-5
    assert all(form.seconds > 0 for form in (naive, double, single, kernel))


def test_the_loss_is_that_of_small_random_weights() -> None:
    forms = compare_forms(make_synthetic("train", size=80), seed=3)
    uniform = softmax_loss(np.zeros((1, 10)), np.array([0]))
    assert forms[0].loss == pytest.approx(uniform, rel=0.1)
    assert forms[0].loss != compare_forms(make_synthetic("train", size=80), seed=4)[0].loss


def test_the_gradient_is_the_numerical_one() -> None:
    assert check_gradient(make_synthetic("train", size=50)) < 1e-5


@pytest.mark.parametrize(("preset", "models"), [("cs231n", 1), ("cs231n", 3), ("linear", 1)])
def test_a_step_takes_time_and_so_do_its_products(
    preset: str, models: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "_BLOCKS", 1)
    iterations = steps_needed()
    config = load_train_config(
        preset,
        [f"training.iterations={iterations}", f"training.validate_every={iterations}"],
    )
    timed = time_steps(config, make_synthetic("train", size=500), models)
    assert (timed.models, timed.batch_size) == (models, config.training.batch_size)
    assert timed.product_seconds > 0
    assert timed.seconds > 0
    assert timed.ratio > 0


def test_the_seconds_of_a_run_are_those_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [5.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    assert seconds_of(lambda: now.append(now.pop() + 0.25)) == 0.25


def test_blocks_of_steps_and_of_products_are_timed_in_turn() -> None:
    config = load_train_config("cs231n", ["training.iterations=1000", "training.batch_size=20"])
    images = make_synthetic("train", size=200)
    data = prepare_training_data(config, images, images.take_last(1))
    trainer = build_trainer([config], data)
    iterations = []

    def timer(run: Callable[[], object]) -> float:
        before = trainer.iteration
        run()
        iterations.append(trainer.iteration - before)
        return float(len(iterations))

    blocks = step_blocks(trainer, 20, 2, steps=4, warm_up=3, timer=timer)
    assert iterations == [4, 0, 4, 0]
    assert blocks == [(1 / 4, 2 / 4), (3 / 4, 4 / 4)]
    assert trainer.iteration == 2 * (3 + 4)
