import numpy as np
import pytest

from softmax_cli.model import LinearStack


def seeds(*numbers: int) -> list[np.random.SeedSequence]:
    return [np.random.SeedSequence(number) for number in numbers]


def stack_of_three() -> LinearStack:
    return LinearStack.initialize(8, 4, seeds(1, 2, 3), [1.0, 2.0, 0.5], np.float64)


def test_logits_are_those_of_each_member_alone() -> None:
    stack = stack_of_three()
    stack.shrinkage[:] = [1.0, 0.5, 0.25]
    rng = np.random.default_rng(0)
    X, mean = rng.normal(size=(6, 8)), rng.normal(size=8)
    temperature = np.array([1.0, 2.0, 0.5])
    out = np.empty((4, 3, 6))
    stack.logits(np.vstack([-mean, X]) @ stack.contrasts, temperature, out)
    for k in range(3):
        weights, bias = stack.member(k)
        expected = ((X - mean) @ weights + bias) / temperature[k]
        expected -= expected[:, -1:]
        np.testing.assert_allclose(out[:, k].T, expected, rtol=1e-12, atol=1e-12)


def test_initial_weights_depend_on_a_members_own_seed_and_scale_alone() -> None:
    stack = stack_of_three()
    alone = LinearStack.initialize(8, 4, seeds(2), [2.0], np.float64)
    assert (stack.member(1)[0] == alone.member(0)[0]).all()
    assert (stack.member(1)[1] == alone.member(0)[1]).all()


def test_initial_weights_have_the_scale_asked_for() -> None:
    stack = LinearStack.initialize(3072, 10, seeds(0), [1e-3])
    weights, bias = stack.member(0)
    assert weights.std() == pytest.approx(1e-3, rel=0.02)
    assert weights.dtype == bias.dtype == np.float32
    assert abs(float(weights.mean())) < 3e-5


def test_from_weights_and_member_are_inverse() -> None:
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(5, 3, 2)), rng.normal(size=(3, 2))
    stack = LinearStack.from_weights(weights, bias)
    assert (stack.features, stack.classes, stack.models) == (5, 3, 2)
    for k in range(2):
        np.testing.assert_allclose(stack.member(k)[0], weights[:, :, k], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(stack.member(k)[1], bias[:, k], rtol=1e-12, atol=1e-12)


def test_columns_are_contrasts_with_the_last_class_and_then_the_mean() -> None:
    weights = np.array([[5.0, 3.0, 1.0]])
    stack = LinearStack.from_weights(weights[:, :, None], weights.T)
    assert stack.weights.tolist() == [[4.0, 2.0, 3.0]]
    assert stack.bias.tolist() == [[4.0], [2.0], [3.0]]
    assert stack.contrasts.tolist() == [[4.0, 2.0]]


def test_folding_in_the_shrinkage_keeps_the_true_weights() -> None:
    stack = stack_of_three()
    stack.shrinkage[:] = [0.5, 0.25, -2.0]
    before = [stack.member(k) for k in range(3)]
    stack.fold_in(np.array([True, False, True]))
    assert stack.shrinkage.tolist() == [1.0, 0.25, 1.0]
    for k in range(3):
        np.testing.assert_allclose(stack.member(k)[0], before[k][0], rtol=1e-12)
        np.testing.assert_allclose(stack.member(k)[1], before[k][1], rtol=1e-12)


def test_clearing_a_member_leaves_the_others() -> None:
    stack = stack_of_three()
    kept = stack.member(0), stack.member(2)
    stack.weights[:, stack.columns(np.array([False, True, False]))] = np.nan
    stack.clear(np.array([False, True, False]))
    assert not stack.member(1)[0].any()
    assert not stack.member(1)[1].any()
    for k, (weights, bias) in zip((0, 2), kept, strict=True):
        assert (stack.member(k)[0] == weights).all()
        assert (stack.member(k)[1] == bias).all()


@pytest.mark.parametrize("array", ["weights", "bias", "shrinkage"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_enough(array: str, bad: float) -> None:
    stack = LinearStack.initialize(8, 4, seeds(1, 2, 3), [1.0] * 3)
    getattr(stack, array)[..., 1] = bad
    assert stack.finite().tolist() == [True, False, True]


def test_models_are_finite_as_long_as_their_weights_can_be_computed() -> None:
    stack = LinearStack.initialize(8, 4, seeds(*range(6)), [1.0] * 6)
    assert stack.finite().all()
    stack.weights[3, 6 * 1 + 2] = np.nan
    stack.weights[0, 6 * 2 + 3] = -np.inf
    stack.bias[1, 4] = np.inf
    stack.shrinkage[5] = -1e60
    with np.errstate(invalid="ignore", over="ignore"):
        members = [np.isfinite(np.vstack(stack.member(k))).all() for k in range(6)]
        assert stack.finite().tolist() == members
    assert 0 < sum(members) < 6


@pytest.mark.parametrize("factor", [1e37, 1e38, 3e38])
def test_a_model_that_is_finite_has_finite_weights_by_class(factor: float) -> None:
    # Contrasts that are finite can give weights that are not.
    rng = np.random.default_rng(0)
    contrasts = (factor * rng.uniform(-1, 1, (5, 4, 1))).astype(np.float32)
    stack = LinearStack(contrasts.reshape(5, 4), contrasts[0], np.ones(1))
    with np.errstate(invalid="ignore", over="ignore"):
        if stack.finite()[0]:
            assert np.isfinite(stack.member(0)[0]).all()
    assert stack.finite()[0] == (factor == 1e37)
