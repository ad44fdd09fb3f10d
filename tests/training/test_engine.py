from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.features.inputs import Inputs
from softmax_cli.features.standardization import Standardization
from softmax_cli.model import LinearStack
from softmax_cli.training import engine as engine_room
from softmax_cli.training.engine import Selection, StepEngine
from softmax_cli.training.forked import shared_copy
from softmax_cli.training.updates import MomentumUpdate, PlainUpdate, Update

MODELS, CLASSES, EXAMPLES = 3, 4, 20
RATE = np.array([0.1, 0.01, 0.5])
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (90, 3072), dtype=np.uint8)
PREPROCESSING = Standardization.fit(IMAGES, center=True, scale="pixel")
INPUTS = Inputs(IMAGES[:60], IMAGES[60:], PREPROCESSING)
FEATURES = ((IMAGES - PREPROCESSING.mean) / PREPROCESSING.scale).astype(np.float64)


@pytest.fixture(
    params=[
        pytest.param(1, id="1 process"),
        pytest.param(2, id="2 processes", marks=pytest.mark.linux("forks")),
    ]
)
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Make the engine use so many processes, however small the work."""
    use_processes(request.param, monkeypatch)
    before = _children()
    yield request.param
    assert _children() == before


def use_processes(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_room, "_MIN_SHARED_PRODUCT", 1)
    monkeypatch.setattr(engine_room, "thread_limit", lambda: number)


def _children() -> set[str]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {pid for task in tasks for pid in task.read_text().split()}


def new_stack() -> LinearStack:
    seeds = [np.random.SeedSequence(number) for number in range(MODELS)]
    stack = LinearStack.initialize(3072, CLASSES, seeds, [1e-2] * MODELS)
    stack.weights = shared_copy(stack.weights)
    return stack


def update_of(stack: LinearStack, momentum: float) -> Update:
    decay = np.array([0.0, 0.5, 0.1])
    if momentum:
        return MomentumUpdate(stack, decay, np.full(MODELS, momentum), nesterov=True)
    return PlainUpdate(stack, decay)


def selections(number: int) -> list[Selection]:
    rng = np.random.default_rng(1)
    return [Selection("train", rng.integers(60, size=EXAMPLES)) for _ in range(number)]


def error_of(step: int) -> np.ndarray:
    return np.random.default_rng(step).normal(size=(CLASSES - 1, MODELS, EXAMPLES))


def test_products_are_those_of_centred_and_scaled_images(processes: int) -> None:
    stack = new_stack()
    engine = StepEngine(stack, INPUTS, update_of(stack, 0.0), EXAMPLES)
    first, second = selections(2)
    validation = Selection("validation", np.arange(30))
    last_two = Selection("train", np.array([58, 59]))
    asked = [(first, second), (second, None), (validation, first), (last_two, None), (first, None)]
    with engine.shared():
        for selection, following in asked:
            product = engine.forward(selection, following)
            offset = 60 if selection.part == "validation" else 0
            expected = FEATURES[offset + selection.rows] @ stack.contrasts
            np.testing.assert_allclose(product[1:] + product[0], expected, atol=2e-4)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_are_those_of_plain_numpy(processes: int, momentum: float) -> None:
    stack, reference = new_stack(), new_stack()
    engine = StepEngine(stack, INPUTS, update_of(stack, momentum), EXAMPLES)
    plain = update_of(reference, momentum)
    batches = selections(6)
    validation = Selection("validation", np.arange(30))
    with engine.shared():
        for step in range(5):
            engine.forward(batches[step], batches[step + 1])
            E = error_of(step)
            engine.error[..., 1:] = E
            engine.error[..., 0] = E.sum(axis=2)
            engine.backward(RATE)
            if step == 2:
                engine.forward(validation)
            gradient = np.zeros_like(reference.weights)
            X = FEATURES[batches[step].rows]
            gradient[:, :-MODELS] = X.T @ E.reshape(-1, EXAMPLES).T
            plain.apply(slice(0, 3072), gradient, RATE)
    np.testing.assert_allclose(stack.weights, reference.weights, rtol=1e-3, atol=1e-3)


@pytest.mark.linux("forks")
def test_the_number_of_processes_does_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for number in (1, 2):
        use_processes(number, monkeypatch)
        stack = new_stack()
        engine = StepEngine(stack, INPUTS, update_of(stack, 0.9), EXAMPLES)
        with engine.shared():
            assert len(_children()) >= number - 1
            for step, batch in enumerate(selections(4)):
                engine.forward(batch)
                engine.error[..., 1:] = error_of(step)
                engine.error[..., 0] = error_of(step).sum(axis=2)
                engine.backward(RATE)
        results.append(stack.weights.copy())
    assert (results[0] == results[1]).all()


def test_where_forks_are_refused_one_process_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("no further process")

    use_processes(2, monkeypatch)
    monkeypatch.setattr(engine_room, "Fork", refused)
    stack = new_stack()
    engine = StepEngine(stack, INPUTS, update_of(stack, 0.0), EXAMPLES)
    selection = selections(1)[0]
    with engine.shared():
        product = engine.forward(selection)
    expected = FEATURES[selection.rows] @ stack.contrasts
    np.testing.assert_allclose(product[1:] + product[0], expected, atol=2e-4)
