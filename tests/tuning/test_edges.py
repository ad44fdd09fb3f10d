from dataclasses import replace
from typing import Any

import pytest

from softmax_cli.tuning.edges import edge_warnings
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space
from tests.tuning.test_outcomes import GOOD


def warnings(space: Space, key: str, values: list[Any], best: object) -> list[str]:
    trials = make_trials(space({key: values}))
    (trial,) = [trial for trial in trials if trial.parameters[key] == best]
    return edge_warnings(replace(GOOD, id=trial.id, parameters=trial.parameters), trials)


@pytest.mark.parametrize(
    ("key", "values", "best", "word"),
    [
        ("optimizer.learning_rate", [0.1, 0.2, 0.4], 0.1, "smaller"),
        ("optimizer.learning_rate", [0.4, 0.1, 0.2], 0.4, "larger"),
        ("optimizer.regularization", [0.0, 1.0], 1.0, "larger"),
        ("optimizer.momentum", [0.5, 0.9], 0.9, "larger"),
        ("training.batch_size", [10, 20], 10, "smaller"),
        ("data.train_size", [100, 200], 200, "larger"),
    ],
)
def test_a_best_value_on_an_edge_says_where_to_look(
    space: Space, key: str, values: list[Any], best: object, word: str
) -> None:
    (warning,) = warnings(space, key, values, best)
    assert key in warning
    assert f"try {word} values" in warning


@pytest.mark.parametrize(
    ("key", "values", "best"),
    [
        ("optimizer.learning_rate", [0.1, 0.2, 0.4], 0.2),
        ("optimizer.learning_rate", [0.1], 0.1),
        ("optimizer.regularization", [0.0, 1.0], 0.0),
        ("optimizer.momentum", [0.0, 0.9], 0.0),
        ("training.batch_size", [1, 2], 1),
        ("seed", [1, 2, 3], 3),
        ("model.weight_seed", [1, 2, 3], 1),
        ("augmentation.horizontal_flip", [False, True], True),
        ("preprocessing.scale", ["unit", "pixel"], "pixel"),
        ("model.temperature", [{"start": 2.0, "end": 1.0}, {"start": 4.0, "end": 1.0}],
         {"start": 4.0, "end": 1.0}),
    ],
)  # fmt: skip
def test_there_is_no_warning_inside_at_a_bound_or_where_there_is_no_order(
    space: Space, key: str, values: list[Any], best: object
) -> None:
    assert warnings(space, key, values, best) == []


def test_nothing_lies_beyond_all_training_images(space: Space) -> None:
    settings = space(
        {"data.train_size": [100, 49_800]},
        **{"data.dataset": "cifar10", "data.validation_size": 200},
    )
    trials = make_trials(settings)
    best = replace(GOOD, id=trials[1].id, parameters=trials[1].parameters)
    assert edge_warnings(best, trials) == []


def test_every_axis_has_its_own_warning(space: Space) -> None:
    trials = make_trials(
        space({"optimizer.learning_rate": [0.1, 0.2], "optimizer.regularization": [0.1, 0.2]})
    )
    best = replace(GOOD, id=trials[1].id, parameters=trials[1].parameters)
    smaller, larger = edge_warnings(best, trials)
    assert "learning_rate, 0.1" in smaller
    assert "regularization, 0.2" in larger
