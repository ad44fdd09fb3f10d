from typing import Any

import pytest

from softmax_cli.config.loading import with_values
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.errors import ConfigurationError
from softmax_cli.tuning.extension import check_extends
from tests.tuning.conftest import Space

RATES = {"optimizer.learning_rate": [0.1, 0.2]}
RANDOM = {"random": {"trials": 5}}


def changed(settings: SweepConfig, **values: Any) -> SweepConfig:
    return SweepConfig.model_validate({**settings.model_dump(mode="json"), **values})


def test_a_grid_may_get_more_values_and_the_data_may_move(space: Space) -> None:
    before = space(RATES)
    more = {"optimizer.learning_rate": [0.05, 0.2, 0.1, 0.4]}
    moved = with_values(before.train, {"data.dir": "/elsewhere"})
    check_extends(before, before)
    check_extends(before, changed(before, parameters=more, train=moved.model_dump(mode="json")))


def test_a_range_may_become_longer(space: Space) -> None:
    axis = {"low": 1e-3, "high": 1e-1, "num": 3, "scale": "log"}
    before = space({"optimizer.learning_rate": axis})
    longer = {"optimizer.learning_rate": {**axis, "high": 1.0, "num": 4}}
    check_extends(before, changed(before, parameters=longer))


def test_a_random_search_may_get_more_trials(space: Space) -> None:
    before = space(RATES, search=RANDOM)
    check_extends(before, changed(before, search={"random": {"trials": 50}}))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"folds": 3}, "folds: 1, now 3"),
        ({"metric": "validation_loss"}, "metric: validation_accuracy, now validation_loss"),
        ({"search": {"halving": {}}}, "search:"),
        ({"parameters": {"optimizer.learning_rate": [0.1]}}, "learning_rate: 0.2 left out"),
        ({"parameters": {**RATES, "seed": [1]}}, "parameters:"),
        ({"parameters": {"seed": [1]}}, "parameters:"),
    ],
)
def test_any_other_change_is_refused_with_a_line_for_it(
    space: Space, values: dict[str, Any], line: str
) -> None:
    before = space(RATES)
    with pytest.raises(ConfigurationError) as caught:
        check_extends(before, changed(before, **values))
    assert line in caught.value.message
    assert caught.value.hint


def test_a_changed_base_is_refused_with_the_difference(space: Space) -> None:
    before, now = space(RATES), space(RATES, **{"optimizer.momentum": 0.5, "seed": 4})
    with pytest.raises(ConfigurationError) as caught:
        check_extends(before, now)
    assert "train.optimizer.momentum: 0.0, now 0.5" in caught.value.message
    assert "train.seed: 0, now 4" in caught.value.message


@pytest.mark.parametrize("search", [RANDOM, {"halving": {}}])
def test_what_depends_on_all_values_must_keep_them(space: Space, search: dict[str, Any]) -> None:
    before = space(RATES, search=search)
    more = {"optimizer.learning_rate": [0.1, 0.2, 0.3]}
    with pytest.raises(ConfigurationError, match="learning_rate"):
        check_extends(before, changed(before, parameters=more))
