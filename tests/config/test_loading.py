"""The way from a preset or file and overrides to settings."""

import time
from pathlib import Path

import pytest

from softmax_cli.config.loading import load_train_config, with_values
from softmax_cli.config.optimizer_schema import StepSchedule
from softmax_cli.errors import ConfigurationError


def _file(folder: Path, text: str) -> str:
    path = folder / "train.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_defaults_are_those_of_cs231n() -> None:
    assert load_train_config(None) == load_train_config("cs231n")


def test_a_file_is_read_and_completed(tmp_path: Path) -> None:
    config = load_train_config(_file(tmp_path, "optimizer: {learning_rate: 1e-3}\nseed: 7\n"))
    assert config.optimizer.learning_rate == 1e-3
    assert (config.seed, config.training.batch_size) == (7, 200)


def test_overrides_go_on_top_of_the_file(tmp_path: Path) -> None:
    source = _file(tmp_path, "training: {batch_size: 10}\n")
    config = load_train_config(source, ["training.batch_size=20", "data.dir=my data"])
    assert (config.training.batch_size, config.data.dir) == (20, "my data")


def test_iterations_and_epochs_together_are_refused(tmp_path: Path) -> None:
    source = _file(tmp_path, "training:\n  iterations: 5\n  epochs: 2\n")
    with pytest.raises(ConfigurationError, match=r"train.yaml:3: training.epochs: .*exactly one"):
        load_train_config(source)
    with pytest.raises(ConfigurationError, match=r"command line: training.epochs: .*exactly one"):
        load_train_config("demo", ["training.iterations=5", "training.epochs=2"])


def test_a_schedule_takes_its_own_keys_only() -> None:
    config = load_train_config(None, ["optimizer.schedule={kind: step, every: 10, factor: 0.5}"])
    assert config.optimizer.schedule == StepSchedule(kind="step", every=10, factor=0.5)
    with pytest.raises(ConfigurationError, match=r"schedule.every: expected one of kind, warmup"):
        load_train_config(None, ["optimizer.schedule={kind: cosine, every: 10}"])


def test_all_problems_come_at_once_in_their_order(tmp_path: Path) -> None:
    text = """\
data: {dataset: cifar}
sed: 3
training:
  batch_size: -1
  batch_size: 0
optimizer:
  learning_rat: 1
  nesterov: yes
"""
    with pytest.raises(ConfigurationError) as caught:
        load_train_config(_file(tmp_path, text), ["optimizer.momentum=1", "learning_rate=1"])
    lines = caught.value.message.replace(f"{tmp_path}/", "").splitlines()
    assert [line.split(": expected")[0] for line in lines] == [
        "train.yaml:1: data.dataset",
        "train.yaml:2: sed",
        "train.yaml:5: training.batch_size",
        "train.yaml:7: optimizer.learning_rat",
        "train.yaml:8: optimizer.nesterov",
        "command line: optimizer.momentum",
        "command line: learning_rate",
    ]
    assert "did you mean cifar10?" in lines[0]
    assert "did you mean seed?" in lines[1]


def test_what_is_neither_preset_nor_file_is_told_the_presets(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean cs231n\?") as caught:
        load_train_config("cs231")
    assert caught.value.hint
    assert "cs231n, demo" in caught.value.hint.replace("cs231n-sweep, ", "")
    with pytest.raises(ConfigurationError, match="expected the name of a preset or a YAML file"):
        load_train_config(str(tmp_path / "absent.yaml"))


def test_with_values_changes_a_copy() -> None:
    base = load_train_config("demo")
    changed = with_values(base, {"optimizer.learning_rate": 1, "training.epochs": 2.5})
    assert changed.optimizer.learning_rate == 1.0
    assert (changed.training.iterations, changed.training.epochs) == (None, 2.5)
    assert base == load_train_config("demo")
    assert with_values(base, {}) == base


def test_with_values_refuses_like_a_file() -> None:
    base = load_train_config("demo")
    with pytest.raises(ConfigurationError) as caught:
        with_values(base, {"optimizer.learning_rat": 1, "seed": -1}, source="sweep.yaml")
    first, second = caught.value.message.splitlines()
    assert first.startswith("sweep.yaml: optimizer.learning_rat: expected one of method, ")
    assert first.endswith("got an unknown key; did you mean optimizer.learning_rate?")
    assert second == "sweep.yaml: seed: expected a number of at least 0, got -1"


def test_thousands_of_unknown_keys_are_refused_at_once(tmp_path: Path) -> None:
    source = _file(tmp_path, "".join(f"key{i}: 1\n" for i in range(15_000)))
    start = time.process_time()
    with pytest.raises(ConfigurationError, match=r"train.yaml:1: key0: expected one of data"):
        load_train_config(source)
    assert time.process_time() - start < 1
