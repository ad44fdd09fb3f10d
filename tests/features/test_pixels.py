import numpy as np

from softmax_cli.features.pixels import Pixels

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 3072), dtype=np.uint8)


def test_features_are_the_pixels_and_nothing_is_learned() -> None:
    pixels = Pixels().fit(IMAGES, np.random.SeedSequence(0))
    assert pixels.transform(IMAGES) is IMAGES
    assert pixels.size == 3072
    assert pixels.arrays() == {}
    assert Pixels.from_arrays({}).transform(IMAGES) is IMAGES


def test_the_mirror_turns_each_line_of_pixels_around() -> None:
    pictures = IMAGES.reshape(-1, 3, 32, 32)
    mirror = Pixels().mirror
    assert (IMAGES[:, mirror].reshape(-1, 3, 32, 32) == pictures[:, :, :, ::-1]).all()
    assert (mirror[mirror] == np.arange(3072)).all()


def test_weights_of_pixels_are_templates_as_they_are() -> None:
    weights = np.random.default_rng(1).normal(size=(3072, 3))
    assert Pixels().to_pixels(weights) is weights
