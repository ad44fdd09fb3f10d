from pathlib import Path

import pytest

from softmax_cli.data.datasets import DATASETS
from tests.cli.conftest import Run
from tests.data.conftest import SmallDataSet
from tests.data.expectation import spec_of

TRAIN = (
    "data.validation_size=10",
    "training.iterations=2",
    "training.batch_size=5",
    "training.checkpoint_every=1",
    "data.dir=data",
)


@pytest.fixture
def run_small(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run`` where a small data set, in ``data``, counts as CIFAR-10."""
    small = SmallDataSet()
    small.write(tmp_path / "data")
    monkeypatch.setitem(DATASETS, "cifar10", spec_of(small.publication))
    return run


def test_a_run_whose_data_was_moved_names_the_option_that_finds_it(
    run_small: Run, tmp_path: Path
) -> None:
    assert run_small("train", *TRAIN, "--run-dir", "done").code == 0
    assert run_small("train", *TRAIN, "--run-dir", "cut").code == 0
    for name in ("summary.json", "model.safetensors"):
        (tmp_path / "cut" / name).unlink()
    assert run_small("evaluate", "done").code == 0
    (tmp_path / "data").rename(tmp_path / "moved")
    for command in (("evaluate", "done"), ("train", "--resume", "cut")):
        lost = run_small(*command)
        assert lost.code == 3
        assert "expected the folder data/cifar-10-batches-py" in lost.err
        assert "name that with `--data-dir DIR`" in lost.err
        assert run_small(*command, "--data-dir", "moved").code == 0
    drawn = run_small("visualize", "done")
    assert drawn.code == 0
    assert "name that with `--data-dir DIR`" in drawn.err


def test_a_sweep_whose_data_was_moved_names_the_option_that_finds_it(
    run_small: Run, tmp_path: Path
) -> None:
    (tmp_path / "base.yaml").write_text(
        "{data: {validation_size: 10}, training: {iterations: 2, batch_size: 5}}"
    )
    (tmp_path / "rates.yaml").write_text(
        "{base: base.yaml, parameters: {optimizer.learning_rate: [1e-3, 1e-2]}}"
    )
    assert run_small("sweep", "-c", "rates.yaml", "--run-dir", "here").code == 0
    text = (tmp_path / "rates.yaml").read_text()
    (tmp_path / "rates.yaml").write_text(text.replace("1e-2]", "1e-2, 1e-1]"))
    (tmp_path / "data").rename(tmp_path / "moved")
    more = ("sweep", "-c", "rates.yaml", "--resume", "here")
    lost = run_small(*more)
    assert lost.code == 3
    assert "name that with `--data-dir DIR`" in lost.err
    assert run_small(*more, "--data-dir", "moved").code == 0


def test_threads_are_set_before_a_command_runs(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("softmax_cli.threads.use_threads", asked.append)
    assert run("train", "--config", "demo", "--dry-run", "--threads", "3").code == 0
    assert asked == [3]
    result = run("train", "--config", "demo", "--dry-run", "--threads", "0")
    assert result.code == 2
    assert "--threads" in result.err
