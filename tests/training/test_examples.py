from collections.abc import Callable

import numpy as np
import pytest

from softmax_cli import threads as threads_rule
from softmax_cli.features.standardization import Standardization
from softmax_cli.training.examples import Examples

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (1300, 20), dtype=np.uint8)
ROWS = {
    "bytes": BYTES,
    "sums of bytes": BYTES.astype(np.uint16) * 2,
    "floats": RNG.normal(size=(1300, 20)).astype(np.float32),
    "fewer than a block": BYTES[:3],
}


@pytest.fixture(params=list(ROWS.values()), ids=list(ROWS))
def rows(request: pytest.FixtureRequest) -> np.ndarray:
    return np.asarray(request.param)


def returning(number: int) -> Callable[[], int]:
    return lambda: number


def expected_matrix(rows: np.ndarray, standardization: Standardization) -> np.ndarray:
    X = (rows.astype(np.float64) - standardization.mean) / standardization.scale
    return np.hstack([X, np.ones((len(rows), 1))])


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 2e-5), (np.float64, 1e-7)])
def test_products_are_those_of_one_large_matrix(
    rows: np.ndarray, dtype: type[np.floating], error: float
) -> None:
    standardization = Standardization.fit(rows, center=True, scale="pixel")
    examples = Examples(rows, standardization, dtype)
    X = expected_matrix(rows, standardization)
    weights = RNG.normal(size=(7, 21)).astype(dtype)
    scores = np.concatenate(examples.scores(weights), axis=1)
    np.testing.assert_allclose(scores, weights @ X.T, atol=20 * error)

    E = (RNG.normal(size=(7, len(rows))) / len(rows)).astype(dtype)
    gradient = examples.gradient(lambda number: E[:, examples.blocks[number]], 7)
    np.testing.assert_allclose(gradient, E @ X, atol=error)

    gram = examples.gram()
    np.testing.assert_allclose(gram, X.T @ X / len(rows), atol=error)
    np.testing.assert_array_equal(gram, gram.T)
    np.testing.assert_allclose(examples.mean_squares(), np.diag(gram), atol=error)


def test_the_number_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    standardization = Standardization.fit(BYTES, center=True, scale="pixel")
    weights = RNG.normal(size=(7, 21)).astype(np.float32)
    results = []
    for threads in (1, 3):
        monkeypatch.setattr(threads_rule, "thread_limit", returning(threads))
        examples = Examples(BYTES, standardization)
        scores = examples.scores(weights)
        gradient = examples.gradient(scores.__getitem__, 7)
        results.append([gradient, examples.gram(), examples.mean_squares()])
    for one, three in zip(*results, strict=True):
        np.testing.assert_array_equal(one, three)


def test_the_matrix_is_the_standardised_features_and_the_ones(rows: np.ndarray) -> None:
    standardization = Standardization.fit(rows, center=True, scale="pixel")
    expected = np.ones((len(rows), 21), np.float32)
    standardization.apply(rows, expected[:, :-1])
    np.testing.assert_array_equal(Examples(rows, standardization).matrix(), expected)
