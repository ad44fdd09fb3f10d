import numpy as np
import pytest

from benchmarks.contenders.optimum import PlainStackedLbfgs, StackedLbfgs
from benchmarks.optimum import compare_optimum
from benchmarks.task import Images, Task
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.training import preconditioner
from softmax_cli.tuning.trials import make_trials
from tests.benchmarks.conftest import OVERRIDES

SWEEP = (
    *OVERRIDES,
    "parameters.optimizer.regularization=[0.3, 1, 3]",
    "augmentation.horizontal_flip=false",
    "optimizer.tolerance=1e-3",
)


@pytest.fixture(autouse=True)
def _no_large_decomposition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 0)


def test_all_contenders_find_the_same_optimum(images: Images) -> None:
    pytest.importorskip("sklearn")
    messages: list[str] = []
    sweep = load_sweep_config("optimum-sweep", SWEEP)
    comparison = compare_optimum(sweep, images, sampled=2, announce=messages.append)
    own, plain, scikit = comparison.measurements
    assert own.test_accuracy == pytest.approx(plain.test_accuracy, abs=0.01)
    assert (own.models, scikit.models) == (3, 2)
    assert scikit.share == pytest.approx(2 / 3)
    # The time of the one in the middle is between those of the others.
    fits = [float(m.split()[-2]) for m in messages if ": lambda " in m]
    assert 2 * sum(fits) > 1.01 * scikit.seconds[0] > sum(fits)
    of_own, _, of_scikit = (
        [float(value) for value in note.rstrip(".").partition("objectives ")[2].split(", ")]
        for note in comparison.notes[-3:]
    )
    np.testing.assert_allclose([of_own[0], of_own[2]], of_scikit, rtol=1e-3)


def test_without_preconditioner_the_optimum_is_the_same(images: Images) -> None:
    sweep = load_sweep_config("optimum-sweep", SWEEP)
    task = Task([trial.config for trial in make_trials(sweep)], images)
    own, plain = StackedLbfgs(task), PlainStackedLbfgs(task)
    for contender in (own, plain):
        contender.setup()
        contender.run()
        contender.learned()
    np.testing.assert_allclose(own.objectives, plain.objectives, rtol=1e-3)
