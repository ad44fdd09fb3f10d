import numpy as np
import pytest

from benchmarks.arrays import ProbeSizes, compare_probes, make_arrays, stacking_note
from softmax_cli.training import preconditioner

SIZES = ProbeSizes(
    classes=(3, 10),
    examples=1500,
    validation=200,
    test=500,
    features=128,
    separation=0.25,
    rates=2,
    decays=2,
    lambdas=3,
    iterations=150,
    fitted=2,
)


def test_classes_overlap_and_noise_falls_along_the_spectrum() -> None:
    images = make_arrays(10, SIZES)
    assert images.train.images.shape == (1700, 128)
    assert images.train.images.dtype == np.float32
    assert not images.train.is_pictures
    assert set(images.test.labels.tolist()) == set(range(10))
    spectrum = np.linalg.eigvalsh(np.cov(images.train.images.T))
    assert spectrum[-1] / spectrum[0] > 64


def test_the_same_seed_makes_the_same_rows() -> None:
    first, again = (make_arrays(3, SIZES) for _ in range(2))
    np.testing.assert_array_equal(first.train.images, again.train.images)
    np.testing.assert_array_equal(first.test.labels, again.test.labels)
    assert (make_arrays(3, SIZES, seed=1).train.images != first.train.images).any()


def test_a_probe_is_trained_and_solved_for_each_number_of_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("jax")
    pytest.importorskip("sklearn")
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 0)
    comparisons = compare_probes(
        SIZES, gradient=1e-3, repeats=1, tolerance=0.12, announce=lambda _: None
    )
    assert [comparison.name for comparison in comparisons] == [
        "arrays, 3 classes",
        "arrays, optimum, 3 classes",
        "arrays, 10 classes",
        "arrays, optimum, 10 classes",
    ]
    for comparison in comparisons:
        assert [m.complaint for m in comparison.measurements if m.complaint] == []
        assert all(comparison.ratio(goal) for goal in comparison.goals)
        assert "times as long as in a stack" in comparison.notes[-1]
        for measurement in comparison.measurements:
            assert all(0.15 < accuracy < 0.99 for accuracy in measurement.test_accuracy)
    assert [comparison.goals[0].bound for comparison in comparisons] == [None, None, 1.1, 10]


@pytest.mark.parametrize(
    ("alone", "verdict"), [(3.0, "stacking pays"), (1.05, "stacking does not pay")]
)
def test_the_note_says_whether_stacking_pays(alone: float, verdict: str) -> None:
    note = stacking_note(1.0, alone, models=24, classes=100)
    assert note.startswith(f"24 models of 100 classes one by one take {alone:.2f} times as long")
    assert note.endswith(f"here {verdict}.")
