import tempfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import Budgets
from benchmarks.features import EXTRACTING, FeatureSizes, compare_features
from benchmarks.task import Images, Task
from softmax_cli.config.loading import load_train_config
from tests.benchmarks.conftest import OVERRIDES

BUDGETS = Budgets(softmax=(1, 2), optimum=(1,), lbfgs=(20,), sgd=(2,))


def test_features_are_those_of_a_training_without_pictures(images: Images) -> None:
    config = load_train_config("hog", OVERRIDES)
    features = images.features(config)
    data = Task([config], images).data
    assert features.train.images.shape == (1200, 154)
    assert features.test.images.shape == (500, 154)
    assert not features.train.is_pictures
    np.testing.assert_array_equal(features.train.images[:1000], data.train_features)
    np.testing.assert_array_equal(features.validation.images, data.validation_features)
    np.testing.assert_array_equal(features.test.labels, images.test.labels)


def test_everyone_reaches_an_accuracy_on_the_same_features(
    images: Images, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (comparison,), curves = compare_features(
        images,
        FeatureSizes(targets={"hog": 0.35}, budgets=BUDGETS),
        overrides=[*OVERRIDES, "training.batch_size=50"],
        repeats=1,
        announce=lambda _: None,
    )
    assert comparison.name == "features, hog"
    names = [measurement.name for measurement in comparison.measurements]
    assert names[:2] == ["softmax", EXTRACTING]
    assert [m.complaint for m in comparison.measurements] == [""] * 4
    tried = curves["features, hog"]
    assert EXTRACTING not in tried  # it takes what softmax needs
    assert f"{EXTRACTING} {tried['softmax'][-1].budget:g} epochs" in comparison.notes[0]
    assert list(tmp_path.iterdir()) == []
