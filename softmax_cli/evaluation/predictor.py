"""A saved model, and what it says about images.

Only what predicting needs is imported here, so that a single image is classified in no time; what
a saved model is worth on its data set is in ``assessment``.
"""

import hashlib
import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast, get_args

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Rows
from softmax_cli.data.images import ARRAYS
from softmax_cli.errors import ConfigurationError, ModelError
from softmax_cli.evaluation.scoring import score_features
from softmax_cli.features.feature_map import FeatureMap
from softmax_cli.features.given import Given
from softmax_cli.features.normalization import Normalization, normalized
from softmax_cli.features.pixels import Pixels
from softmax_cli.features.standardization import Standardization
from softmax_cli.model.loss import Loss
from softmax_cli.model.losses import LOSSES
from softmax_cli.paths import quoted
from softmax_cli.runs.directory import open_run_directory
from softmax_cli.runs.model_file import HINT, SavedModel, load_model
from softmax_cli.runs.tables import read_json

if TYPE_CHECKING:
    from softmax_cli.config.schema import TrainConfig
    from softmax_cli.features.hog import Strokes
    from softmax_cli.features.patches import PatchViews


def load_saved_model(path: Path) -> SavedModel:
    """The model of a run directory, or of a model file such as ``RUN/best.safetensors``.

    Raises:
        RunDirectoryError: the path is neither a training run nor a file.
        ModelError: the model is missing or not intact.
    """
    file = path if path.is_file() else open_run_directory(path, kind="train").model_file
    model = load_model(file)
    expected = feature_map_of(model).size
    if len(model.weights) != expected:
        raise ModelError(
            f"{file}: expected a model of {expected} features, got {len(model.weights)}",
            hint=HINT,
        )
    return model


@lru_cache(maxsize=1)  # a model is asked again for every batch of images
def feature_map_of(model: SavedModel) -> FeatureMap:
    """The feature map that a model sees images through.

    Raises:
        ModelError: this version has no feature map of that name, or its arrays are not in the file.
    """
    if not sees_pictures(model):
        return Given(len(model.weights))
    kind = _setting(model, "features", "kind") or Pixels.kind
    try:
        if _sees_plain_pixels(model):
            return Pixels.from_arrays(model.feature_arrays)
        from softmax_cli.features.feature_maps import FEATURE_MAPS, fitted_map

        if kind not in FEATURE_MAPS:
            raise ModelError(f"the model looks at features that this version lacks: {kind!r}")
        return fitted_map(feature_settings_of(model), model.feature_arrays)
    except ValueError as error:
        raise ModelError(
            f"the model's {kind} features are not whole: {error}", hint=HINT
        ) from error


def feature_settings_of(model: SavedModel) -> dict[str, Any]:
    """The section ``features`` of a model's settings, in full.

    Raises:
        ModelError: this version does not know such settings.
    """
    if _sees_plain_pixels(model):
        return {"kind": Pixels.kind}
    return settings_of(model).features.model_dump()


def _sees_plain_pixels(model: SavedModel) -> bool:
    """Whether a model has no section ``features``: the schema and other maps are not needed."""
    return "features" not in model.settings


def settings_of(model: SavedModel) -> "TrainConfig":
    """The settings a model was trained with.

    Raises:
        ModelError: they are not settings that this version knows.
    """
    # The schema takes long to import, and to predict from pixels nobody needs it.
    from softmax_cli.config.loading import train_config_from_values

    try:
        return train_config_from_values(model.settings)
    except ConfigurationError as error:
        raise ModelError(f"the model's settings are not valid: {error.message}") from error


def sees_pictures(model: SavedModel) -> bool:
    """Whether a model scores pictures, and not features that the user makes."""
    return _setting(model, "data", "dataset") != ARRAYS


def normalization_of(model: SavedModel) -> Normalization:
    """What is done to the features of an image before they are standardised.

    Raises:
        ModelError: this version does not know how.
    """
    name = _setting(model, "preprocessing", "normalize") or "none"
    if name not in get_args(Normalization):
        raise ModelError(f"the model's features are normalised as this version cannot: {name!r}")
    return cast("Normalization", name)


def standardization_of(model: SavedModel) -> Standardization:
    """The standardisation of a model's features."""
    return Standardization(model.mean, model.scale)


def scores_of(model: SavedModel, images: Rows) -> NDArray[np.float32]:
    """Scores (n, C) of images (n, 3072), or of rows of given features (n, D), at temperature 1."""
    return scores_of_features(model, feature_map_of(model).transform(images))


def scores_of_features(model: SavedModel, features: Rows) -> NDArray[np.float32]:
    """Scores (n, C) of features (n, P), at temperature 1."""
    features = normalized(features, normalization_of(model))
    return score_features(features, standardization_of(model), model.weights, model.bias)


def pixel_weights(model: SavedModel) -> Floats | None:
    """The weights (3072, C) that raw pixels meet, or None if the feature map is not linear.

    Of features that are normalised they give the direction: the score of an image is divided by
    the norm of its features besides.
    """
    return feature_map_of(model).to_pixels(standardization_of(model).unscaled(model.weights))


def strokes_of(model: SavedModel) -> "Strokes | None":
    """The weights of HOG features, laid out to be drawn; None if the model looks at others.

    They are those of standardised features: what a feature that is a deviation above its mean says.
    """
    from softmax_cli.features.hog import Hog

    feature_map = _computing_map(model)
    return feature_map.strokes(model.weights) if isinstance(feature_map, Hog) else None


def patch_views_of(model: SavedModel) -> "PatchViews | None":
    """The dictionary and the weights of patches, laid out to be drawn; None if there are none.

    They are those of standardised features, as in :func:`strokes_of`.
    """
    from softmax_cli.features.patches import Patches

    feature_map = _computing_map(model)
    return feature_map.views(model.weights) if isinstance(feature_map, Patches) else None


def _computing_map(model: SavedModel) -> FeatureMap:
    """The feature map that computes what a model sees, perhaps as bytes."""
    from softmax_cli.features.quantized import Quantized

    feature_map = feature_map_of(model)
    return feature_map.unquantized if isinstance(feature_map, Quantized) else feature_map


def loss_of(model: SavedModel) -> Loss:
    """The loss that a model was trained with.

    Raises:
        ModelError: the settings do not say which.
    """
    name = _setting(model, "model", "loss")
    if name is None:
        raise ModelError(
            "the model's settings do not say with which loss it was trained", hint=HINT
        )
    if name not in LOSSES:
        raise ModelError(f"the model was trained with a loss that this version lacks: {name!r}")
    return LOSSES[name]


def own_temperature(model: SavedModel) -> float | None:
    """The temperature at which a model's softmax gives the probabilities it was trained for.

    None where the loss sets no scale on which scores would be logarithms of probabilities, as with
    the margins of the hinge loss. Only a fitted temperature can.

    Raises:
        ModelError: the settings do not say which loss it was trained with.
    """
    return model.temperature if loss_of(model).gives_probabilities else None


def _setting(model: SavedModel, section: str, key: str) -> str | None:
    """A setting of a model, if it is there and a word."""
    values = model.settings.get(section)
    value = values.get(key) if isinstance(values, dict) else None
    return value if isinstance(value, str) else None


def calibration_file(run: Path) -> Path:
    """Where the fitted temperature of a run directory or of a model file is kept.

    That of ``model.safetensors`` is its directory's, any other model file has its own beside it.
    """
    if run.is_file() and run.name != "model.safetensors":
        return run.with_name(f"{run.stem}.calibration.json")
    return (run.parent if run.is_file() else run) / "calibration.json"


def fitted_temperature(run: Path, model: SavedModel) -> float:
    """The temperature that ``softmax evaluate --calibrate`` fitted to a model.

    Args:
        run: the run directory or the model file.
        model: what was loaded from there.

    Raises:
        ModelError: none was fitted, or it was to other weights.
    """
    path = calibration_file(run)
    hint = f"Fit one: softmax evaluate {quoted(run)} --calibrate"
    if not path.is_file():
        # A copy of a run's model beside that run's calibration.
        path = path.with_name("calibration.json")
    if not path.is_file():
        raise ModelError(f"no calibration at {calibration_file(run)}", hint=hint)
    document = read_json(path)
    if document.get("model_digest") != model_digest(model):
        raise ModelError(f"the calibration in {path} belongs to another model", hint=hint)
    temperature = document.get("temperature")
    if not is_temperature(temperature):
        raise ModelError(f"expected a temperature in {path}, got {temperature!r}", hint=hint)
    return temperature


def is_temperature(value: object) -> TypeGuard[float]:
    """Whether a value from a file can be a temperature."""
    return type(value) is float and 0 < value < math.inf


def model_digest(model: SavedModel) -> str:
    """Hex SHA-256 of everything in a model that its scores depend on."""
    digest = hashlib.sha256()
    learned = [array for _, array in sorted(model.feature_arrays.items())]
    for array in (model.weights, model.bias, model.mean, model.scale, *learned):
        digest.update(np.ascontiguousarray(array).data)
    if normalization_of(model) != "none":
        digest.update(normalization_of(model).encode())
    return digest.hexdigest()
