"""This package, as its commands run it once the images are in memory."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from benchmarks.task import Images, LinearModel, Task
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.config.writing import to_yaml
from softmax_cli.features.standardization import Standardization
from softmax_cli.runs.directory import create_run_directory
from softmax_cli.runs.model_file import load_model
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.single_run import train_in_directory
from softmax_cli.training.training_data import load_training_data
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.sweep import run_sweep
from softmax_cli.tuning.trials import make_trials


class Unwatched:
    """Observer of a training or a sweep that does nothing."""

    def started(self, *_: object) -> None:
        """Training begins."""

    def planned(self, *_: object) -> None:
        """A sweep begins."""

    def stage_started(self, *_: object) -> None:
        """Stacks are trained next."""

    def stack_started(self, *_: object) -> None:
        """A stack is trained next."""

    def progressed(self, *_: object) -> None:
        """A step was done."""

    def recorded(self, *_: object) -> None:
        """A stack is done."""

    def extracted(self, *_: object) -> None:
        """Features are computed."""

    def warned(self, *_: object) -> None:
        """Warnings are not shown."""

    def stop_requested(self) -> bool:
        """Whether to stop."""
        return False


class SoftmaxTrain:
    """``softmax train`` from images in memory to a finished run directory.

    That is the split, the preprocessing, the loop with its validations and checkpoints, the models
    on disk, and their loss and accuracy on all training and validation images.

    Args:
        name: in tables.
        configs: one for each run; after the last one, the first one again.
        images: the data set.
    """

    share = 1.0

    def __init__(self, name: str, configs: Sequence[TrainConfig], images: Images) -> None:
        self.name = name
        self._configs = configs
        self._images = images
        self._runs = 0

    def setup(self) -> None:
        """Nothing: this is what a user has to wait for."""

    def run(self) -> None:
        config = self._configs[self._runs % len(self._configs)]
        self._runs += 1
        with self._images.in_memory():
            data = load_training_data(config)
        path = Path(tempfile.mkdtemp(prefix="softmax-benchmark-"))
        with create_run_directory(path, kind="train", settings=to_yaml(config)) as self._run:
            train_in_directory(self._run, config, data, Unwatched(), resume=False)

    def learned(self) -> Sequence[LinearModel]:
        saved = load_model(self._run.model_file)
        shutil.rmtree(self._run.path)
        return [LinearModel(saved.weights, saved.bias, Standardization(saved.mean, saved.scale))]


class SoftmaxLoop:
    """The training loop alone, with its validations, for all models of a task side by side."""

    name = "softmax, loop alone"
    share = 1.0

    def __init__(self, task: Task, members: Sequence[int] | None = None) -> None:
        self._task = task
        self._members = range(task.recipe.models) if members is None else members

    def setup(self) -> None:
        self._data = self._task.data

    def run(self) -> None:
        self._trainer = build_trainer(self._task.configs, self._data)
        for _ in self._trainer.train():
            pass

    def learned(self) -> Sequence[LinearModel]:
        return [self._task.model(*self._trainer.stack.member(member)) for member in self._members]


class SoftmaxOneByOne:
    """The training loop alone, for one model of a task after another.

    Args:
        task: what is to be trained.
        members: which of its models.
    """

    name = "softmax, one by one"

    def __init__(self, task: Task, members: Sequence[int]) -> None:
        self._loops = [SoftmaxLoop(task.member(member)) for member in members]
        self.share = len(members) / task.recipe.models

    def setup(self) -> None:
        for loop in self._loops:
            loop.setup()

    def run(self) -> None:
        for loop in self._loops:
            loop.run()

    def learned(self) -> Sequence[LinearModel]:
        return [model for loop in self._loops for model in loop.learned()]


class SoftmaxSweep:
    """``softmax sweep`` from images in memory to a finished run directory.

    Args:
        sweep: settings whose trials are those of the task and fall into one stack.
        task: what is to be trained.
        members: which of its models are judged; all are trained.
    """

    name = "softmax"
    share = 1.0

    def __init__(self, sweep: SweepConfig, task: Task, members: Sequence[int]) -> None:
        self._sweep = sweep
        self._task = task
        self._judged = [make_trials(sweep)[member].id for member in members]

    def setup(self) -> None:
        """Nothing: this is what a user has to wait for."""

    def run(self) -> None:
        path = Path(tempfile.mkdtemp(prefix="softmax-benchmark-"))
        settings = to_yaml(self._sweep)
        with (
            self._task.images.in_memory(),
            # A finished sweep removes its checkpoints, but the weights of some trials are judged.
            mock.patch.object(StackCheckpoints, "remove_all"),
            create_run_directory(path, kind="sweep", settings=settings) as self._run,
        ):
            run_sweep(self._run, self._sweep, Unwatched())

    def learned(self) -> Sequence[LinearModel]:
        by_id = {trial.id: trial.config for trial in make_trials(self._sweep)}
        saved = StackCheckpoints(self._run.checkpoint_directory).find(self._judged[0])
        if saved is None:
            raise LookupError("the sweep left no state of its trials")
        shutil.rmtree(self._run.path)
        trials: list[str] = saved.document["trials"]
        trainer = build_trainer([by_id[trial] for trial in trials], self._task.data)
        trainer.restore(saved.arrays)
        return [
            self._task.model(*trainer.stack.member(trials.index(trial))) for trial in self._judged
        ]
