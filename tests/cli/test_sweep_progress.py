import itertools
import time

import pytest

from softmax_cli.cli.options import OutputFormat
from softmax_cli.cli.output import Output
from softmax_cli.cli.sweep_progress import SweepProgress
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import prepare_training_data
from softmax_cli.tuning.outcomes import failed, outcomes_of
from softmax_cli.tuning.repeats import Setting, ranked_settings
from softmax_cli.tuning.stack_run import StackTask
from softmax_cli.tuning.stacks import plan_stacks
from softmax_cli.tuning.trials import make_trials

Captured = pytest.CaptureFixture[str]

TRAIN = load_train_config(
    "demo", ["training.iterations=4", "training.validate_every=2", "training.batch_size=10"]
)
SETTINGS = SweepConfig(train=TRAIN, parameters={"optimizer.momentum": [0.0, 0.9]})
TASKS = [StackTask(stack) for stack in plan_stacks(make_trials(SETTINGS), folds=1)]


@pytest.fixture
def trainer() -> Trainer:
    images = make_synthetic("train", size=50)
    configs = [trial.config for trial in TASKS[0].stack.trials]
    return build_trainer(configs, prepare_training_data(TRAIN, images, images.take_last(10)))


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> SweepProgress:
    """That of a sweep, to which something is due at every look at the clock."""
    seconds = itertools.count(step=10)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))
    return SweepProgress(Output(OutputFormat.TABLE, quiet=False, verbose=True), SETTINGS)


def leaders(trainer: Trainer) -> list[Setting]:
    trials = [(trial.id, trial.parameters) for trial in TASKS[0].stack.trials]
    return ranked_settings(outcomes_of(trials, 1, trainer, seconds=1.0), SETTINGS.metric)


def test_what_is_ahead_is_announced(progress: SweepProgress, capsys: Captured) -> None:
    progress.planned(trials=2, done=0)
    progress.planned(trials=6, done=4)
    stage = [TASKS[0], StackTask(TASKS[0].stack, until=3)]
    progress.stage_started(stage)
    assert capsys.readouterr().err.splitlines() == [
        "2 trials",
        "6 trials, 4 of them done already",
        "stack 1 of 2: 2 models, to the end",
        "stack 2 of 2: 2 models, to iteration 3",
    ]


def test_a_line_tells_of_the_stack_the_step_and_the_best_so_far(
    progress: SweepProgress, trainer: Trainer, capsys: Captured
) -> None:
    progress.planned(trials=2, done=0)
    progress.stage_started(TASKS)
    progress.stack_started(TASKS[0])
    progress.started(trainer)
    capsys.readouterr()
    for step in trainer.train():
        progress.progressed(trainer, step)
    progress.recorded(leaders(trainer))
    lines = capsys.readouterr().err.splitlines()
    best = [f"{100 * row.validation_accuracy.max():.2f} %" for row in trainer.history]
    assert lines == [
        "stack 1/1, iteration 1/4",
        f"stack 1/1, iteration 2/4, best {best[0]}",
        f"stack 1/1, iteration 3/4, best {best[0]}",
        f"stack 1/1, iteration 4/4, best {best[1]}",
        f"2 of 2 trials done, best {best[1]}",
    ]


def test_a_trial_without_figures_is_not_called_the_best(
    progress: SweepProgress, capsys: Captured
) -> None:
    progress.planned(trials=2, done=0)
    progress.stage_started(TASKS)
    capsys.readouterr()
    lost = [failed(trial.id, trial.parameters) for trial in TASKS[0].stack.trials]
    progress.recorded(ranked_settings(lost, SETTINGS.metric))
    assert capsys.readouterr().err == "2 of 2 trials done\n"


def test_the_run_of_the_best_trial_is_told_from_the_stacks(
    progress: SweepProgress, trainer: Trainer, capsys: Captured
) -> None:
    progress.stage_started([])
    progress.stack_started(TASKS[0])
    progress.started(trainer)
    progress.progressed(trainer, next(trainer.train()))
    assert capsys.readouterr().err == "the best trial, iteration 1/4\n"


def test_on_a_terminal_the_leaders_stand_below_the_bar(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with SweepProgress(Output(OutputFormat.TABLE, quiet=False), SETTINGS) as progress:
        progress.planned(trials=2, done=0)
        progress.stage_started(TASKS)
        for _ in trainer.train():
            pass
        progress.recorded(leaders(trainer))
        drawn = capsys.readouterr().err
    assert drawn.rindex("1/1") < drawn.rindex("momentum") < drawn.rindex("0.9")
