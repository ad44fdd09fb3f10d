from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks import accuracy
from benchmarks.accuracy import Budgets, Ladder, climb, compare_accuracy, compare_ladders
from benchmarks.task import Images, LinearModel
from softmax_cli.training import preconditioner
from tests.benchmarks.conftest import OVERRIDES


class Improving:
    """Gets a tenth more of the images right with every unit of its budget."""

    name = "improving"
    share = 1.0

    def __init__(self, budget: float) -> None:
        self.budget = budget

    def setup(self) -> None: ...

    def run(self) -> None: ...

    def learned(self) -> Sequence[LinearModel]:
        return ()


def improving(monkeypatch: pytest.MonkeyPatch, budgets: tuple[float, ...]) -> Ladder:
    made: list[Improving] = []

    def make(budget: float) -> Improving:
        made.append(Improving(budget))
        return made[-1]

    monkeypatch.setattr(
        accuracy, "judged", lambda *_: ((made[-1].budget / 10,), (made[-1].budget / 10,))
    )
    return Ladder("improving", "units", budgets, 1, make)


@pytest.mark.parametrize(
    ("target", "tried"), [(0.1, [1]), (0.25, [1, 2, 3]), (0.3, [1, 2, 3]), (0.9, [1, 2, 3, 4])]
)
def test_no_budget_is_tried_beyond_the_first_that_is_enough(
    target: float, tried: list[float], images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder = improving(monkeypatch, (1, 2, 3, 4))
    rungs = climb(ladder, images, target, lambda _: None)
    assert [rung.budget for rung in rungs] == tried


@pytest.mark.parametrize(("target", "valid"), [(0.3, True), (0.99, False)])
def test_only_who_reaches_the_target_is_valid(
    target: float, valid: bool, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setattr(accuracy, "SEEDS", 1)
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 0)
    comparison, curves = compare_accuracy(
        images,
        Budgets(softmax=(0.5, 1), optimum=(5,), lbfgs=(10,), sgd=(1,)),
        overrides=[*OVERRIDES, "training.batch_size=50"],
        target=target,
        repeats=1,
        announce=lambda _: None,
    )
    assert len(comparison.measurements) == len(curves) == 6
    assert {m.complaint == "" for m in comparison.measurements} == {valid}
    assert (comparison.ratio(comparison.goals[0]) is not None) == valid
    assert all(len(rungs) == (1 if valid else 2) for rungs in list(curves.values())[:3])


def test_a_ladder_that_follows_another_takes_its_budget(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder = improving(monkeypatch, (1, 2, 3, 4))
    follower = replace(ladder, name="follower", budgets=(), follows="improving")
    comparison, curves = compare_ladders([ladder, follower], images, 0.2, 1, lambda _: None)
    assert list(curves) == ["improving"]
    assert "improving 2 units; follower 2 units." in comparison.notes[0]
