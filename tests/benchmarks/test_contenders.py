import tempfile
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.contenders.jaxscan import JaxScan
from benchmarks.contenders.own import SoftmaxLoop, SoftmaxSweep, SoftmaxTrain
from benchmarks.contenders.plain import PlainLoop, plain_loss
from benchmarks.contenders.products import ProductsAlone
from benchmarks.contenders.pytorch import TorchLoop
from benchmarks.contenders.scikit import LogisticRegression, SGDClassifier
from benchmarks.task import Images, Task
from benchmarks.timing import Contender, judged
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.model import softmax_loss_vectorized
from softmax_cli.tuning.trials import make_trials
from tests.benchmarks.conftest import TINY

MakeTask = Callable[..., Task]
MakeContender = Callable[[Task], Contender]

TOLERANCE = 0.06
GOOD, SLOW = 5e-7, 3e-9


def judge(contender: Contender, images: Images) -> float:
    """Mean test accuracy after one run."""
    contender.setup()
    contender.run()
    _, (test,) = judged(contender.learned(), images)
    return test


@pytest.mark.parametrize(
    ("library", "make"),
    [
        ("numpy", PlainLoop),
        ("torch", TorchLoop),
        ("jax", JaxScan),
        ("numpy", lambda task: SoftmaxTrain("softmax", task.configs, task.images)),
    ],
    ids=["plain", "torch", "jax", "softmax"],
)
def test_every_contender_learns_what_the_training_loop_learns(
    library: str, make: MakeContender, make_task: MakeTask, images: Images
) -> None:
    pytest.importorskip(library)
    task = make_task(GOOD)
    expected = judge(SoftmaxLoop(task), images)
    assert expected > 0.5
    assert judge(make(task), images) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("library", "make"),
    [("numpy", PlainLoop), ("torch", TorchLoop), ("jax", JaxScan), ("numpy", SoftmaxLoop)],
    ids=["plain", "torch", "jax", "softmax"],
)
def test_a_member_of_a_stack_learns_at_its_own_rate(
    library: str, make: Callable[[Task, list[int]], Contender], make_task: MakeTask, images: Images
) -> None:
    pytest.importorskip(library)
    task = make_task(SLOW, SLOW, GOOD)
    assert judge(make(task, [0]), images) < 0.3
    assert judge(make(task, [2]), images) > 0.5


def test_one_after_another_is_a_share_of_the_work(make_task: MakeTask) -> None:
    task = make_task(SLOW, SLOW, SLOW, GOOD)
    for contender in (PlainLoop(task, [0]), TorchLoop(task, [3])):
        assert contender.share == 0.25
    assert JaxScan(task, [0]).share == SoftmaxLoop(task, [0]).share == 1


def test_the_sweep_learns_what_a_stack_of_its_trials_learns(images: Images) -> None:
    sweep = load_sweep_config(
        "cs231n-sweep",
        [
            *TINY[:-1],
            "parameters.optimizer.learning_rate=[5.0e-7, 1.0e-6]",
            "parameters.optimizer.regularization=[3000, 9000]",
        ],
    )
    task = Task([trial.config for trial in make_trials(sweep)], images)
    members = [1, 2]
    own, stack = SoftmaxSweep(sweep, task, members), SoftmaxLoop(task, members)
    for contender in (own, stack):
        contender.setup()
        contender.run()
    # Columns may lie in another order, on which the last bits of a product depend.
    for model, expected in zip(own.learned(), stack.learned(), strict=True):
        np.testing.assert_allclose(model.weights, expected.weights, rtol=1e-3, atol=1e-6)


def test_scikit_learn_classifiers_learn(make_task: MakeTask, images: Images) -> None:
    pytest.importorskip("sklearn")
    task = make_task(GOOD)
    few, many = (judge(LogisticRegression(task, steps), images) for steps in (1, 30))
    assert few < many
    assert judge(SGDClassifier(task, 2), images) > 0.4


def test_products_alone_learn_nothing_and_have_the_shapes_of_a_stack(make_task: MakeTask) -> None:
    products = ProductsAlone.of(make_task(SLOW, SLOW, GOOD))
    products.setup()
    products.run()
    assert products.learned() == ()
    assert products._scores.shape == (50, 30)
    assert products._gradient.shape == (3072, 30)
    assert products._gradient.dtype == np.float32


def test_plain_loss_is_the_loss() -> None:
    rng = np.random.default_rng(0)
    W, X, y = rng.normal(size=(7, 4)), rng.normal(size=(9, 7)), rng.integers(4, size=9)
    loss, dW = plain_loss(W, X, y, 0.3)
    expected_loss, expected = softmax_loss_vectorized(W, X, y, 0.3)
    assert loss == pytest.approx(expected_loss)
    np.testing.assert_allclose(dW, expected, atol=1e-12)


def test_run_directories_are_removed(
    images: Images, make_task: MakeTask, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        judge(SoftmaxTrain("softmax", make_task(GOOD).configs, images), images)
    assert list(folder.iterdir()) == []
