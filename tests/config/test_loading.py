"""The way from a preset or file and overrides to settings."""

from pathlib import Path

import pytest

from softmax_cli.config.loading import load_train_config, with_values
from softmax_cli.config.schema import Annealing, CosineSchedule, StepSchedule
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


@pytest.mark.parametrize(
    ("given", "override", "left"),
    [
        ("iterations: 5", "training.epochs=2", (None, 2.0)),
        ("epochs: 5", "training.iterations=2", (2, None)),
        ("epochs: 5", "training.iterations=null", (None, 5.0)),
        ("batch_size: 5", "training.epochs=2", (None, 2.0)),
        ("batch_size: 5", "seed=1", (3000, None)),
    ],
)
def test_iterations_and_epochs_replace_each_other(
    tmp_path: Path, given: str, override: str, left: tuple[int | None, float | None]
) -> None:
    config = load_train_config(_file(tmp_path, f"training: {{{given}}}"), [override])
    assert (config.training.iterations, config.training.epochs) == left


def test_iterations_and_epochs_together_are_refused(tmp_path: Path) -> None:
    source = _file(tmp_path, "training:\n  iterations: 5\n  epochs: 2\n")
    with pytest.raises(ConfigurationError, match=r"train.yaml:3: training.epochs: .*exactly one"):
        load_train_config(source)
    with pytest.raises(ConfigurationError, match=r"command line: training.epochs: .*exactly one"):
        load_train_config("demo", ["training.iterations=5", "training.epochs=2"])


def test_a_mapping_can_be_set_whole_and_by_key(tmp_path: Path) -> None:
    whole = load_train_config(None, ["model.temperature={start: 4, end: 1, decay: cosine}"])
    assert whole.model.temperature == Annealing(start=4.0, end=1.0, decay="cosine")
    source = _file(tmp_path, "model: {temperature: {start: 4, end: 1}}")
    by_key = load_train_config(source, ["model.temperature.start=2"])
    assert by_key.model.temperature == Annealing(start=2.0, end=1.0)


def test_a_key_cannot_be_set_inside_a_number(tmp_path: Path) -> None:
    source = _file(tmp_path, "model: {temperature: 2.0}")
    with pytest.raises(ConfigurationError, match="expected a mapping at model.temperature"):
        load_train_config(source, ["model.temperature.start=2"])


def test_keys_can_be_added_to_the_shorthand_of_a_schedule(tmp_path: Path) -> None:
    source = _file(tmp_path, "optimizer: {schedule: cosine}")
    config = load_train_config(source, ["optimizer.schedule.warmup=9"])
    assert config.optimizer.schedule == CosineSchedule(kind="cosine", warmup=9)


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


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("momentum", "expected KEY=VALUE"),
        ("=3", "expected KEY=VALUE"),
        ("a b=3", "expected KEY=VALUE"),
        ("data..dir=x", "expected KEY=VALUE"),
        ("data.dir=", "expected a YAML value"),
        ("data.dir=[1", "expected a YAML value"),
        ("data.dir=\udcff", "expected a YAML value"),
        ("seed=&a 3", "expected no anchors"),
        ("model.temperature.start=2", "model.temperature.end: expected a value, got none"),
        ("optimizer.learning_rat=1", "did you mean optimizer.learning_rate?"),
        ("learning_rate=1", "did you mean optimizer.learning_rate?"),
        ("seed=true", "seed: expected a whole number, got true"),
        ("seed=[1, 2]", "seed: expected a whole number, got [1, 2]"),
    ],
)
def test_a_bad_override_is_explained(override: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_train_config(None, [override])
    assert caught.value.message.startswith("command line: ")
    assert complaint in caught.value.message


def test_an_override_cannot_be_given_twice() -> None:
    with pytest.raises(ConfigurationError, match="seed: expected a key once"):
        load_train_config(None, ["seed=1", "seed=2"])


def test_what_is_neither_preset_nor_file_is_told_the_presets(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean cs231n\?") as caught:
        load_train_config("cs231")
    assert caught.value.hint
    assert "cs231n, demo" in caught.value.hint
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
    assert first.startswith("sweep.yaml: optimizer.learning_rat: expected one of learning_rate, ")
    assert first.endswith("got an unknown key; did you mean optimizer.learning_rate?")
    assert second == "sweep.yaml: seed: expected a number of at least 0, got -1"
