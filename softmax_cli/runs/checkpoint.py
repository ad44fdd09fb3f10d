"""Checkpoints: all that the next training step depends on, sealed, the last two kept.

Two are kept, because a crash or a failing disk is most likely to damage the newest.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.atomic import (
    make_directory,
    remove_file,
    remove_leftovers,
    sync_directory,
)
from softmax_cli.runs.sealed import SealedFormat, read_sealed, write_sealed

CHECKPOINT_FORMAT = SealedFormat(
    kind="checkpoint",
    version=2,
    error=CheckpointError,
    header_limit=64 * 2**20,
    allows_non_finite=True,
    noted_in="state",
)

_NAME = re.compile(r"step-(\d{8,18})\.safetensors")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training after ``step`` steps.

    Attributes:
        step: how many steps were done.
        arrays: weights, momentum and the like; bits are kept, memory order is not (C order).
        document: JSON values, NaN and infinities allowed: random state, history, digests.
    """

    step: int
    arrays: dict[str, NDArray[Any]]
    document: dict[str, Any]


def save_checkpoint(directory: Path, checkpoint: Checkpoint) -> Path:
    """Write ``checkpoint`` into ``directory`` and keep one older one beside it.

    The others are removed only once the new one is safely on the disk. Those of later steps are
    removed too: training went back behind them.

    Args:
        directory: the ``checkpoint`` directory; it is made if there is none.
        checkpoint: what to save.

    Returns:
        The file written, ``step-00000500.safetensors`` for step 500.

    Raises:
        CheckpointError: an array or a value cannot be stored.
        OSError: writing failed; the checkpoints that were there are still there.
    """
    make_directory(directory)
    path = directory / f"step-{checkpoint.step:08d}.safetensors"
    document = {"step": checkpoint.step, "state": checkpoint.document}
    write_sealed(path, CHECKPOINT_FORMAT, tensors=checkpoint.arrays, document=document)
    remove_all_but_last_two(directory, checkpoint.step)
    return path


def has_checkpoints(directory: Path) -> bool:
    """Whether ``directory`` exists and holds a checkpoint, intact or not."""
    return directory.is_dir() and bool(_checkpoints(directory))


def load_latest_checkpoint(directory: Path) -> tuple[Checkpoint, list[str]]:
    """Read the newest checkpoint in ``directory`` that is intact.

    Args:
        directory: the ``checkpoint`` directory.

    Returns:
        The checkpoint, and one warning for each newer one that had to be passed over.

    Raises:
        CheckpointError: there is none, or none is intact.
    """
    damages: list[CheckpointError] = []
    for _, path in reversed(_checkpoints(directory)):
        try:
            return _load(path), [f"passed over a checkpoint: {e.message}" for e in damages]
        except CheckpointError as error:
            damages.append(error)
    if damages:
        found = "\n".join(error.message for error in damages)
        hints = filter(None, (damages[0].hint, f"To start from the beginning, remove {directory}."))
        raise CheckpointError(
            f"no checkpoint in {directory} can be read\n{found}", hint=" ".join(hints)
        )
    raise CheckpointError(f"no checkpoint in {directory}")


def remove_all_but_last_two(directory: Path, step: int) -> None:
    """Keep the checkpoint of ``step`` and the one before; remove later ones and leftovers, too.

    Raises:
        OSError: a file could not be removed.
    """
    remove_leftovers(directory)
    found = _checkpoints(directory)
    kept = [path for done, path in found if done <= step][-2:]
    for _, path in found:
        if path not in kept:
            remove_file(path)
    sync_directory(directory)


def _load(path: Path) -> Checkpoint:
    arrays, document = read_sealed(path, CHECKPOINT_FORMAT)
    step, state = document.get("step"), document.get("state")
    if type(step) is not int or not isinstance(state, dict) or len(document) != 2:
        raise CheckpointError(f"{path}: not a valid checkpoint: expected a step and a state")
    if path.name != f"step-{step:08d}.safetensors":
        raise CheckpointError(f"{path}: expected the checkpoint its name says, got step {step}")
    return Checkpoint(step, arrays, state)


def _checkpoints(directory: Path) -> list[tuple[int, Path]]:
    """The checkpoints in ``directory`` by step, intact or not."""
    if not directory.is_dir():
        return []
    matches = [(path, _NAME.fullmatch(path.name)) for path in directory.iterdir()]
    return sorted((int(match[1]), path) for path, match in matches if match)
