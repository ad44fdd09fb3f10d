import numpy as np
import pytest

from softmax_cli.training.sampling import SAMPLERS, Sampling, by_epoch, child, coin_flips

SEED = np.random.SeedSequence(7)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_step_draws_the_same_whatever_was_drawn_before(kind: Sampling) -> None:
    in_order = SAMPLERS[kind](101, 8, SEED)
    expected = [in_order(step).copy() for step in range(600)]
    fresh = SAMPLERS[kind](101, 8, SEED)
    for step in (599, 3, 256, 255, 0, 512):
        assert (fresh(step) == expected[step]).all()


@pytest.mark.parametrize("kind", SAMPLERS)
def test_indices_are_within_bounds_and_seeds_differ(kind: Sampling) -> None:
    sample, other = SAMPLERS[kind](50, 20, SEED), SAMPLERS[kind](50, 20, np.random.SeedSequence(8))
    drawn = np.concatenate([sample(step) for step in range(300)])
    assert drawn.min() == 0
    assert drawn.max() == 49
    assert any((sample(step) != other(step)).any() for step in range(3))


@pytest.mark.parametrize(("examples", "batch_size"), [(12, 4), (10, 4), (3, 7), (1, 2)])
def test_an_epoch_visits_every_image_once(examples: int, batch_size: int) -> None:
    sample = by_epoch(examples, batch_size, SEED)
    steps = 6 * examples
    drawn = np.concatenate([sample(step) for step in range(steps)])
    assert len(drawn) == steps * batch_size
    for epoch in drawn[: 6 * batch_size * examples].reshape(-1, examples):
        assert sorted(epoch) == list(range(examples))


def test_epochs_are_shuffled_differently() -> None:
    sample = by_epoch(100, 100, SEED)
    assert (sample(0) != sample(1)).any()


def test_coins_are_fair() -> None:
    flip = coin_flips(100, SEED)
    tossed = np.concatenate([flip(step) for step in range(200)])
    assert set(tossed.tolist()) == {0, 1}
    assert tossed.mean() == pytest.approx(0.5, abs=0.02)


def test_a_child_is_what_spawning_gives() -> None:
    spawned = np.random.SeedSequence(7).spawn(5)[3]
    assert (child(SEED, 3).generate_state(4) == spawned.generate_state(4)).all()
