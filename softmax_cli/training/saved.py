"""A saved model, and what it says about images.

Only what predicting needs is imported here, so that a single image is classified in no time; what
a saved model is worth on its data set is in ``assessment``.
"""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.evaluation.scoring import score_images
from softmax_cli.runs.directory import open_run_directory
from softmax_cli.runs.model_file import SavedModel, load_model


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


def trained_with(model: SavedModel) -> str:
    """The loss a model was trained with: ``softmax`` or ``hinge``.

    The scores of a hinge model are margins: training gave them no scale on which they would be
    logarithms of probabilities.
    """
    return str(model.settings.get("model", {}).get("loss", "softmax"))


def model_digest(model: SavedModel) -> str:
    """Hex SHA-256 of everything in a model that its scores depend on."""
    digest = hashlib.sha256()
    for array in (model.weights, model.bias, model.mean, model.scale):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
