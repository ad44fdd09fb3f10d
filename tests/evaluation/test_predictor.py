from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli.errors import ModelError
from softmax_cli.evaluation.predictor import (
    calibration_file,
    feature_map_of,
    find_temperature,
    load_saved_model,
    loss_of,
    model_digest,
    own_temperature,
    pixel_weights,
    scores_of,
    standardization_of,
    strokes_of,
)
from softmax_cli.features.feature_maps import unfitted_map
from softmax_cli.features.pixels import Pixels
from softmax_cli.runs.model_file import SavedModel, save_model
from softmax_cli.runs.tables import write_json

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (1203, 3072), dtype=np.uint8)


def model(**settings: Any) -> SavedModel:
    return SavedModel(
        weights=RNG.normal(size=(3072, 3)).astype(np.float32),
        bias=RNG.normal(size=3).astype(np.float32),
        mean=RNG.uniform(0, 255, 3072).astype(np.float32),
        scale=RNG.uniform(40, 80, 3072).astype(np.float32),
        class_names=("cat", "dog", "frog"),
        temperature=2.0,
        settings=settings,
        results={},
        data_digest="",
    )


def test_scores_are_those_of_standardised_pixels() -> None:
    saved = model()
    features = (IMAGES - saved.mean.astype(np.float64)) / saved.scale
    np.testing.assert_allclose(
        scores_of(saved, IMAGES), features @ saved.weights + saved.bias, rtol=1e-3, atol=1e-2
    )


def test_templates_are_the_weights_that_raw_pixels_meet() -> None:
    saved = model()
    weights = pixel_weights(saved)
    assert weights is not None
    absorbed, bias = standardization_of(saved).absorbed(saved.weights, saved.bias)
    np.testing.assert_allclose(weights, absorbed, rtol=1e-6)
    np.testing.assert_allclose(
        IMAGES @ weights.astype(np.float64) + bias, scores_of(saved, IMAGES), rtol=1e-3, atol=1e-2
    )


def test_a_model_that_names_no_features_looks_at_pixels() -> None:
    assert isinstance(feature_map_of(model()), Pixels)
    assert isinstance(feature_map_of(model(features={"kind": "pixels"})), Pixels)
    with pytest.raises(ModelError, match="features that this version lacks: 'wavelets'"):
        feature_map_of(model(features={"kind": "wavelets"}))


@pytest.mark.parametrize("storage", ["bytes", "float32"])
def test_weights_of_oriented_gradients_are_laid_out_as_strokes(storage: str) -> None:
    assert strokes_of(model()) is None
    settings = {"kind": "hog", "cell_size": 16, "storage": storage}
    fitted = unfitted_map(settings).fit(IMAGES[:9], np.random.SeedSequence(0))
    weights = RNG.normal(size=(fitted.size, 3)).astype(np.float32)
    saved = replace(
        model(features=settings),
        weights=weights,
        mean=np.zeros(len(weights), np.float32),
        scale=np.ones(len(weights), np.float32),
        feature_arrays=fitted.arrays(),
    )
    strokes = strokes_of(saved)
    assert strokes is not None
    assert strokes.cells.shape == (3, 2, 2, 9)
    assert (strokes.hues == weights[-10:].T).all()
    assert pixel_weights(saved) is None


def test_only_some_losses_give_probabilities() -> None:
    assert own_temperature(model(model={"loss": "softmax"})) == 2.0
    assert own_temperature(model(model={"loss": "hinge"})) is None


@pytest.mark.parametrize("settings", [{}, {"model": 3}, {"model": {"loss": 3}}])
def test_settings_that_name_no_loss_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="with which loss"):
        loss_of(model(**settings))


def test_a_loss_of_another_version_is_named() -> None:
    with pytest.raises(ModelError, match="a loss that this version lacks: 'squared'"):
        loss_of(model(model={"loss": "squared"}))


def test_a_model_must_fit_the_features_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    whole = model()
    save_model(path, whole)
    assert (load_saved_model(path).weights == whole.weights).all()
    parts = {name: getattr(whole, name)[:12] for name in ("weights", "mean", "scale")}
    save_model(path, replace(whole, **parts))
    with pytest.raises(ModelError, match="expected a model of 3072 features, got 12"):
        load_saved_model(path)


def test_a_kept_temperature_is_found_and_one_of_other_weights_is_warned_of(tmp_path: Path) -> None:
    saved, warnings = model(), list[str]()
    assert find_temperature(tmp_path, saved, warnings.append) is None
    document = {"model_digest": model_digest(saved), "temperature": 1.5}
    write_json(calibration_file(tmp_path), document)
    assert find_temperature(tmp_path, saved, warnings.append) == 1.5
    assert warnings == []
    assert find_temperature(tmp_path, model(), warnings.append) is None
    assert "belongs to another model" in warnings[0]
