"""Finished runs as objects: a saved model that answers, and what was measured."""

import copy
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.arrays import Floats, Images
from softmax_cli.data.images import PIXELS, rows_from_pictures
from softmax_cli.errors import ArgumentError, ModelError
from softmax_cli.evaluation.metrics import predictions
from softmax_cli.evaluation.predictor import (
    fitted_temperature,
    is_temperature,
    load_saved_model,
    loss_of,
    model_digest,
    own_temperature,
    pixel_weights,
    scores_of,
)
from softmax_cli.model.softmax import softmax
from softmax_cli.paths import expand_home, quoted
from softmax_cli.runs.directory import open_run_directory
from softmax_cli.runs.model_file import SavedModel
from softmax_cli.runs.tables import read_json, read_numbers


class TrainedRun:
    """A trained classifier with what its run directory holds; :func:`load_run` makes it.

    Images are uint8, (n, 32, 32, 3) as image libraries have them or rows (n, 3072), channel-major,
    as :func:`~softmax_cli.load_dataset` gives them.

    Attributes:
        path: the training's run directory, or the model file.
        model: the saved model: weights, standardisation and all else that scores depend on.
    """

    def __init__(self, path: Path, model: SavedModel) -> None:
        self.path = path
        self.model = model

    def __repr__(self) -> str:
        return (
            f"<TrainedRun {self.path}: {loss_of(self.model).name}, {len(self.class_names)} classes>"
        )

    @property
    def class_names(self) -> tuple[str, ...]:
        """C names, in the order of the labels and of the columns of scores."""
        return self.model.class_names

    @property
    def settings(self) -> dict[str, Any]:
        """The resolved configuration of the training, as ``config.yaml`` has it; a copy."""
        return copy.deepcopy(self.model.settings)

    @property
    def results(self) -> dict[str, Any]:
        """What the training reported of this model, such as ``validation_accuracy``; a copy."""
        return copy.deepcopy(self.model.results)

    @property
    def temperature(self) -> float | None:
        """The temperature of the model's probabilities; None for a hinge model."""
        return own_temperature(self.model)

    def scores(self, images: ArrayLike) -> NDArray[np.float32]:
        """Scores (n, C) of images, not divided by a temperature.

        Raises:
            ArgumentError: these are no images.
        """
        return scores_of(self.model, _rows(images))

    def predict(self, images: ArrayLike) -> NDArray[np.int64]:
        """The label (n,) of the greatest score of each image, an index into ``class_names``.

        Raises:
            ArgumentError: these are no images.
        """
        return predictions(self.scores(images))

    def predict_proba(
        self, images: ArrayLike, *, temperature: float | None = None, calibrated: bool = False
    ) -> NDArray[np.float64]:
        """Probabilities (n, C) of images.

        Args:
            images: n of them.
            temperature: T > 0 in place of the model's own.
            calibrated: take the temperature that ``softmax evaluate --calibrate`` fitted.

        Raises:
            ArgumentError: these are no images, or a hinge model is asked without a temperature.
            ModelError: ``calibrated``, but nothing was fitted to this model.
        """
        at = self._temperature(temperature, calibrated=calibrated)
        return np.asarray(softmax(self.scores(images).astype(np.float64), at))

    def templates(self, scale: Literal["global", "class"] = "global") -> NDArray[np.uint8]:
        """The template of each class as a picture, (C, 32, 32, 3), as ``weights.png`` shows it.

        Args:
            scale: one brightness scale for all classes, or each its own.

        Raises:
            ArgumentError: the scale is neither.
            ModelError: the model does not look at pixels.
        """
        from softmax_cli.plots.templates import template_images

        if scale not in ("global", "class"):
            raise ArgumentError(f"expected scale to be 'global' or 'class', got {scale!r}")
        return template_images(self.pixel_weights, scale)

    @property
    def pixel_weights(self) -> Floats:
        """The weights (3072, C) that raw pixels meet, rows in channel-major order.

        Raises:
            ModelError: the model looks at features that pixels have no weights for.
        """
        weights = pixel_weights(self.model)
        if weights is None:
            raise ModelError("expected a model of pixels, got one of other features")
        return weights

    @property
    def history(self) -> dict[str, NDArray[np.float64]]:
        """The columns of ``metrics.csv``, an entry of each for every validation.

        Raises:
            ModelError: the model was loaded from a file that has no such table beside it.
        """
        table = self._directory / "metrics.csv"
        if not table.is_file():
            raise ModelError(
                f"no history at {table}", hint="Load the run directory instead of a model file."
            )
        return {name: np.array(column) for name, column in read_numbers(table).items()}

    @property
    def evaluation(self) -> dict[str, Any]:
        """What ``softmax evaluate`` measured last: ``split``, ``accuracy``, ``loss`` and more.

        Raises:
            ModelError: this model has not been evaluated.
        """
        file = self._directory / "evaluation.json"
        hint = f"Evaluate it: softmax evaluate {quoted(self.path)}"
        if not file.is_file():
            raise ModelError(f"no evaluation at {file}", hint=hint)
        document = read_json(file)
        if document.pop("model_digest", None) != model_digest(self.model):
            raise ModelError(f"the evaluation in {file} belongs to another model", hint=hint)
        return document

    @property
    def _directory(self) -> Path:
        return self.path.parent if self.path.is_file() else self.path

    def _temperature(self, temperature: float | None, *, calibrated: bool) -> float:
        if calibrated and temperature is not None:
            raise ArgumentError("expected a temperature or calibrated=True, got both")
        if calibrated:
            return fitted_temperature(self.path, self.model)
        if temperature is not None:
            if not is_temperature(float(temperature)):
                raise ArgumentError(f"expected a temperature above 0, got {temperature}")
            return float(temperature)
        if self.temperature is None:
            loss = loss_of(self.model)
            raise ArgumentError(
                f"expected a temperature: the scores of a {loss.name} model are "
                f"{loss.scores_are}, and have no probabilities without one",
                hint="Give temperature=T, or calibrated=True once there is a fitted one: "
                f"softmax evaluate {quoted(self.path)} --calibrate",
            )
        return self.temperature


def load_run(path: str | os.PathLike[str]) -> TrainedRun:
    """Load what a training or a sweep left behind.

    Args:
        path: a training's run directory; a sweep's, which stands for its best trial; or a model
            file such as ``RUN/best.safetensors``.

    Raises:
        RunDirectoryError: the path is neither a run directory nor a file.
        ModelError: the model is missing or not intact.
    """
    target = Path(expand_home(os.fspath(path)))
    if not target.is_file() and open_run_directory(target).kind == "sweep":
        target /= "best"
        if not target.is_dir():
            raise ModelError(
                f"no best trial at {target}",
                hint="The sweep has not ended, or all its trials diverged.",
            )
    return TrainedRun(target, load_saved_model(target))


def _rows(images: ArrayLike) -> Images:
    """Rows (n, 3072) of images in either form."""
    array = np.asarray(images)
    is_rows, is_pictures = array.shape[1:] == (PIXELS,), array.shape[1:] == (32, 32, 3)
    if array.dtype == np.uint8 and is_rows:
        return np.ascontiguousarray(array)
    if array.dtype == np.uint8 and is_pictures:
        return rows_from_pictures(array)
    raise ArgumentError(
        f"expected uint8 images of shape (n, 32, 32, 3) or (n, {PIXELS}), "
        f"got {array.dtype} of shape {array.shape}",
        hint=_hint(array),
    )


def _hint(array: NDArray[Any]) -> str | None:
    if array.shape in ((32, 32, 3), (PIXELS,)):
        return "This is one image: give images[None]."
    if array.shape[1:] == (3, 32, 32):
        return f"These are channel-major: give images.reshape(-1, {PIXELS})."
    if array.dtype != np.uint8 and array.shape[1:] in ((32, 32, 3), (PIXELS,)):
        return "The model standardises by itself: give the bytes from 0 to 255 as they are."
    return None
