import numpy as np

from softmax_cli.data.mirroring import folded, left_half, mirrored, unfolded, with_mirrored

IMAGES = np.random.default_rng(0).integers(0, 256, (1100, 3072), dtype=np.uint8)


def test_images_are_mirrored_left_to_right() -> None:
    pictures = IMAGES.reshape(-1, 3, 32, 32)
    assert (mirrored(IMAGES).reshape(-1, 3, 32, 32) == pictures[:, :, :, ::-1]).all()
    assert (mirrored(mirrored(IMAGES)) == IMAGES).all()
    assert (mirrored(IMAGES[0]) == mirrored(IMAGES)[0]).all()
    both = with_mirrored(IMAGES)
    assert (both[:1100] == IMAGES).all()
    assert (both[1100:] == mirrored(IMAGES)).all()


def test_folding_adds_each_pixel_to_its_mirror_image() -> None:
    sums = IMAGES.astype(np.uint16) + mirrored(IMAGES)
    left = sums.reshape(-1, 96, 32)[:, :, :16].reshape(-1, 1536)
    assert (folded(IMAGES) == left).all()
    assert (folded(mirrored(IMAGES)) == folded(IMAGES)).all()
    assert (
        left_half(IMAGES[0].astype(float)).reshape(96, 16) == IMAGES[0].reshape(96, 32)[:, :16]
    ).all()


def test_unfolded_weights_score_pixels_as_folded_ones_score_sums() -> None:
    weights = np.random.default_rng(1).normal(size=(1536, 4))
    whole = unfolded(weights)
    assert (mirrored(whole.T) == whole.T).all()
    np.testing.assert_allclose(IMAGES @ whole, folded(IMAGES) @ weights, rtol=1e-9)
