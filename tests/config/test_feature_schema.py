"""The section ``features``."""

from typing import Any

import pytest

from softmax_cli.config.feature_schema import HogFeatures
from softmax_cli.config.schema import TrainConfig
from tests.config.single_values import load, refusal


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("features", 3, "expected the name of features or {kind: ..., ...}, got 3"),
        ("features", "hogg", "expected one of 'pixels', 'hog'"),
        ("features", "hogg", 'got "hogg"; did you mean hog?'),
        ("features", {"cell_size": 4}, "features.kind: expected a value, got none"),
        ("features", {"kind": "pixels", "cell_size": 4}, "cell_size: expected one of kind, got an"),
        ("features", {"kind": "hog", "cell": 4}, "did you mean features.cell_size?"),
        ("features", {"kind": "hog", "cell_size": 5}, "cell_size: expected one of 2, 4, 8, 16 and"),
        ("features", {"kind": "hog", "cell_size": 4.0}, "expected a whole number, got 4.0"),
        ("features", {"kind": "hog", "cell_size": 64}, "expected a number of at most 32, got 64"),
        ("features", {"kind": "hog", "orientations": 1}, "expected a number of at least 2, got 1"),
        ("features", {"kind": "hog", "signed": 1}, "signed: expected true or false, got 1"),
        ("features", {"kind": "hog", "gradient": "grey"}, 'got "grey"; did you mean gray?'),
        ("features", {"kind": "hog", "cell_hue_bins": 7}, "expected a multiple of 2, got 7"),
        ("features", {"kind": "hog", "cell_hue_bins": 2}, "expected 0 or an even number from 4"),
        ("features", {"kind": "hog", "clip": 0.2}, "clip: expected 1.0 with normalization: none"),
        ("features", {"kind": "hog", "storage": "float16"}, "expected 'bytes' or 'float32', got"),
        ("features", {"kind": "patches", "filters": 7}, "expected a multiple of 2, got 7"),
        ("features", {"kind": "patches", "dictionary": "k-means"}, "did you mean kmeans?"),
        (
            "features",
            {"kind": "patches", "patch_size": 1},
            "expected a number of at least 2, got 1",
        ),
        (
            "features",
            {"kind": "patches", "patch_size": 5, "stride": 2},
            "features.stride: expected a divisor of 27, so that patches of 5 pixels end where",
        ),
        (
            "features",
            {"kind": "patches", "stride": 2, "regions": 15},
            "features.regions: expected at most 14, the patches along a side, got 15",
        ),
        (
            "features",
            {"kind": "patches", "rank": 108},
            "features.rank: expected fewer than 108, the numbers in a patch of 6 x 6 pixels, got",
        ),
        (
            "features",
            {"kind": "patches", "activation": "triangle", "threshold": 1.0},
            "features.threshold: expected 0.5 with activation: triangle, which has no threshold",
        ),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(key, value)


def test_a_name_stands_for_a_mapping() -> None:
    assert load("features", "hog").features == HogFeatures(kind="hog", cell_size=8)
    assert load("features", {"kind": "pixels"}) == load("features", "pixels") == TrainConfig()
