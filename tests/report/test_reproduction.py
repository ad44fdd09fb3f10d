import hashlib
import shlex
from pathlib import Path

import pytest

from softmax_cli.evaluation.predictor import model_digest
from softmax_cli.report.reading import read_run
from softmax_cli.report.reproduction import sweep_again, training_again
from softmax_cli.runs.environment import environment
from softmax_cli.runs.model_file import load_model
from tests.cli.conftest import Run


@pytest.mark.parametrize("kind", ["trained", "swept"])
def test_what_the_report_says_gives_the_same_model(
    run: Run, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    directory: Path = request.getfixturevalue(kind)
    best = "best" if kind == "swept" else "."
    run("evaluate", directory / best, "--split", "validation", "--calibrate")
    again = read_run(directory).part.reproduction
    assert again is not None
    (tmp_path / again.file).write_text(again.settings)
    for command in again.commands:
        program, *words = shlex.split(command)
        assert program == "softmax"
        assert run(*words).code == 0
    rerun = tmp_path / "rerun" / best
    assert model_digest(load_model(rerun / "model.safetensors")) == model_digest(
        load_model(directory / best / "model.safetensors")
    )
    evaluation = (directory / best / "evaluation.json").read_text()
    assert (rerun / "evaluation.json").read_text() == evaluation


def test_digests_and_the_environment_of_a_training_are_told(trained: Path) -> None:
    again = read_run(trained).part.reproduction
    assert again is not None
    model = trained / "model.safetensors"
    assert again.digests["model.safetensors"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert again.digests["training images"] == load_model(model).data_digest
    assert set(again.digests) == {"training images", "validation images", "model.safetensors"}
    assert again.environment.keys() == environment().keys()


def test_published_data_are_fetched_first(trained: Path) -> None:
    sweep = sweep_again("", "cifar10", model=None, evaluation=None)
    assert sweep.commands[0] == "softmax download"
    training = training_again("", "cifar10", run=None, file=trained, model=None, evaluation=None)
    assert training.commands[0] == "softmax download"
    assert list(training.digests) == ["cifar-10-python.tar.gz"]


def test_another_temperature_is_told(run: Run, trained: Path) -> None:
    run("evaluate", "here", "--temperature", "2.5")
    again = read_run(trained).part.reproduction
    assert again is not None
    assert again.commands[-1] == "softmax evaluate rerun --split test --temperature 2.5"
