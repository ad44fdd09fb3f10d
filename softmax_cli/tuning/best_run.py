"""The best trial of a sweep as ``best.yaml`` and, in ``best/``, as an ordinary run directory."""

from pathlib import Path

import numpy as np

from softmax_cli.config.loading import load_train_config
from softmax_cli.config.writing import to_yaml
from softmax_cli.errors import ConfigurationError
from softmax_cli.runs.atomic import write_text
from softmax_cli.runs.directory import create_run_directory
from softmax_cli.training.assembly import TrainingData
from softmax_cli.training.results import write_results
from softmax_cli.training.state import select_members
from softmax_cli.training.trainer import Trainer
from softmax_cli.tuning.loaded_data import LoadedData
from softmax_cli.tuning.stack_run import (
    StackObserver,
    StackTask,
    StopRequestedError,
    trainer_of,
)
from softmax_cli.tuning.stack_states import StackStates
from softmax_cli.tuning.stacks import Stack
from softmax_cli.tuning.trials import Trial, trial_id


def write_best_run(
    directory: Path,
    trial: Trial,
    seconds: float,
    states: StackStates,
    data: LoadedData,
    observer: StackObserver,
    *,
    folds: int,
) -> None:
    """Write ``best.yaml`` and ``best/``, unless they are those of this trial already.

    Args:
        directory: of the sweep.
        trial: the best one.
        seconds: that its training took.
        states: where the last state of its stack may be; if it is not, it is trained again.
        data: where the images come from.
        observer: may ask to stop training.
        folds: of the sweep. After cross-validation the trial is trained anew, on all training
            images.

    Raises:
        StopRequestedError: the observer asked to stop.
        OSError: a file could not be written.
    """
    text = to_yaml(trial.config)
    write_text(directory / "best.yaml", text)
    if _is_there(directory / "best", trial):
        return
    images = data.of(trial.config)
    trainer = _trained(trial, states if folds == 1 else None, images, observer)
    best = directory / "best"
    with create_run_directory(best, kind="train", settings=text, overwrite=True) as run:
        write_results(run, trial.config, images, trainer, 0, seconds)


def _is_there(best: Path, trial: Trial) -> bool:
    """Whether a finished run of a trial is there; its summary is written last."""
    config = best / "config.yaml"
    if not (config.is_file() and (best / "summary.json").is_file()):
        return False
    try:
        return trial_id(load_train_config(str(config))) == trial.id
    except ConfigurationError:
        return False


def _trained(
    trial: Trial, states: StackStates | None, data: TrainingData, observer: StackObserver
) -> Trainer:
    """The trial alone, at its end: cut out of its stack, or else trained again."""
    saved = states.find(trial.id) if states else None
    state = None
    if saved is not None:
        member = saved.document["trials"].index(trial.id)
        state = select_members(saved.arrays, np.array([member]))
    task = StackTask(Stack((trial,), folds=1), state=state)
    trainer = trainer_of(task, data)
    for progress in trainer.train():
        observer.progressed(task, trainer, progress)
        if observer.stop_requested():
            raise StopRequestedError
    return trainer
