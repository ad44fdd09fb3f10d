from typing import Any

import numpy as np
import pytest

from softmax_cli.config.loading import with_values
from softmax_cli.errors import ConfigurationError
from softmax_cli.tuning.trials import make_trials, trial_id
from tests.tuning.conftest import Space

RANGE = {"low": 1e-4, "high": 1.0, "scale": "log"}


def test_a_grid_has_every_combination_once(space: Space) -> None:
    trials = make_trials(
        space({"optimizer.learning_rate": [0.1, 0.2], "training.batch_size": [10, 20, 30]})
    )
    pairs = [tuple(trial.parameters.values()) for trial in trials]
    assert pairs == [(0.1, 10), (0.1, 20), (0.1, 30), (0.2, 10), (0.2, 20), (0.2, 30)]
    assert trials[4].config.optimizer.learning_rate == 0.2
    assert trials[4].config.training.batch_size == 20
    assert len({trial.id for trial in trials}) == 6


def test_an_id_is_that_of_the_settings_and_not_of_the_way_to_them(space: Space) -> None:
    a = make_trials(space({"optimizer.learning_rate": [0.1], "seed": [3]}))
    b = make_trials(space({"seed": [3]}, **{"optimizer.learning_rate": 0.1}))
    assert a[0].id == b[0].id
    assert make_trials(space({"seed": [4]}, **{"optimizer.learning_rate": 0.1}))[0].id != a[0].id


def test_an_id_does_not_depend_on_where_the_data_is(space: Space) -> None:
    config = space({"seed": [1]}).train
    assert trial_id(config) == trial_id(with_values(config, {"data.dir": "/elsewhere"}))


def test_combinations_that_come_to_the_same_are_one_trial(space: Space) -> None:
    parameters = {"model.weight_scale": [0.0], "optimizer.schedule": ["constant"]}
    again = {**parameters, "optimizer.schedule": ["constant", {"kind": "constant", "warmup": 0}]}
    assert len(make_trials(space(again))) == len(make_trials(space(parameters))) == 1


def test_values_that_do_not_go_together_are_refused(space: Space) -> None:
    settings = space({"optimizer.nesterov": [True], "optimizer.momentum": [0.0, 0.9]})
    with pytest.raises(ConfigurationError, match="nesterov"):
        make_trials(settings)


def random_values(space: Space, trials: int, axis: Any, **values: Any) -> list[Any]:
    settings = space(
        {"optimizer.regularization": axis}, search={"random": {"trials": trials}}, **values
    )
    return [trial.parameters["optimizer.regularization"] for trial in make_trials(settings)]


def test_random_draws_are_uniform_in_the_logarithm(space: Space) -> None:
    values = random_values(space, 2000, RANGE)
    assert min(values) >= 1e-4
    assert max(values) <= 1.0
    share, _ = np.histogram(np.log10(values), bins=[-4, -3, -2, -1, 0])
    assert np.abs(share / 2000 - 0.25).max() < 0.04


def test_random_draws_are_uniform_on_a_linear_scale(space: Space) -> None:
    values = random_values(space, 2000, {"low": 1.0, "high": 5.0})
    share, _ = np.histogram(values, bins=[1, 2, 3, 4, 5])
    assert np.abs(share / 2000 - 0.25).max() < 0.04


def test_the_same_seed_draws_the_same_and_more_trials_begin_with_them(space: Space) -> None:
    few = random_values(space, 5, RANGE)
    assert random_values(space, 20, RANGE)[:5] == few
    settings = space({"optimizer.regularization": RANGE}, search={"random": {"trials": 5}})
    other = settings.model_copy(update={"seed": 1})
    assert [t.parameters["optimizer.regularization"] for t in make_trials(other)] != few


def test_random_search_draws_from_lists_and_whole_numbers(space: Space) -> None:
    settings = space(
        {
            "training.batch_size": {"low": 8, "high": 64, "scale": "log"},
            "model.loss": ["softmax", "hinge"],
            "optimizer.momentum": {"low": 0.1, "high": 0.9, "num": 3},
        },
        search={"random": {"trials": 200}},
    )
    trials = make_trials(settings)
    sizes = {trial.parameters["training.batch_size"] for trial in trials}
    assert all(isinstance(size, int) for size in sizes)
    assert len(sizes) > 20
    assert {trial.parameters["model.loss"] for trial in trials} == {"softmax", "hinge"}
    assert {trial.parameters["optimizer.momentum"] for trial in trials} == {0.1, 0.5, 0.9}


def test_random_duplicates_are_one_trial(space: Space) -> None:
    assert sorted(random_values(space, 50, [0.1, 0.2])) == [0.1, 0.2]
