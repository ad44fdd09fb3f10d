"""What was run, and how to run it again."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softmax_cli.data.dataset import Publication
from softmax_cli.data.datasets import DATASETS
from softmax_cli.errors import CheckpointError
from softmax_cli.evaluation.predictor import own_temperature
from softmax_cli.report.inline import data_uri
from softmax_cli.report.parts import Reproduction
from softmax_cli.runs.checkpoint import load_latest_checkpoint
from softmax_cli.runs.directory import RunDirectory
from softmax_cli.runs.model_file import SavedModel

_IMAGE_DIGESTS = {
    "train_digest": "training images",
    "validation_digest": "validation images",
}


def training_again(
    settings: str,
    dataset: str,
    *,
    run: RunDirectory | None,
    file: Path,
    model: SavedModel | None,
    evaluation: Mapping[str, Any] | None,
) -> Reproduction:
    """How to train a model again, and to evaluate it in the same way.

    Args:
        settings: YAML text.
        dataset: name of its data set.
        run: where it was trained; None if only a model file is known.
        file: the model file, which need not exist.
        model: what is in that file; None if there is none.
        evaluation: the document of its evaluation, if any.
    """
    commands = [
        *_download(dataset),
        "softmax train --config config.yaml --run-dir rerun",
        *_evaluate("rerun", model, evaluation),
    ]
    state = _checkpoint(run) if run else {}
    digests = _published(dataset)
    digests |= {name: state[key] for key, name in _IMAGE_DIGESTS.items() if key in state}
    if model is not None:
        digests[_IMAGE_DIGESTS["train_digest"]] = model.data_digest
        digests[file.name] = _file_digest(file)
    return _reproduction(commands, "config.yaml", settings, digests, state)


def sweep_again(
    settings: str, dataset: str, *, model: SavedModel | None, evaluation: Mapping[str, Any] | None
) -> Reproduction:
    """How to run a sweep again, and to evaluate its best run in the same way.

    Arguments are those of :func:`training_again`; model and evaluation are the best run's.
    """
    commands = [
        *_download(dataset),
        "softmax sweep --config sweep.yaml --run-dir rerun",
        *_evaluate("rerun/best", model, evaluation),
    ]
    return _reproduction(commands, "sweep.yaml", settings, digests={}, state={})


def _reproduction(
    commands: list[str],
    file: str,
    settings: str,
    digests: Mapping[str, str],
    state: Mapping[str, Any],
) -> Reproduction:
    environment = state.get("environment")
    return Reproduction(
        commands=commands,
        file=file,
        settings=settings,
        uri=data_uri(settings.encode("utf-8"), "application/yaml"),
        environment=environment if isinstance(environment, dict) else {},
        digests=digests,
    )


def _publication(dataset: str) -> Publication | None:
    return DATASETS[dataset].publication if dataset in DATASETS else None


def _download(dataset: str) -> list[str]:
    publication = _publication(dataset)
    return [publication.command] if publication else []


def _published(dataset: str) -> dict[str, str]:
    """The digest of the archive of a data set, if it is published."""
    publication = _publication(dataset)
    return {publication.archive.name: publication.archive.sha256} if publication else {}


def _evaluate(
    run: str, model: SavedModel | None, evaluation: Mapping[str, Any] | None
) -> list[str]:
    if model is None or evaluation is None:
        return []
    command = f"softmax evaluate {run} --split {evaluation['split']}"
    if evaluation.get("calibration"):
        command += " --calibrate"
    elif evaluation["temperature"] != own_temperature(model):
        command += f" --temperature {evaluation['temperature']!r}"
    return [command]


def _checkpoint(run: RunDirectory) -> Mapping[str, Any]:
    """What the latest checkpoint of a training says beside its arrays; nothing if there is none."""
    try:
        return load_latest_checkpoint(run.checkpoint_directory)[0].document
    except CheckpointError:
        return {}


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
