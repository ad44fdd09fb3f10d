import math
from dataclasses import replace
from typing import Any

import pytest

from softmax_cli.runs.tables import SweepResults
from softmax_cli.tuning.halving import survivors
from softmax_cli.tuning.outcomes import failed
from softmax_cli.tuning.repeats import pooled, ranked_settings
from tests.tuning.test_outcomes import GOOD

ACCURACIES = {"a": (0.40, 0.44, 0.42), "b": (0.39, 0.47, 0.34), "c": (0.41, 0.43, 0.45)}


def repeated() -> list[Any]:
    return [
        replace(
            GOOD,
            id=f"{name}{seed}",
            parameters={"model.loss": name, "seed": seed},
            validation_accuracy=accuracy,
            validation_loss=2 - accuracy,
        )
        for name, values in ACCURACIES.items()
        for seed, accuracy in enumerate(values)
    ]


def test_settings_go_by_the_mean_whatever_the_order_and_keep_their_repeats() -> None:
    for outcomes in (repeated(), repeated()[::-1]):
        settings = ranked_settings(outcomes, "validation_accuracy")
        assert [s.mean.parameters for s in settings] == [{"model.loss": n} for n in "cab"]
        assert [[r.id for r in s.repeats] for s in settings] == [
            [f"{n}{seed}" for seed in range(3)] for n in "cab"
        ]
    best = settings[0]
    assert best.mean.validation_accuracy == pytest.approx(0.43)
    assert best.mean.validation_accuracy_std == pytest.approx(0.02)
    assert best.mean.seconds == 3.0
    assert best.representative.id == "c0"


def test_a_setting_is_as_far_from_its_optimum_as_the_farthest_repeat() -> None:
    near, far = (
        replace(
            GOOD,
            id=str(seed),
            parameters={"seed": seed},
            gradient_norm=norm,
            optimality_bound=10 * norm,
            converged=norm < 2e-5,
        )
        for seed, norm in enumerate((1e-5, 3e-5))
    )
    (setting,) = ranked_settings([near, far], "validation_accuracy")
    assert setting.mean.gradient_norm == 3e-5
    assert setting.mean.optimality_bound == pytest.approx(3e-4)
    assert setting.mean.converged is False
    unknown = replace(GOOD, id="2", parameters={"seed": 2})
    (setting,) = ranked_settings([near, unknown], "validation_accuracy")
    assert setting.mean.gradient_norm is None
    assert setting.mean.converged is None


def test_the_seed_of_the_weights_makes_repeats_too_and_null_comes_first() -> None:
    outcomes = [
        replace(GOOD, id=str(seed), parameters={"model.weight_seed": seed}) for seed in (3, None, 1)
    ]
    (setting,) = ranked_settings(outcomes, "validation_accuracy")
    assert [r.parameters["model.weight_seed"] for r in setting.repeats] == [None, 1, 3]
    assert setting.mean.parameters == {}


def test_a_trial_alone_is_its_own_mean() -> None:
    (setting,) = ranked_settings([GOOD], "validation_accuracy")
    assert setting.mean is GOOD is setting.representative


def test_a_setting_of_which_a_repeat_was_lost_has_no_figures() -> None:
    outcomes = [*repeated(), failed("x", {"model.loss": "c", "seed": 9})]
    *_, last = ranked_settings(outcomes, "validation_accuracy")
    assert last.mean.status == "failed"
    assert math.isnan(last.mean.validation_accuracy)
    assert last.representative.id == "c0"


def test_halving_keeps_and_drops_all_repeats_of_a_setting() -> None:
    assert survivors(repeated(), 3, "validation_accuracy") == {"c0", "c1", "c2"}


def test_rows_of_the_table_are_pooled_in_their_order() -> None:
    results = SweepResults(
        {"seed": [0, 1, 0, 1], "model.loss": ["x", "x", "y", "y"]},
        [0.4, 0.5, 0.3, math.nan],
        [(0.3, 0.5), (0.4, 0.6), (0.2, 0.4), (math.nan, math.nan)],
        [True, True, False, False],
    )
    found = pooled(results)
    assert found.parameters == {"model.loss": ["x", "y"]}
    assert found.validation_accuracies[0] == pytest.approx(0.45)
    assert math.isnan(found.validation_accuracies[1])
    assert found.intervals[0] == pytest.approx((0.35, 0.55))
    assert found.within_noise == [True, False]


def test_a_table_without_seeds_stays_as_it_is() -> None:
    results = SweepResults({"model.loss": ["x"]}, [0.1], [(0.0, 0.2)], [True])
    assert pooled(results) is results


def test_a_table_of_seeds_alone_shows_each_the_best_first() -> None:
    results = SweepResults(
        {"seed": [0, 1, 2]}, [0.1, math.nan, 0.3], [(0.0, 0.2)] * 3, [True, True, True]
    )
    found = pooled(results)
    assert found.parameters == {"seed": [2, 0, 1]}
    assert found.validation_accuracies[:2] == [0.3, 0.1]
    assert found.within_noise == [False, False, False]
