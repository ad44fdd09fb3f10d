import pytest

from benchmarks.single import compare_single
from benchmarks.sweep import compare_sweep
from benchmarks.task import Images
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.sweep_loading import load_sweep_config
from tests.benchmarks.conftest import TINY


@pytest.fixture(autouse=True)
def _contenders() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("jax")


def test_single_trainings_agree_and_every_goal_has_a_ratio(images: Images) -> None:
    config = load_train_config("cs231n", [*TINY, "optimizer.learning_rate=5e-7"])
    comparison = compare_single(config, images, repeats=1, tolerance=0.06, announce=lambda _: None)
    assert [m.complaint for m in comparison.measurements] == [""] * 6
    assert all(comparison.ratio(goal) for goal in comparison.goals)
    assert [m.models for m in comparison.measurements] == [1, 1, 1, 1, 1, 0]


def test_sweeps_agree_and_every_goal_has_a_ratio(images: Images) -> None:
    sweep = load_sweep_config(
        "cs231n-sweep",
        [
            *TINY[:-1],
            "parameters.optimizer.learning_rate=[5.0e-7, 1.0e-6]",
            "parameters.optimizer.regularization=[3000, 9000]",
        ],
    )
    comparison = compare_sweep(
        sweep, images, sampled=2, repeats=1, tolerance=0.06, announce=lambda _: None
    )
    assert [m.complaint for m in comparison.measurements] == [""] * 6
    assert all(comparison.ratio(goal) for goal in comparison.goals)
    shares = {m.name: m.share for m in comparison.measurements}
    assert shares["plain numpy loop"] == shares["torch, eager loop"] == 0.5
    assert [m.models for m in comparison.measurements] == [2, 2, 2, 2, 2, 0]
