"""Small sound files, and what a file that was read says by another reader's account."""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize

from softmax_cli.data.cifar10 import CLASS_NAMES
from softmax_cli.runs.checkpoint import Checkpoint, save_checkpoint
from softmax_cli.runs.model_file import SavedModel, save_model

STEP = 10
_VERSIONS = {"model": (1, 2), "checkpoint": (2,)}


def small_model(path: Path, *, features: int, classes: int = len(CLASS_NAMES)) -> bytes:
    """Save a sound model; the bytes of its file."""
    rng = np.random.default_rng(features)
    model = SavedModel(
        weights=rng.normal(size=(features, classes)).astype(np.float32),
        bias=np.zeros(classes, np.float32),
        mean=np.zeros(features, np.float32),
        scale=np.ones(features, np.float32),
        class_names=CLASS_NAMES[:classes],
        temperature=1.0,
        settings={"data": {"dataset": "synthetic"}, "model": {"loss": "softmax"}, "seed": 0},
        results={"iterations": 3000, "validation_accuracy": 0.375, "best": None},
        data_digest="ab" * 32,
    )
    save_model(path, model)
    return path.read_bytes()


def small_checkpoint(folder: Path) -> bytes:
    """Save a sound checkpoint after `STEP` steps; the bytes of its file."""
    arrays: dict[str, NDArray[Any]] = {
        "weights": np.arange(24, dtype=np.float32),
        "status": np.zeros(3, np.int64),
        "flags": np.array([True, False, True]),
    }
    state = {"random": [1, 2**100], "loss": math.nan, "settings": {"seed": 0}}
    return save_checkpoint(folder, Checkpoint(STEP, arrays, state)).read_bytes()


def disagreement(
    data: bytes, kind: str, tensors: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
) -> str:
    """Where what was read from a file is not what the file says, or no right seal stands in it.

    The file is read a second time, by the safetensors library and without its author's code.

    Args:
        data: the file.
        kind: ``model`` or ``checkpoint``.
        tensors: what was read.
        document: what was read.
    """
    try:
        end = 8 + struct.unpack("<Q", data[:8])[0]
        header = _strictly(data[8:end].decode())
        metadata = header.pop("__metadata__")
        envelope = _strictly(metadata["softmax"])
        stated = dict(deserialize(data))  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        return f"another reader refuses it: {error!r}"
    seal = envelope["sha256"]
    blank = data.replace(
        f'{{\\"sha256\\":\\"{seal}'.encode(), f'{{\\"sha256\\":\\"{"0" * 64}'.encode()
    )
    if metadata.keys() != {"softmax"} or hashlib.sha256(blank).hexdigest() != seal:
        return "its seal is wrong, or there is more in it than a seal covers"
    versions = _VERSIONS[kind]
    if (
        envelope.get("kind") != kind
        or envelope.get("format_version") not in versions
        or len(envelope) != 4
    ):
        return f"it is no {kind} of the versions {versions}"
    _forget_writer(envelope["document"])
    if type(envelope["format_version"]) is not int or _text(envelope["document"]) != _text(
        document
    ):
        return "its document says something else"
    if any(entry.keys() != {"dtype", "shape", "data_offsets"} for entry in header.values()):
        return "it says more of a tensor than there is to say"
    if kind == "model" and end > 8 + (1 << 20):
        return "its header is longer than a model's may be"
    return _differing_tensors(stated, tensors)


def _forget_writer(document: Any) -> None:
    """Take out the version of softmax that wrote the file; who reads it is not told."""
    for part in ("results", "state"):
        noted = document.get(part) if isinstance(document, dict) else None
        if isinstance(noted, dict):
            noted.pop("softmax_version", None)


def _differing_tensors(stated: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> str:
    if stated.keys() != tensors.keys():
        return f"it has the tensors {sorted(stated)}"
    for name, entry in stated.items():
        found = tensors[name]
        if found.dtype == np.bool_ and found.view(np.uint8).max(initial=0) > 1:
            return f"its {name} are neither true nor false"
        if entry["shape"] != list(found.shape) or bytes(entry["data"]) != found.tobytes():
            return f"its {name} say something else"
        if entry["dtype"] != _DTYPES[found.dtype.str]:
            return f"its {name} are of dtype {entry['dtype']}"
    return ""


_DTYPES = {
    "<f8": "F64", "<f4": "F32", "<i8": "I64", "<u8": "U64", "<i4": "I32", "<u4": "U32",
    "|u1": "U8", "|b1": "BOOL",
}  # fmt: skip


def unsoundness(model: SavedModel) -> str:
    """Why a model that was loaded could not have been trained; empty if it could."""
    shape = model.weights.shape
    arrays = {"weights": shape, "bias": shape[1:], "mean": shape[:1], "scale": shape[:1]}
    for name, expected in arrays.items():
        array = getattr(model, name)
        if len(shape) != 2 or array.shape != expected or array.dtype != np.float32:
            return f"{name} are {array.dtype} {array.shape}"
        if not np.isfinite(array).all():
            return f"{name} are not finite"
    names = model.class_names
    if len(set(names)) != shape[1] or not all(type(n) is str and n.isprintable() for n in names):
        return f"its classes are {names!r}"
    if not (model.scale > 0).all() or type(model.temperature) is not float:
        return "its scale or temperature is wrong"
    if not 0 < model.temperature < math.inf or not model.data_digest.isprintable():
        return f"its temperature is {model.temperature}, or its digest is not one line"
    return "" if all(names) else "a class has no name"


def _strictly(text: str) -> dict[str, Any]:
    """A JSON object in which no key occurs twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key occurs twice")
        return dict(pairs)

    document: dict[str, Any] = json.loads(text, object_pairs_hook=unique)
    return document


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
