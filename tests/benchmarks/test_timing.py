import time
from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks import timing
from benchmarks.task import Images, LinearModel
from benchmarks.timing import Comparison, Goal, Measurement, Spread, agreeing, measure
from softmax_cli.features.standardization import Standardization


class Fake:
    """Notes in a diary what is asked of it."""

    def __init__(self, name: str, diary: list[str], share: float = 1.0) -> None:
        self.name = name
        self.share = share
        self._diary = diary

    def setup(self) -> None:
        self._diary.append(f"set up {self.name}")

    def run(self) -> None:
        self._diary.append(self.name)

    def learned(self) -> Sequence[LinearModel]:
        return ()


def measurement(name: str, *seconds: float, accuracy: float | None = None) -> Measurement:
    accuracies = () if accuracy is None else (accuracy,) * len(seconds)
    return Measurement(name, seconds, 1.0, 1, accuracies, accuracies)


def test_contenders_run_in_turn_and_the_first_round_does_not_count() -> None:
    diary: list[str] = []
    first, second = measure([Fake("a", diary), Fake("b", diary)], None, 2, lambda _: None)
    assert diary == ["set up a", "set up b", *"ababab"]
    assert len(first.seconds) == len(second.seconds) == 2


def test_the_time_of_a_share_is_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    whole, part = measure([Fake("a", []), Fake("b", [], share=0.25)], None, 1, lambda _: None)
    assert whole.seconds == (1.0,)
    assert part.seconds == (4.0,)


def test_judges_look_at_images_that_were_not_trained_on(images: Images) -> None:
    width = images.train.images.shape[1]
    nothing = Standardization(np.zeros(width, np.float32), np.ones(width, np.float32))
    bias = np.zeros(10, np.float32)
    bias[3] = 1
    constant = LinearModel(np.zeros((width, 10), np.float32), bias, nothing)
    (validation,), (test,) = timing.judged([constant, constant], images)
    assert validation == np.mean(images.train.labels[-200:] == 3)
    assert test == np.mean(images.test.labels == 3)


def test_weights_that_are_not_finite_get_nothing_right(images: Images) -> None:
    width = images.train.images.shape[1]
    nothing = Standardization(np.zeros(width, np.float32), np.ones(width, np.float32))
    model = LinearModel(np.full((width, 10), np.nan, np.float32), np.zeros(10, np.float32), nothing)
    assert model.accuracy(images.test) == 0


def test_who_learned_something_else_is_invalid() -> None:
    marked = agreeing(
        [
            measurement("a", 1.0, accuracy=0.37),
            measurement("b", 1.0, accuracy=0.38),
            measurement("worse", 0.1, accuracy=0.33),
            measurement("better", 9.0, accuracy=0.42),
            measurement("nothing", 0.1, accuracy=0.1),
            measurement("floor", 0.1),
        ],
        tolerance=0.015,
    )
    complaints = {m.name: m.complaint for m in marked}
    assert complaints["a"] == complaints["b"] == complaints["floor"] == ""
    assert "33.0 %" in complaints["worse"]
    assert "the others 37.0 %" in complaints["better"]
    assert "did not learn: 10.0 %" in complaints["nothing"]


def test_agreeing_on_chance_is_not_learning() -> None:
    marked = agreeing([measurement(name, 1.0, accuracy=0.1) for name in "abc"], tolerance=0.5)
    assert all(m.complaint for m in marked)


@pytest.mark.parametrize(("classes", "complains"), [(10, True), (100, False)])
def test_chance_depends_on_the_number_of_classes(classes: int, complains: bool) -> None:
    (marked,) = agreeing([measurement("a", 1.0, accuracy=0.1)], 0.5, classes)
    assert bool(marked.complaint) == complains


def test_a_ratio_is_taken_round_by_round() -> None:
    comparison = Comparison("x", "X", (measurement("a", 2, 4, 9), measurement("b", 1, 4, 3)))
    assert comparison.ratio(Goal("a", "b", 1.0, at_least=True)) == Spread(2.0, 1.0, 3.0)


def test_there_is_no_ratio_with_an_invalid_contender() -> None:
    marked = agreeing(
        [measurement("a", 1.0, accuracy=0.4), measurement("b", 1.0, accuracy=0.05)], 0.5
    )
    comparison = Comparison("x", "X", marked)
    assert comparison.ratio(Goal("a", "b", 1.0, at_least=True)) is None
