import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from softmax_cli.evaluation.intervals import student_interval, wilson_interval
from softmax_cli.tuning.noise import accuracy_interval, select, within_noise
from softmax_cli.tuning.outcomes import Outcome, failed, pack_hits
from softmax_cli.tuning.repeats import Setting, ranked_settings
from tests.tuning.test_outcomes import GOOD

IMAGES = 203
"""Not a multiple of eight."""


def trial(name: str, hits: Any, **changes: Any) -> Outcome:
    row = np.asarray(hits, np.bool_)
    values: dict[str, Any] = {
        "id": name,
        "parameters": {"model.loss": name},
        "validation_accuracy": float(row.mean()),
        "validation_images": len(row),
        "hits": pack_hits(row),
    }
    return replace(GOOD, **{**values, **changes})


def right_on(*ranges: range) -> Any:
    row = np.zeros(IMAGES, np.bool_)
    for places in ranges:
        row[list(places)] = True
    return row


BEST = trial("best", right_on(range(100)))
CLOSE = trial("close", right_on(range(96), range(150, 152)))
FAR = trial("far", right_on(range(80)))


def settings(*outcomes: Outcome) -> list[Setting]:
    return ranked_settings(outcomes, "validation_accuracy")


def noise(*outcomes: Outcome) -> dict[str, bool | None]:
    found = settings(*outcomes)
    return {s.mean.id: like for s, like in zip(found, within_noise(found), strict=True)}


def test_hits_come_back_from_a_record() -> None:
    back = CLOSE.unpacked_hits()
    assert back is not None
    np.testing.assert_array_equal(back, right_on(range(96), range(150, 152)))
    for spoilt in (None, "", "?", "AAAA"):
        assert replace(CLOSE, hits=spoilt).unpacked_hits() is None
    assert replace(CLOSE, validation_images=None).unpacked_hits() is None


def test_mcnemar_tells_trials_from_the_best_or_not() -> None:
    # 4 against 2 images tell nothing, 20 against none do.
    assert noise(BEST, CLOSE, FAR) == {"best": True, "close": True, "far": False}


def test_trials_without_hits_are_neither_within_noise_nor_out_of_it() -> None:
    old = replace(CLOSE, id="old", hits=None, validation_images=None)
    assert noise(BEST, old, FAR) == {"best": True, "old": None, "far": False}


def test_only_what_was_trained_to_its_end_is_compared() -> None:
    dropped = replace(CLOSE, id="dropped", status="dropped")
    lost = failed("lost", {"model.loss": "x"})
    found = noise(BEST, replace(CLOSE, status="stopped"), dropped, lost)
    assert found == {"best": True, "close": True, "dropped": False, "lost": False}
    assert noise(lost) == {"lost": False}


def test_trials_on_other_validation_images_are_not_compared() -> None:
    for key in ("data.dataset", "data.validation", "data.dir"):
        other = replace(CLOSE, parameters={key: "other"})
        assert noise(BEST, other)["close"] is None
    fewer = replace(CLOSE, parameters={"data.train_size": 100})
    assert noise(BEST, fewer)["close"] is True
    assert noise(BEST, trial("short", [True, False, False] * 50))["short"] is None


def test_folds_are_compared_by_their_spread() -> None:
    def folded(name: str, accuracies: tuple[float, ...]) -> Outcome:
        mean = float(np.mean(accuracies))
        return replace(trial(name, [True]), validation_accuracy=mean, fold_accuracies=accuracies)

    best = folded("best", (0.40, 0.42, 0.41, 0.43, 0.39))
    close = folded("close", (0.41, 0.40, 0.41, 0.42, 0.40))
    far = folded("far", (0.35, 0.37, 0.36, 0.37, 0.34))
    assert noise(best, close, far) == {"best": True, "close": True, "far": False}


def test_settings_with_repeats_are_compared_by_their_mean_hits() -> None:
    def repeats(name: str, right: int) -> list[Outcome]:
        return [
            trial(f"{name}{s}", right_on(range(s, right + s)), parameters={"x": name, "seed": s})
            for s in range(3)
        ]

    outcomes = [*repeats("a", 100), *repeats("b", 99), *repeats("c", 80)]
    assert within_noise(settings(*outcomes)) == [True, True, False]


def test_the_interval_is_wilsons_or_students_or_unknown() -> None:
    assert accuracy_interval(BEST) == wilson_interval(100, IMAGES)
    folds = (0.40, 0.42, 0.41)
    folded = replace(BEST, validation_accuracy=0.41, fold_accuracies=folds)
    expected = student_interval(0.41, float(np.std(folds, ddof=1)), 3)
    assert accuracy_interval(folded) == pytest.approx(expected)
    assert accuracy_interval(replace(BEST, validation_images=None)) is None
    assert accuracy_interval(failed("x", {})) is None


def test_the_simplest_is_the_most_regularised_within_one_standard_error() -> None:
    error = math.sqrt(BEST.validation_accuracy * (1 - BEST.validation_accuracy) / IMAGES)
    inside = replace(CLOSE, validation_accuracy=BEST.validation_accuracy - 0.99 * error)
    outside = replace(FAR, validation_accuracy=BEST.validation_accuracy - 1.01 * error)
    found = settings(BEST, inside, outside)
    strength = {"best": 1.0, "close": 2.0, "far": 3.0}
    assert select(found, "best", "validation_accuracy", strength).mean.id == "best"
    assert select(found, "simplest", "validation_accuracy", strength).mean.id == "close"
    equal = dict.fromkeys(strength, 1.0)
    assert select(found, "simplest", "validation_accuracy", equal).mean.id == "best"


def test_what_was_dropped_on_the_way_is_never_the_simplest() -> None:
    dropped = replace(CLOSE, status="dropped")
    strength = {"best": 1.0, "close": 2.0}
    found = settings(BEST, dropped)
    assert select(found, "simplest", "validation_accuracy", strength).mean.id == "best"


def test_folds_give_the_standard_error_of_a_loss_too() -> None:
    folds = {"fold_accuracies": (0.4, 0.5, 0.45, 0.45), "validation_loss_std": 0.2}
    best = replace(BEST, validation_loss=1.0, **folds)  # type: ignore[arg-type]
    near = replace(CLOSE, validation_loss=1.09, **folds)  # type: ignore[arg-type]
    far = replace(FAR, validation_loss=1.11, **folds)  # type: ignore[arg-type]
    found = ranked_settings([best, near, far], "validation_loss")
    strength = {"best": 1.0, "close": 2.0, "far": 3.0}
    assert select(found, "simplest", "validation_loss", strength).mean.id == "close"
