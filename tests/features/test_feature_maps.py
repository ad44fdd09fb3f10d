from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from softmax_cli.config.feature_schema import FeatureSettings
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.feature_maps import FEATURE_MAPS
from softmax_cli.features.pixels import Pixels

SETTINGS: TypeAdapter[FeatureSettings] = TypeAdapter(FeatureSettings)


def options_of(settings: FeatureSettings) -> dict[str, Any]:
    """The keyword arguments of a feature map."""
    return settings.model_dump(exclude={"kind", "storage"})


def check_promises(feature_map: type[FeatureMap], options: dict[str, Any]) -> None:
    """What the contract of a feature map promises, on small images."""
    images = make_synthetic("train", size=60).images
    mirrored = np.ascontiguousarray(images.reshape(-1, 3, 32, 32)[..., ::-1]).reshape(images.shape)
    fitted = feature_map(**options).fit(images, np.random.SeedSequence(1))
    features = fitted.transform(images)
    assert features.shape == (60, fitted.size)
    assert (fitted.transform(images[7:9]) == features[7:9]).all(), "each image has its own row"
    assert fitted.transform(images[:0]).shape == (0, fitted.size)
    again = feature_map.from_arrays(fitted.arrays(), **options)
    assert (again.transform(images) == features).all()
    with pytest.raises(ValueError, match="expected"):
        feature_map.from_arrays({"else": np.zeros(1, np.float32)}, **options)
    if fitted.mirror is not None:
        assert (fitted.mirror[fitted.mirror] == np.arange(fitted.size)).all()
        np.testing.assert_allclose(
            fitted.transform(mirrored), features[:, fitted.mirror], atol=1e-5
        )


def test_every_map_is_found_under_its_own_name_and_can_be_configured() -> None:
    assert FEATURE_MAPS["pixels"] is Pixels
    for kind, feature_map in FEATURE_MAPS.items():
        settings = SETTINGS.validate_python({"kind": kind})
        assert settings.kind == kind
        assert feature_map(**options_of(settings)).kind == kind


@pytest.mark.parametrize("kind", FEATURE_MAPS)
def test_what_every_map_promises(kind: str) -> None:
    check_promises(FEATURE_MAPS[kind], options_of(SETTINGS.validate_python({"kind": kind})))
