import itertools
import time

import pytest

from softmax_cli.cli.options import OutputFormat
from softmax_cli.cli.output import Output
from softmax_cli.cli.train_progress import TrainingObserver
from softmax_cli.config.loading import load_train_config
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.trainer import Trainer
from softmax_cli.training.training_data import prepare_training_data


@pytest.fixture
def trainer() -> Trainer:
    config = load_train_config(
        "demo", ["training.iterations=4", "training.validate_every=2", "training.batch_size=10"]
    )
    images = make_synthetic("train", size=50)
    return build_trainer([config], prepare_training_data(config, images, images.take_last(10)))


def test_a_line_tells_of_the_step_and_of_the_last_validation(
    trainer: Trainer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = itertools.count(step=10)  # at each look at the clock
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))
    observer = TrainingObserver(Output(OutputFormat.TABLE, quiet=False))
    observer.started(trainer)
    for progress in trainer.train():
        observer.progressed(trainer, progress)
    first, second, third, last = capsys.readouterr().err.splitlines()
    assert first.startswith("iteration 1/4, no validation yet, ")
    validated = trainer.history[0].of_model(0)
    shown = (
        f"loss {validated['train_loss']:.4f}, "
        f"validation {100 * validated['validation_accuracy']:.2f} %"
    )
    assert second.startswith(f"iteration 2/4, {shown}, ")
    assert third.startswith(f"iteration 3/4, {shown}, ")
    assert last.startswith("iteration 4/4, ")
    assert last.endswith(" iterations/s, 0 s left")


def test_the_last_step_is_shown_whenever_it_comes(
    trainer: Trainer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    observer = TrainingObserver(Output(OutputFormat.TABLE, quiet=False))
    observer.started(trainer)
    for progress in trainer.train():
        observer.progressed(trainer, progress)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("iteration 4/4, ")
