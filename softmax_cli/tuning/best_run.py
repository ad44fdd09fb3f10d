"""The best trial of a sweep as ``best.yaml`` and, in ``best/``, as an ordinary run directory."""

from pathlib import Path

import numpy as np

from softmax_cli.arrays import Arrays
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.writing import to_yaml
from softmax_cli.errors import ConfigurationError
from softmax_cli.runs.atomic import write_text
from softmax_cli.runs.directory import create_run_directory
from softmax_cli.training.results import write_results
from softmax_cli.training.state import select_members
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import TrainingData
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.data_cache import DataCache
from softmax_cli.tuning.local import StackObserver
from softmax_cli.tuning.stack_run import StackTask, checkpointed, origin_of
from softmax_cli.tuning.stacks import Stack
from softmax_cli.tuning.trials import Trial, trial_id


def write_best_run(
    directory: Path,
    trial: Trial,
    seconds: float,
    checkpoints: StackCheckpoints,
    data: DataCache,
    observer: StackObserver,
    *,
    folds: int,
) -> None:
    """Write ``best.yaml`` and ``best/``, unless they are those of this trial already.

    Args:
        directory: of the sweep.
        trial: the best one.
        seconds: that its training took.
        checkpoints: where the last state of its stack may be; if it is not, it is trained again.
        data: where the images come from.
        observer: may ask to stop training.
        folds: of the sweep. After cross-validation the trial is trained anew, on all training
            images.

    Raises:
        StopRequestedError: the observer asked to stop.
        IntegrityError: data or checkpoints are not intact, or do not belong together.
        OSError: a file could not be written.
    """
    text = to_yaml(trial.config)
    write_text(directory / "best.yaml", text)
    if _is_there(directory / "best", trial):
        return
    images = data.of(trial.config, observer)
    trainer = _trained(trial, checkpoints if folds == 1 else None, images, observer)
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
    trial: Trial, checkpoints: StackCheckpoints | None, data: TrainingData, observer: StackObserver
) -> Trainer:
    """The trial alone, at its end: cut out of its stack, or else trained again."""
    state = _last_state(trial, checkpoints, data) if checkpoints else None
    task = StackTask(Stack((trial,), folds=1), state=state)
    observer.stack_started(task)
    run = checkpointed(task, data)
    run.train(observer)
    return run.trainer


def _last_state(trial: Trial, checkpoints: StackCheckpoints, data: TrainingData) -> Arrays | None:
    """The state of a trial, cut out of that of its stack; None if it is not there any more."""
    saved = checkpoints.find(trial.id)
    if saved is None:
        return None
    trials = saved.document["trials"]
    origin_of(trials, data, checkpoints.directory).check(saved.document, checkpoints.directory)
    return select_members(saved.arrays, np.array([trials.index(trial.id)]))
