import numpy as np
import pytest

from softmax_cli.model import LinearStack
from softmax_cli.training.updates import MomentumUpdate, PlainUpdate, Update

MODELS, CLASSES, FEATURES = 3, 2, 700
RATE = np.array([0.1, 0.01, 0.5])
DECAY = np.array([0.0, 0.5, 1.0])
MOMENTUM = np.array([0.9, 0.0, 0.5])


def new_stack() -> LinearStack:
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(FEATURES, CLASSES, MODELS)), rng.normal(size=(CLASSES, MODELS))
    return LinearStack.from_weights(weights, bias)


def take_steps(stack: LinearStack, update: Update, steps: int = 5) -> None:
    """Steps with gradients drawn from a fixed stream, as (D, C, K) and (C, K)."""
    rng = np.random.default_rng(1)
    for _ in range(steps):
        factor = update.begin(RATE)
        gradient = rng.normal(size=(FEATURES, CLASSES, MODELS)) * factor
        bias_gradient = rng.normal(size=(CLASSES, MODELS)) * factor
        for features in (slice(0, 300), slice(300, FEATURES)):
            update.apply(features, gradient.reshape(FEATURES, -1)[features], RATE)
        update.apply_bias(bias_gradient, RATE)


def reference(momentum: np.ndarray, *, nesterov: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The same steps, written as in a textbook."""
    stack = new_stack()
    W, b = stack.weights.reshape(FEATURES, CLASSES, MODELS).copy(), stack.bias.copy()
    v, u = np.zeros_like(W), np.zeros_like(b)
    rng = np.random.default_rng(1)
    for _ in range(5):
        G = rng.normal(size=W.shape) + DECAY * W
        g = rng.normal(size=b.shape) + DECAY * b
        v, u = momentum * v + G, momentum * u + g
        W = W - RATE * (G + momentum * v if nesterov else v)
        b = b - RATE * (g + momentum * u if nesterov else u)
    return W, b


def check(stack: LinearStack, expected: tuple[np.ndarray, np.ndarray]) -> None:
    weights = (stack.weights * np.tile(stack.shrinkage, CLASSES)).reshape(expected[0].shape)
    np.testing.assert_allclose(weights, expected[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(stack.bias * stack.shrinkage, expected[1], rtol=1e-12, atol=1e-12)


def test_plain_update_is_weight_decay_and_a_step_down_the_gradient() -> None:
    stack = new_stack()
    take_steps(stack, PlainUpdate(stack, DECAY))
    check(stack, reference(np.zeros(MODELS)))


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_update_follows_the_textbook(nesterov: bool) -> None:
    stack = new_stack()
    take_steps(stack, MomentumUpdate(stack, DECAY, MOMENTUM, nesterov=nesterov))
    check(stack, reference(MOMENTUM, nesterov=nesterov))


def test_momentum_that_all_models_share() -> None:
    stack, shared = new_stack(), np.full(MODELS, 0.9)
    take_steps(stack, MomentumUpdate(stack, DECAY, shared, nesterov=False))
    check(stack, reference(shared))


@pytest.mark.parametrize("decay", [1.0, 1.5, 2.5, 1 - 1e-9])
def test_a_step_that_decays_all_weight_away_or_turns_its_sign(decay: float) -> None:
    stack = new_stack()
    update = PlainUpdate(stack, np.full(MODELS, decay))
    before = [stack.member(k)[0] for k in range(MODELS)]
    for _ in range(3):
        assert (update.begin(np.ones(MODELS)) > 0).all()
    for k in range(MODELS):
        np.testing.assert_allclose(stack.member(k)[0], before[k] * (1 - decay) ** 3, rtol=1e-6)


def test_shrinkage_never_underflows() -> None:
    stack = new_stack()
    update = PlainUpdate(stack, np.full(MODELS, 0.5))
    for _ in range(3000):
        update.begin(np.ones(MODELS))
    assert (stack.shrinkage >= 1e-6).all()
    assert np.abs(stack.weights).max() == 0


def test_forgetting_drops_the_velocity_of_the_members_named() -> None:
    stack = new_stack()
    update = MomentumUpdate(stack, DECAY, MOMENTUM, nesterov=False)
    take_steps(stack, update)
    update.forget(np.array([True, False, False]))
    velocity = update.velocity.reshape(FEATURES, CLASSES, MODELS)
    assert not velocity[:, :, 0].any()
    assert velocity[:, :, 1:].all()
    assert (update.bias_velocity[:, 0] == 0).all()
