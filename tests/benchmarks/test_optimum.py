import numpy as np
import pytest

from benchmarks.contenders.optimum import (
    MOST_ITERATIONS,
    LbfgsOneByOne,
    PlainStackedLbfgs,
    StackedLbfgs,
)
from benchmarks.optimum import (
    compare_hog,
    compare_pixels,
    difference_of_objectives,
    optimum_task,
    spread_members,
)
from benchmarks.task import Images
from softmax_cli.training import preconditioner
from tests.benchmarks.conftest import OVERRIDES

SETTINGS = (
    *OVERRIDES,
    "parameters.optimizer.regularization=[0.3, 3, 1]",
    "augmentation.horizontal_flip=false",
    "optimizer.tolerance=1e-3",
)


@pytest.fixture(autouse=True)
def _no_large_decomposition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 0)


def test_all_contenders_find_the_same_optimum(images: Images) -> None:
    pytest.importorskip("sklearn")
    messages: list[str] = []
    comparison, difference = compare_pixels(images, SETTINGS, sampled=2, announce=messages.append)
    own, plain, scikit = comparison.measurements
    assert own.test_accuracy == pytest.approx(plain.test_accuracy, abs=0.01)
    assert (own.models, scikit.models) == (3, 2)
    assert scikit.share == pytest.approx(2 / 3)
    # The time of the one in the middle is between those of the others.
    fits = [float(m.split()[-2]) for m in messages if ": lambda " in m]
    assert 2 * sum(fits) > 1.01 * scikit.seconds[0] > sum(fits)
    of_own, _, of_scikit = (
        [float(value) for value in note.partition("objectives ")[2].partition(";")[0].split(", ")]
        for note in comparison.notes[-3:]
    )
    np.testing.assert_allclose([of_own[0], of_own[2]], of_scikit, rtol=1e-3)
    expected = np.abs(np.array([of_own[0], of_own[2]]) / of_scikit - 1).max()
    assert difference.spread.median == pytest.approx(expected, abs=2e-6)
    assert all(comparison.ratio(goal) for goal in comparison.goals)


def test_without_preconditioner_the_optimum_is_the_same(images: Images) -> None:
    task = optimum_task(images, SETTINGS)
    own, plain = StackedLbfgs(task), PlainStackedLbfgs(task)
    for contender in (own, plain):
        contender.setup()
        contender.run()
        contender.learned()
    np.testing.assert_allclose(own.objectives, plain.objectives, rtol=1e-3)


def test_one_by_one_the_optimum_is_the_same(images: Images) -> None:
    task = optimum_task(images, SETTINGS)
    stacked, alone = StackedLbfgs(task), LbfgsOneByOne(task, [0, 2])
    stacked.setup()
    alone.setup()
    stacked.run()
    for member in (0, 2):
        alone.fit(member)
    assert len(stacked.learned()) == 3
    assert len(alone.learned()) == 2
    assert alone.share == pytest.approx(2 / 3)
    expected = [stacked.objectives[0], stacked.objectives[2]]
    np.testing.assert_allclose(alone.objectives, expected, rtol=1e-5)
    assert max(alone.gradients) <= 1e-3


def test_models_are_sorted_by_lambda_and_the_ends_are_sampled(images: Images) -> None:
    task = optimum_task(images, SETTINGS)
    assert list(task.recipe.regularizations) == [0.3, 1, 3]
    assert spread_members(task, 2) == [0, 2]
    assert spread_members(task, 3) == [0, 1, 2]


def test_hog_features_have_an_optimum_of_their_own(images: Images) -> None:
    pytest.importorskip("sklearn")
    settings = [text for text in SETTINGS if not text.startswith("data.")]
    comparison = compare_hog(images, settings, sampled=2, announce=lambda _: None)
    own, scikit = comparison.measurements
    assert own.test_accuracy[0] > 0.3
    assert (own.models, scikit.models) == (3, 2)


class Ended:
    """A solver that is done."""

    def __init__(self, objectives: list[float], iterations: list[int]) -> None:
        self.objectives = objectives
        self.iterations = iterations


def test_objectives_are_compared_only_where_scikit_learn_converged() -> None:
    own = Ended([1.0, 2.0, 4.0], [9, 9, 9])
    scikit = Ended([1.5, 4.001], [MOST_ITERATIONS, 30])
    figure = difference_of_objectives(own, scikit, [0, 2])  # type: ignore[arg-type]
    assert figure.spread.median == pytest.approx(0.001 / 4.001)
    assert figure.bound == 1e-6
