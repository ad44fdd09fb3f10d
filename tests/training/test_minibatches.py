import numpy as np
import pytest

from softmax_cli.data.mirroring import with_mirrored
from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.training.minibatches import Minibatches
from softmax_cli.training.sampling import coin_flips, with_replacement

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 3072), dtype=np.uint8)
LABELS = RNG.integers(10, size=40)
SEED = np.random.SeedSequence(0)
PREPROCESSING = Preprocessing.fit(IMAGES, center=True, scale="pixel")


def test_features_and_labels_are_those_of_the_sampled_images() -> None:
    sampler = with_replacement(40, 16, SEED)
    minibatches = Minibatches(IMAGES, LABELS, PREPROCESSING, sampler)
    for step in (0, 5, 300):
        batch, chosen = minibatches.at(step), sampler(step)
        expected = (IMAGES[chosen] - PREPROCESSING.mean) / PREPROCESSING.scale
        np.testing.assert_allclose(batch.features, expected, rtol=1e-4, atol=1e-5)
        assert (batch.labels == LABELS[chosen]).all()
        assert (batch.indices == chosen).all()


def test_flips_choose_between_an_image_and_its_mirror() -> None:
    plain = Preprocessing.fit(IMAGES, center=False, scale="none")
    sampler, flips = with_replacement(40, 16, SEED), coin_flips(16, np.random.SeedSequence(1))
    batch = Minibatches(with_mirrored(IMAGES), LABELS, plain, sampler, flips).at(3)
    pictures = batch.features.reshape(-1, 3, 32, 32)
    originals = IMAGES[sampler(3)].reshape(-1, 3, 32, 32)
    for picture, original, flipped in zip(pictures, originals, flips(3), strict=True):
        assert (picture == (original[:, :, ::-1] if flipped else original)).all()
    assert (batch.labels == LABELS[sampler(3)]).all()


@pytest.mark.parametrize("step", [0, 1, 299])
def test_the_minibatch_of_a_step_does_not_depend_on_earlier_ones(step: int) -> None:
    first = Minibatches(IMAGES, LABELS, PREPROCESSING, with_replacement(40, 8, SEED))
    for earlier in range(step):
        first.at(earlier)
    second = Minibatches(IMAGES, LABELS, PREPROCESSING, with_replacement(40, 8, SEED))
    assert (first.at(step).features == second.at(step).features).all()
