"""Small sweeps on synthetic images that finish in a fraction of a second."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pytest

from softmax_cli.blas import limited_to
from softmax_cli.config.loading import with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.config.writing import plain_values, to_yaml
from softmax_cli.data import datasets
from softmax_cli.data.dataset import DataSource
from softmax_cli.data.images import ImageSet
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.runs.directory import create_run_directory, open_run_directory
from softmax_cli.training.trainer import Progress, Trainer
from softmax_cli.tuning.repeats import Setting
from softmax_cli.tuning.stack_run import StackTask
from softmax_cli.tuning.sweep import SweepSummary, run_sweep
from tests.training.conftest import SMALL, optimum

__all__ = ["optimum"]  # a fixture is found where it is imported

Space = Callable[..., SweepConfig]
Sweep = Callable[..., SweepSummary]


@lru_cache(maxsize=1)
def _synthetic() -> ImageSet:
    return make_synthetic("train")


@pytest.fixture(autouse=True)
def no_test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the synthetic images from test to test; fail where the test split is asked for."""
    load_others = datasets.load_split

    def load(source: DataSource, split: Literal["train", "test"]) -> ImageSet:
        assert split == "train"
        return _synthetic() if source.dataset == "synthetic" else load_others(source, split)

    monkeypatch.setattr(datasets, "load_split", load)


@pytest.fixture(autouse=True)
def one_blas_thread() -> Iterator[None]:
    """Keep these small products from waiting for a second core."""
    with limited_to(1):
        yield


@pytest.fixture
def space() -> Space:
    """``space({"optimizer.momentum": [0.5, 0.9]}, folds=3, **{"seed": 1})``: a small sweep.

    Keyword arguments with a dot, and ``seed``, change the base; the others the sweep.
    """

    def build(parameters: dict[str, Any], **values: Any) -> SweepConfig:
        base = {k: v for k, v in values.items() if "." in k or k == "seed"}
        length = {} if "training.epochs" in base else {"training.iterations": 40}
        train = with_values(TrainConfig(), {**SMALL, **length, **base})  # type: ignore[dict-item]
        own = {k: v for k, v in values.items() if k not in base}
        return SweepConfig.model_validate(
            {"train": plain_values(train), "parameters": parameters, **own}
        )

    return build


@pytest.fixture
def optima(optimum: Callable[..., TrainConfig]) -> Space:
    """The same as ``space`` for small trainings by L-BFGS."""

    def build(parameters: dict[str, Any], **values: Any) -> SweepConfig:
        base = {k: v for k, v in values.items() if "." in k}
        own = {k: v for k, v in values.items() if k not in base}
        return SweepConfig.model_validate(
            {"train": plain_values(optimum(**base)), "parameters": parameters, **own}
        )

    return build


class Watcher:
    """Observer that remembers, and may ask to stop after a number of steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[tuple[str, ...]] = []
        """Ids of the trials of the stack of each step."""
        self.warnings: list[str] = []
        self.stages: list[list[StackTask]] = []
        self.plans: list[tuple[int, int]] = []
        self._stop_after = stop_after
        self._trials: tuple[str, ...] = ()

    def planned(self, trials: int, done: int) -> None:
        self.plans.append((trials, done))

    def stage_started(self, tasks: Sequence[StackTask]) -> None:
        self.stages.append(list(tasks))

    def stack_started(self, task: StackTask) -> None:
        self._trials = tuple(trial.id for trial in task.stack.trials)

    def started(self, trainer: Trainer) -> None:
        pass

    def progressed(self, trainer: Trainer, progress: Progress) -> None:
        self.steps.append(self._trials)

    def recorded(self, leaders: Sequence[Setting]) -> None:
        pass

    def extracted(self, completed: int, total: int) -> None:
        pass

    def warned(self, message: str) -> None:
        self.warnings.append(message)

    def stop_requested(self) -> bool:
        return self._stop_after is not None and len(self.steps) >= self._stop_after


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """``sweep(settings, "here", watcher)`` begins a sweep in a directory, or goes on with it."""

    def run(settings: SweepConfig, name: str = "here", watcher: Watcher | None = None) -> Any:
        path = tmp_path / name
        if path.exists():
            opened = open_run_directory(path, kind="sweep", exclusive=True)
        else:
            opened = create_run_directory(path, kind="sweep", settings=to_yaml(settings))
        with opened:
            return run_sweep(opened, settings, watcher or Watcher())

    return run


def table(directory: Path) -> list[str]:
    """Lines of ``results.csv`` without the seconds, which are in the last column."""
    lines = (directory / "results.csv").read_text().splitlines()
    return [line.rpartition(",")[0] for line in lines]
