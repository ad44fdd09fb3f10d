"""A saved model, and what it says about images.

Only what predicting needs is imported here, so that a single image is classified in no time; what
a saved model is worth on its data set is in ``assessment``.
"""

import hashlib
import math
from pathlib import Path
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.errors import ModelError
from softmax_cli.evaluation.scoring import score_images
from softmax_cli.paths import quoted
from softmax_cli.runs.directory import open_run_directory
from softmax_cli.runs.model_file import SavedModel, load_model
from softmax_cli.runs.tables import read_json


def load_saved_model(path: Path) -> SavedModel:
    """The model of a run directory, or of a model file such as ``RUN/best.safetensors``.

    Raises:
        RunDirectoryError: the path is neither a training run nor a file.
        ModelError: the model is missing or not intact.
    """
    if path.is_file():
        return load_model(path)
    return load_model(open_run_directory(path, kind="train").model_file)


def scores_of(model: SavedModel, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scores (n, C) of images (n, D) uint8, not yet divided by a temperature."""
    preprocessing = Preprocessing(model.mean, model.scale)
    return score_images(images, preprocessing, model.weights, model.bias)


def own_temperature(model: SavedModel) -> float | None:
    """The temperature at which a model's softmax gives the probabilities it was trained for.

    None for a hinge model: its scores are margins, and training set no scale on which they would be
    logarithms of probabilities. Only a fitted temperature can.

    Raises:
        ModelError: the settings do not say which loss it was trained with.
    """
    section = model.settings.get("model")
    loss = section.get("loss") if isinstance(section, dict) else None
    if loss not in ("softmax", "hinge"):
        raise ModelError(
            "the model's settings do not say with which loss it was trained",
            hint="Take a model.safetensors that `softmax train` wrote, or train again.",
        )
    return model.temperature if loss == "softmax" else None


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
    for array in (model.weights, model.bias, model.mean, model.scale):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
