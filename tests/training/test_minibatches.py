import numpy as np
import pytest

from softmax_cli.training.minibatches import Minibatches
from softmax_cli.training.sampling import coin_flips, with_replacement

LABELS = np.random.default_rng(0).integers(10, size=40)
SEED = np.random.SeedSequence(0)


def test_rows_and_labels_are_those_of_the_sampled_images() -> None:
    sampler = with_replacement(40, 16, SEED)
    minibatches = Minibatches(LABELS, sampler)
    for step in (0, 5, 300):
        batch, chosen = minibatches.at(step), sampler(step)
        assert batch.selection.part == "train"
        assert (batch.selection.rows == chosen).all()
        assert (batch.labels == LABELS[chosen]).all()
        assert (batch.indices == chosen).all()


def test_flips_choose_between_an_image_and_its_mirror() -> None:
    sampler, flips = with_replacement(40, 16, SEED), coin_flips(16, np.random.SeedSequence(1))
    batch = Minibatches(LABELS, sampler, flips).at(3)
    assert (batch.selection.rows == sampler(3) + 40 * flips(3)).all()
    assert (batch.labels == LABELS[sampler(3)]).all()
    assert (batch.indices == sampler(3)).all()


@pytest.mark.parametrize("step", [0, 1, 299])
def test_the_minibatch_of_a_step_does_not_depend_on_earlier_ones(step: int) -> None:
    first = Minibatches(LABELS, with_replacement(40, 8, SEED))
    for earlier in range(step):
        first.at(earlier)
    second = Minibatches(LABELS, with_replacement(40, 8, SEED))
    assert (first.at(step).selection.rows == second.at(step).selection.rows).all()


def test_a_minibatch_asked_for_again_is_the_same_object() -> None:
    minibatches = Minibatches(LABELS, with_replacement(40, 8, SEED))
    ahead = minibatches.at(1)
    assert minibatches.at(0) is not ahead
    assert minibatches.at(1) is ahead
