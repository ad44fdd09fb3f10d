"""Run directories: claimed, recognised, locked, and overwritten only where that is asked for.

::

    runs/train/<name>/   config.yaml  metrics.csv  summary.json  model.safetensors  checkpoint/  ...
    runs/sweep/<name>/   sweep.yaml   trials.jsonl results.csv   best.yaml  best/  checkpoint/  ...

The first line of ``config.yaml`` or ``sweep.yaml`` marks a directory as a run of this program, and
of which format version; the second says which version of softmax wrote it. That file is written
first and removed last, so a directory is recognised at every moment between.
"""

import contextlib
import itertools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from softmax_cli import __version__
from softmax_cli.errors import RunDirectoryError
from softmax_cli.paths import quoted
from softmax_cli.runs.atomic import (
    make_directory,
    remove_file,
    remove_leftovers,
    sync_directory,
    write_text,
)
from softmax_cli.runs.locks import LOCK_NAME, DirectoryLock
from softmax_cli.runs.pictures import PICTURE_FILES
from softmax_cli.runs.text import decode
from softmax_cli.runs.versions import other_format, stated_version

Kind = Literal["train", "sweep"]

_FORMAT_VERSION = 1
_MARKER = re.compile(
    r"# softmax (train|sweep) run, format ([0-9]{1,9})\r?\n(?:# written by softmax (\S+)\r?\n)?"
)
_MAX_MARKER_BYTES = 200
_SETTINGS_NAMES: dict[Kind, str] = {"train": "config.yaml", "sweep": "sweep.yaml"}
_CALLED: dict[str, str] = {"train": "training run", "sweep": "sweep"}
_MADE_FILES = {
    "metrics.csv",
    "summary.json",
    "model.safetensors",
    "best.safetensors",
    "evaluation.json",
    "calibration.json",
    "best.calibration.json",
    "trials.jsonl",
    "results.csv",
    "best.yaml",
    "report.html",
    *PICTURE_FILES,
}
_RUNS_HINT = (
    "`softmax train` and `softmax sweep --config FILE_OR_PRESET` make them, below runs/ if nothing "
    "else is said."
)
_STACK_NAME = re.compile(r"stack-\w+")
_CHECKPOINT_NAME = re.compile(r"step-\d+\.safetensors")


@dataclass
class RunDirectory:
    """A run directory and the places in it. As a context manager it lets go of its lock at the end.

    Attributes:
        path: the directory.
        kind: what was run in it.
    """

    path: Path
    kind: Kind
    _lock: DirectoryLock | None = field(default=None, repr=False)

    @property
    def settings_file(self) -> Path:
        """``config.yaml`` of a training, ``sweep.yaml`` of a sweep."""
        return self.path / _SETTINGS_NAMES[self.kind]

    @property
    def model_file(self) -> Path:
        """``model.safetensors``."""
        return self.path / "model.safetensors"

    @property
    def best_model_file(self) -> Path:
        """``best.safetensors``: the weights whose validation accuracy was highest."""
        return self.path / "best.safetensors"

    @property
    def checkpoint_directory(self) -> Path:
        """``checkpoint/``, which need not exist."""
        return self.path / "checkpoint"

    def close(self) -> None:
        """Let other processes use the directory."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create_run_directory(
    path: Path, *, kind: Kind, settings: str, overwrite: bool = False
) -> RunDirectory:
    """Make ``path`` a fresh run directory and lock it for this process.

    Args:
        path: the directory; it may exist if it is empty, or with ``overwrite``.
        kind: what will be run in it.
        settings: YAML text of the settings; it is written to the directory at once.
        overwrite: remove what an earlier run of the same kind left in it. Files that this program
            does not make stay, and links are not followed.

    Raises:
        RunDirectoryError: the directory is in use, not empty, or, with ``overwrite``, no run of
            this kind.
        OSError: the directory cannot be made or written.
    """
    if path.exists() and not path.is_dir():
        raise RunDirectoryError(f"expected a directory at {path}, got a file")
    make_directory(path)
    run = RunDirectory(path, kind, _lock(path))
    try:
        remove_leftovers(path)
        if any(entry.name != LOCK_NAME for entry in path.iterdir()):
            _clear(path, kind, overwrite=overwrite)
        rewrite_settings(run, settings)
    except BaseException:
        run.close()
        raise
    return run


def claim_run_directory(parent: Path, stem: str, *, kind: Kind, settings: str) -> RunDirectory:
    """Make the next of ``<stem>-001``, ``<stem>-002``, ... in ``parent`` a run directory.

    Two processes never get the same one.

    Args:
        parent: where runs of this kind are kept, such as ``runs/train``; made if it is missing.
        stem: the preset or the configuration file's name without suffix.
        kind: what will be run in it.
        settings: YAML text of the settings.

    Raises:
        OSError: the directory cannot be made or written.
    """
    make_directory(parent)
    numbers = itertools.count(_last_number(parent, stem) + 1)
    path = next(filter(_is_made_now, (parent / f"{stem}-{number:03d}" for number in numbers)))
    sync_directory(parent)
    return create_run_directory(path, kind=kind, settings=settings)


def new_run_directory(
    path: Path | None, stem: str, *, kind: Kind, settings: str, overwrite: bool = False
) -> RunDirectory:
    """Make the directory that a user names a run directory, or else a new one below ``runs/``.

    Arguments and errors are those of :func:`create_run_directory`, and of
    :func:`claim_run_directory` where ``path`` is None.
    """
    if path is None:
        return claim_run_directory(Path("runs", kind), stem, kind=kind, settings=settings)
    return create_run_directory(path, kind=kind, settings=settings, overwrite=overwrite)


def rewrite_settings(run: RunDirectory, settings: str) -> None:
    """Replace the settings of a run that is resumed with others.

    Raises:
        OSError: writing failed; the earlier settings are still there.
    """
    write_text(run.settings_file, f"{_marker(run.kind)}\n{settings}")


def open_run_directory(
    path: Path, *, kind: Kind | None = None, exclusive: bool = False
) -> RunDirectory:
    """Open an existing run directory.

    A directory that holds a model and no settings counts as a training run: evaluating, drawing and
    predicting need no more.

    Args:
        path: the directory.
        kind: what must have been run in it; None takes both.
        exclusive: lock it for this process, and remove what crashed processes left half-written.

    Raises:
        RunDirectoryError: there is no such directory, it is no run, one of another kind or format
            version, or in use by another process.
        OSError: it cannot be read.
    """
    if not path.is_dir():
        got = "a file" if path.exists() else "nothing"
        raise RunDirectoryError(f"expected a run directory at {path}, got {got}", hint=_RUNS_HINT)
    found = _recognise(path)
    if found is None:
        message = f"expected a run directory at {path}, got one without a run of softmax"
        raise RunDirectoryError(message, hint=_RUNS_HINT)
    if kind is not None and kind != found:
        hint = f"The best model of a sweep is in {path / 'best'}." if found == "sweep" else None
        expected, got = _CALLED[kind], _CALLED[found]
        raise RunDirectoryError(f"expected a {expected} at {path}, got a {got}", hint=hint)
    run = RunDirectory(path, found, _lock(path) if exclusive else None)
    if exclusive:
        remove_leftovers(path)
    return run


def resume_command(kind: Kind, path: Path) -> str:
    """The command that resumes a run, quoted for a shell."""
    return f"softmax {kind} --resume {quoted(path)}"


def _marker(kind: Kind) -> str:
    first = f"# softmax {kind} run, format {_FORMAT_VERSION}"
    return f"{first}\n# written by softmax {__version__}"


def _recognise(path: Path) -> Kind | None:
    for kind, name in _SETTINGS_NAMES.items():
        if _is_marked(path / name, kind):
            return kind
    return "train" if (path / "model.safetensors").is_file() else None


def _is_marked(settings: Path, kind: Kind) -> bool:
    """Whether a settings file says it belongs to a run of ``kind``."""
    if not settings.is_file():
        return False
    with settings.open("rb") as stream:
        match = _MARKER.match(decode(stream.read(_MAX_MARKER_BYTES), errors="replace"))
    if match is None or match[1] != kind:
        return False
    if (found := int(match[2])) != _FORMAT_VERSION:
        message, hint = other_format(found, _FORMAT_VERSION, stated_version(match[3]))
        raise RunDirectoryError(f"{settings}: {message}", hint=hint)
    return True


def _lock(path: Path) -> DirectoryLock:
    try:
        return DirectoryLock(path)
    except BlockingIOError as error:
        raise RunDirectoryError(
            f"{path} is in use by another process",
            hint="Wait for it to end, or choose another --run-dir.",
        ) from error


def _is_made_now(path: Path) -> bool:
    try:
        path.mkdir()
    except FileExistsError:
        return False
    return True


def _last_number(parent: Path, stem: str) -> int:
    pattern = re.compile(re.escape(stem) + r"-(\d{3,9})")
    matches = (pattern.fullmatch(path.name) for path in parent.iterdir())
    return max((int(match[1]) for match in matches if match), default=0)


def _clear(path: Path, kind: Kind, *, overwrite: bool) -> None:
    """Remove the files of an earlier run from ``path``, the marked settings last."""
    if not overwrite:
        raise RunDirectoryError(
            f"{path} exists and is not empty",
            hint="Go on with --resume, replace it with --overwrite, or choose another --run-dir.",
        )
    if not _is_marked(path / _SETTINGS_NAMES[kind], kind):
        raise RunDirectoryError(
            f"{path} is not the directory of a {_CALLED[kind]}, so it is not overwritten",
            hint="Choose another --run-dir.",
        )
    _remove_run(path)


def _remove_run(path: Path) -> None:
    for entry in sorted(path.iterdir()):
        if entry.name in _MADE_FILES:
            _remove_file(entry)
    remove_checkpoints(path / "checkpoint")
    best = path / "best"
    if best.is_dir() and not best.is_symlink() and _is_marked(best / "config.yaml", "train"):
        _remove_run(best)
        _remove_file(best / "config.yaml")
        _remove_if_empty(best)


def remove_checkpoints(directory: Path) -> None:
    """Remove checkpoints from ``directory`` and from a sweep's ``stack-<id>/`` in it.

    Raises:
        RunDirectoryError: the directory is a symbolic link.
        OSError: a file could not be removed.
    """
    if directory.is_symlink():
        raise RunDirectoryError(
            f"{directory} is a symbolic link, so the checkpoints behind it are not removed",
            hint="Remove the link, or choose another --run-dir.",
        )
    if not directory.is_dir():
        return
    remove_leftovers(directory)
    for entry in sorted(directory.iterdir()):
        if _CHECKPOINT_NAME.fullmatch(entry.name):
            _remove_file(entry)
        elif _STACK_NAME.fullmatch(entry.name):
            remove_checkpoints(entry)
    _remove_if_empty(directory)


def _remove_file(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        remove_file(path)


def _remove_if_empty(directory: Path) -> None:
    with contextlib.suppress(OSError):
        directory.rmdir()
