"""``KEY=VALUE`` on top of a file."""

from pathlib import Path

import pytest

from softmax_cli.config.data_schema import ArrayFiles
from softmax_cli.config.feature_schema import HogFeatures
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.model_schema import Annealing
from softmax_cli.config.optimizer_schema import CosineSchedule
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.errors import ConfigurationError


def _file(folder: Path, text: str) -> str:
    path = folder / "train.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_of_validation_arrays_replaces_the_size_that_a_file_gives(tmp_path: Path) -> None:
    path = _file(tmp_path, "data: {dataset: arrays, train: t.npz, validation_size: 5}")
    data = load_train_config(path, ["data.validation=v.npz"]).data
    assert data.validation == ArrayFiles(features="v.npz")
    pair = ["data.validation.features=x.npy", "data.validation.labels=y.npy"]
    assert load_train_config(path, pair).data.validation == ArrayFiles(
        features="x.npy", labels="y.npy"
    )
    with pytest.raises(ConfigurationError, match="no size beside"):
        load_train_config(path, ["data.validation=v.npz", "data.validation_size=5"])


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


def test_a_mapping_can_be_set_whole_and_by_key(tmp_path: Path) -> None:
    whole = load_train_config(None, ["model.temperature={start: 4, end: 1, decay: cosine}"])
    assert whole.model.temperature == Annealing(start=4.0, end=1.0, decay="cosine")
    source = _file(tmp_path, "model: {temperature: {start: 4, end: 1}}")
    by_key = load_train_config(source, ["model.temperature.start=2"])
    assert by_key.model.temperature == Annealing(start=2.0, end=1.0)


def test_a_key_cannot_be_set_inside_a_number(tmp_path: Path) -> None:
    source = _file(tmp_path, "model: {temperature: 2.0}")
    with pytest.raises(ConfigurationError, match=r"expected a mapping at model.temperature"):
        load_train_config(source, ["model.temperature.start=2"])


def test_keys_can_be_added_to_the_shorthand_of_features(tmp_path: Path) -> None:
    source = _file(tmp_path, "features: hog")
    changed = load_train_config(source, ["features.cell_size=4", "preprocessing.scale=feature"])
    assert changed.features == HogFeatures(kind="hog", cell_size=4)
    sweep = _file(tmp_path, "train: {features: hog}\nparameters: {features.cell_size: [4, 8]}")
    assert load_sweep_config(sweep, ["features.signed=true"]).train.features == HogFeatures(
        kind="hog", signed=True
    )


def test_keys_can_be_added_to_the_shorthand_of_a_schedule(tmp_path: Path) -> None:
    source = _file(tmp_path, "optimizer: {schedule: cosine}")
    config = load_train_config(source, ["optimizer.schedule.warmup=9"])
    assert config.optimizer.schedule == CosineSchedule(kind="cosine", warmup=9)


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
        (".".join("a" * 40_000) + "=1", "expected at most 16 levels, got 40000"),
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
