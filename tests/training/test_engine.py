import threading

import numpy as np
import pytest

from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.model import LinearStack
from softmax_cli.training.engine import StepEngine
from softmax_cli.training.minibatches import Minibatches
from softmax_cli.training.sampling import with_replacement
from softmax_cli.training.updates import PlainUpdate

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (200, 3072), dtype=np.uint8)
LABELS = RNG.integers(10, size=200)
MODELS, BATCH = 3, 60


def new_engine(threads: int) -> tuple[StepEngine, LinearStack]:
    stack = LinearStack.initialize(3072, 10, [np.random.SeedSequence(0)] * MODELS, [1e-3] * MODELS)
    preprocessing = Preprocessing.fit(IMAGES, center=True, scale="unit")
    sampler = with_replacement(200, BATCH, np.random.SeedSequence(1))
    minibatches = Minibatches(IMAGES, LABELS, preprocessing, sampler)
    return StepEngine(stack, minibatches, PlainUpdate(stack, np.zeros(MODELS)), threads), stack


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_steps_are_those_of_whole_matrices(threads: int) -> None:
    engine, stack = new_engine(threads)
    W = stack.weights.astype(np.float64)
    rng = np.random.default_rng(2)
    for step in range(20):
        batch, product = engine.forward(step)
        X = batch.features.astype(np.float64)
        np.testing.assert_allclose(product, X @ W, atol=1e-4)
        assert (batch.labels == LABELS[batch.indices]).all()
        error = rng.normal(scale=1e-3, size=(10 * MODELS, BATCH)).astype(np.float32)
        engine.backward(error, np.ones(MODELS))
        W -= X.T @ error.T
        np.testing.assert_allclose(stack.weights, W, atol=1e-4)
    engine.close()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_steps_may_begin_anywhere_and_be_skipped(threads: int) -> None:
    engine, _ = new_engine(threads)
    for step in (7, 8, 3, 3):
        batch, _ = engine.forward(step)
        expected, _ = new_engine(1)
        assert (batch.features == expected.forward(step)[0].features).all()
        engine.backward(np.zeros((10 * MODELS, BATCH), np.float32), np.ones(MODELS))
        expected.close()
    engine.close()


def test_the_number_of_threads_fixes_the_bits() -> None:
    results = []
    for _ in range(2):
        engine, stack = new_engine(3)
        for step in range(50):
            _, product = engine.forward(step)
            engine.backward(product.T * np.float32(1e-6), np.ones(MODELS))
        engine.close()
        results.append(stack.weights.copy())
    assert (results[0] == results[1]).all()


def test_a_failure_in_a_thread_is_raised_where_it_is_awaited() -> None:
    engine, _ = new_engine(2)

    def fail(shard: int) -> None:
        raise MemoryError(f"shard {shard}")

    engine.multiply = fail  # type: ignore[method-assign]
    with pytest.raises(MemoryError, match="shard"):
        engine.forward(0)


def test_closing_ends_the_threads() -> None:
    before = threading.active_count()
    engine, _ = new_engine(3)
    assert threading.active_count() == before + 2
    engine.close()
    assert threading.active_count() == before
