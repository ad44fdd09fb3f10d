import numpy as np
import pytest

from softmax_cli.config.schema import FeatureSettings
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.feature_maps import FEATURE_MAPS
from softmax_cli.features.pixels import Pixels


def test_every_map_is_found_under_its_own_name_and_can_be_configured() -> None:
    assert FEATURE_MAPS["pixels"] is Pixels
    for kind, feature_map in FEATURE_MAPS.items():
        assert feature_map.kind == kind
        assert FeatureSettings.model_validate({"kind": kind}).kind == kind


@pytest.mark.parametrize("kind", FEATURE_MAPS)
def test_what_every_map_promises(kind: str) -> None:
    images = make_synthetic("train", size=60).images
    mirrored = np.ascontiguousarray(images.reshape(-1, 3, 32, 32)[..., ::-1]).reshape(images.shape)
    fitted = FEATURE_MAPS[kind]().fit(images)
    features = fitted.transform(images)
    assert features.shape == (60, fitted.size)
    again = FEATURE_MAPS[kind].from_arrays(fitted.arrays())
    assert (again.transform(images) == features).all()
    if fitted.mirror is not None:
        np.testing.assert_allclose(
            fitted.transform(mirrored), features[:, fitted.mirror], atol=1e-5
        )
