"""A saved model on the images of the data set it was trained on."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.config.loading import train_config_from_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.data.datasets import load_split
from softmax_cli.data.images import ImageSet, split_train_validation
from softmax_cli.data.preprocessing import Preprocessing
from softmax_cli.errors import ConfigurationError, ModelError
from softmax_cli.evaluation.metrics import Evaluation, evaluate
from softmax_cli.evaluation.scoring import score_images
from softmax_cli.model.losses import data_loss
from softmax_cli.runs.directory import open_run_directory
from softmax_cli.runs.model_file import SavedModel, load_model

Split = Literal["train", "validation", "test"]


def load_saved_model(path: Path) -> SavedModel:
    """The model of a run directory, or of a model file such as ``RUN/best.safetensors``.

    Raises:
        RunDirectoryError: the path is neither a training run nor a file.
        ModelError: the model is missing or not intact.
    """
    if path.is_file():
        return load_model(path)
    return load_model(open_run_directory(path, kind="train").model_file)


def settings_of(model: SavedModel) -> TrainConfig:
    """The settings a model was trained with.

    Raises:
        ModelError: they are not settings that this version knows.
    """
    try:
        return train_config_from_values(model.settings)
    except ConfigurationError as error:
        raise ModelError(f"the model's settings are not valid: {error.message}") from error


def images_for(model: SavedModel, split: Split, data_dir: Path | None = None) -> ImageSet:
    """Images of the data set a model was trained on, cut as in its training.

    Args:
        model: the model.
        split: ``train`` and ``validation`` are the two parts of the training split.
        data_dir: where the data set is; None looks where training found it.

    Raises:
        DataError: the data set is missing or not intact.
    """
    settings = settings_of(model).data
    directory = data_dir or Path(settings.dir)
    if split == "test":
        return load_split(settings.dataset, directory, "test")
    train, validation = split_train_validation(
        load_split(settings.dataset, directory, "train"),
        train_size=settings.train_size,
        validation_size=settings.validation_size,
    )
    return train if split == "train" else validation


def scores_of(model: SavedModel, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scores (n, C) of images (n, D) uint8, not yet divided by the temperature."""
    preprocessing = Preprocessing(model.mean, model.scale)
    return score_images(images, preprocessing, model.weights, model.bias)


def evaluate_saved_model(model: SavedModel, images: ImageSet) -> Evaluation:
    """Loss at the model's own temperature, accuracy and the rest on some images."""
    scores = scores_of(model, images.images)
    loss = data_loss(settings_of(model).model.loss, scores, images.labels, model.temperature)
    return evaluate(scores, images.labels, model.class_names, loss=loss)
