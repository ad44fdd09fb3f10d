"""The model file: all that evaluating, drawing and predicting need, in one sealed file."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Arrays
from softmax_cli.errors import ModelError
from softmax_cli.runs.directory import resume_command
from softmax_cli.runs.sealed import SealedFormat, Tensors, read_sealed, write_sealed
from softmax_cli.runs.tables import json_value

MODEL_FORMAT = SealedFormat(
    kind="model",
    version=2,
    reads=(1, 2),
    error=ModelError,
    header_limit=2**20,
    allows_non_finite=False,
    noted_in="results",
)

_TENSORS = ("weights", "bias", "mean", "scale")
_FEATURE_PREFIX = "features."
"""Before the names of a feature map's arrays; format 1 has none."""
_DOCUMENT_TYPES = {
    "class_names": list,
    "temperature": float,
    "data_digest": str,
    "settings": dict,
    "results": dict,
}
_LONGEST_NAME = 200
HINT = "Take a model.safetensors that `softmax train` wrote, or train again."


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A trained linear classifier: ``scores = ((x - mean) / scale) @ weights + bias``.

    Attributes:
        weights: ``(P, C)`` float32.
        bias: ``(C,)`` float32.
        mean: ``(P,)`` float32, subtracted from the features.
        scale: ``(P,)`` float32, greater than zero; the centred features are divided by it.
        class_names: C different names.
        temperature: what the scores are divided by before the softmax; greater than zero.
        settings: the resolved configuration of the training, as JSON values.
        results: what training reported, such as iterations and validation accuracy, as JSON values.
        data_digest: identifies the images it was trained on.
        feature_arrays: what the feature map learned, float32 arrays by name; empty for pixels.

    Raises:
        ModelError: on construction, if an attribute is not as described.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    class_names: tuple[str, ...]
    temperature: float
    settings: dict[str, Any]
    results: dict[str, Any]
    data_digest: str
    feature_arrays: Arrays = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_class_names(self.class_names)
        if self.weights.ndim != 2:
            raise ModelError(f"expected weights of two dimensions, got shape {self.weights.shape}")
        features = self.weights.shape[0]
        classes = len(self.class_names)
        _check_array("weights", self.weights, (features, classes))
        _check_array("bias", self.bias, (classes,))
        _check_array("mean", self.mean, (features,))
        _check_array("scale", self.scale, (features,))
        for name, array in self.feature_arrays.items():
            _check_array(name, array, array.shape)
        if not self.scale.min(initial=1) > 0:
            raise ModelError("expected a scale greater than zero for every feature")
        if not 0 < self.temperature < math.inf:
            raise ModelError(f"expected a temperature greater than zero, got {self.temperature}")
        if not self.data_digest.isprintable():
            raise ModelError("expected the data digest to be one printable line")


def save_model(path: Path, model: SavedModel) -> None:
    """Write ``model`` to ``path``, atomically. The same model always gives the same bytes.

    Numbers in ``results`` that are not finite are stored as null.

    Raises:
        ModelError: the settings are not JSON values or hold a number that is not finite.
        OSError: writing failed; what was at ``path`` is still there.
    """
    document = {
        "class_names": list(model.class_names),
        "temperature": float(model.temperature),
        "data_digest": model.data_digest,
        "settings": model.settings,
        "results": json_value(model.results),
    }
    tensors = {name: getattr(model, name) for name in _TENSORS}
    tensors |= {f"{_FEATURE_PREFIX}{name}": array for name, array in model.feature_arrays.items()}
    write_sealed(path, MODEL_FORMAT, tensors=tensors, document=document)


def load_model(path: Path, *, features: int | None = None) -> SavedModel:
    """Read the model at ``path`` and check every part of it.

    Args:
        path: a file that :func:`save_model` wrote.
        features: how many features the model must take; None accepts any number.

    Returns:
        The model; its arrays are read-only.

    Raises:
        ModelError: there is no such file, it is not intact, or has another number of features.
    """
    if not path.exists():
        raise ModelError(
            f"no model at {path}",
            hint=f"If the training was interrupted: {resume_command('train', path.parent)}",
        )
    try:
        tensors, document = read_sealed(path, MODEL_FORMAT)
    except ModelError as error:
        raise ModelError(error.message, hint=error.hint or HINT) from error
    try:
        return _assemble(tensors, document, features)
    except ModelError as error:
        raise ModelError(f"{path}: {error.message}", hint=error.hint or HINT) from error


def _assemble(tensors: Tensors, document: dict[str, Any], features: int | None) -> SavedModel:
    feature_arrays = {
        name.removeprefix(_FEATURE_PREFIX): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(_FEATURE_PREFIX)
    }
    if tensors.keys() != set(_TENSORS) or document.keys() != _DOCUMENT_TYPES.keys():
        raise ModelError("not a valid model: it has other parts than a model has")
    for key, kind in _DOCUMENT_TYPES.items():
        if type(document[key]) is not kind:
            raise ModelError(f"not a valid model: its {key} are of the wrong type")
    for array in (*tensors.values(), *feature_arrays.values()):
        array.flags.writeable = False
    values = {**tensors, **document, "class_names": tuple(document["class_names"])}
    model = SavedModel(**values, feature_arrays=feature_arrays)
    if features is not None and len(model.weights) != features:
        raise ModelError(f"expected a model of {features} features, got {len(model.weights)}")
    return model


def _check_class_names(names: tuple[object, ...]) -> None:
    if not names:
        raise ModelError("expected at least one class, got none")
    for name in names:
        if not (isinstance(name, str) and name.isprintable() and 0 < len(name) <= _LONGEST_NAME):
            raise ModelError("expected class names of one printable line each")
    if len(set(names)) != len(names):
        raise ModelError("expected class names that differ from each other")


def _check_array(name: str, array: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.float32:
        raise ModelError(f"expected {name} float32 {shape}, got {array.dtype} {array.shape}")
    # The extremes show every NaN and infinity, and take no second array of the same size.
    if array.size and not (math.isfinite(array.min()) and math.isfinite(array.max())):
        raise ModelError(f"expected finite {name}, got NaN or infinity")
