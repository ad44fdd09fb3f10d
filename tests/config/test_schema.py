"""Types, bounds and cross-checks of the settings."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from softmax_cli.config.loading import load_train_config, train_config_from_values, with_values
from softmax_cli.config.problems import Place, Value
from softmax_cli.config.schema import (
    Annealing,
    ArrayFiles,
    ConstantSchedule,
    HogFeatures,
    StepSchedule,
    TrainConfig,
)
from softmax_cli.config.validation import known_keys, validated
from softmax_cli.config.writing import config_digest, plain_values
from softmax_cli.config.yaml_reader import Document
from softmax_cli.errors import ConfigurationError


def _load(key: str, value: Any) -> TrainConfig:
    """The defaults with one value at a dotted key of one or two parts."""
    section, _, name = key.partition(".")
    document: dict[str, Value] = {section: {name: value} if name else value}
    return validated(TrainConfig, Document(document, {(): Place("x.yaml")}))


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        (
            "data.dataset",
            "cifar-10",
            "'cifar100-coarse', 'synthetic' or 'arrays', got \"cifar-10\"; did you",
        ),
        ("data.dir", "", "expected some text"),
        ("data.dir", 3, "expected text, got 3"),
        ("data.dir", None, "got null: a plain ~ means null in YAML, and ~/ is the home"),
        ("data.train_size", 0, "expected a number of at least 1, got 0"),
        ("data.validation_size", 0, "expected a number of at least 1"),
        ("data.validation_size", 50_000, "to fit into the 50000 there are, got 50000 + at least 1"),
        ("data", None, "expected a mapping of settings, got null"),
        ("data", [1], "expected a mapping of settings, got [1]"),
        ("preprocessing.center", "yes", 'expected true or false, got "yes"'),
        ("preprocessing.center", 1, "expected true or false, got 1"),
        ("preprocessing.scale", "features", "'feature' or 'pixel', got \"features\"; did you mean"),
        ("features", 3, "expected the name of features or {kind: ..., ...}, got 3"),
        ("features", "hogg", "expected one of 'pixels', 'hog'"),
        ("features", "hogg", 'got "hogg"; did you mean hog?'),
        ("features", {"cell_size": 4}, "features.kind: expected a value, got none"),
        ("features", {"kind": "pixels", "cell_size": 4}, "cell_size: expected one of kind, got an"),
        ("features", {"kind": "hog", "cell": 4}, "did you mean features.cell_size?"),
        ("features", {"kind": "hog", "cell_size": 5}, "cell_size: expected one of 2, 4, 8, 16 and"),
        ("features", {"kind": "hog", "cell_size": 4.0}, "expected a whole number, got 4.0"),
        ("features", {"kind": "hog", "cell_size": 64}, "expected a number of at most 32, got 64"),
        ("features", {"kind": "hog", "orientations": 1}, "expected a number of at least 2, got 1"),
        ("features", {"kind": "hog", "signed": 1}, "signed: expected true or false, got 1"),
        ("features", {"kind": "hog", "gradient": "grey"}, 'got "grey"; did you mean gray?'),
        ("features", {"kind": "hog", "cell_hue_bins": 7}, "expected a multiple of 2, got 7"),
        ("features", {"kind": "hog", "cell_hue_bins": 2}, "expected 0 or an even number from 4"),
        ("features", {"kind": "hog", "clip": 0.2}, "clip: expected 1.0 with normalization: none"),
        ("features", {"kind": "hog", "storage": "float16"}, "expected 'bytes' or 'float32', got"),
        ("features", {"kind": "patches", "filters": 7}, "expected a multiple of 2, got 7"),
        ("features", {"kind": "patches", "dictionary": "k-means"}, "did you mean kmeans?"),
        (
            "features",
            {"kind": "patches", "patch_size": 1},
            "expected a number of at least 2, got 1",
        ),
        (
            "features",
            {"kind": "patches", "patch_size": 5, "stride": 2},
            "features.stride: expected a divisor of 27, so that patches of 5 pixels end where",
        ),
        (
            "features",
            {"kind": "patches", "stride": 2, "regions": 15},
            "features.regions: expected at most 14, the patches along a side, got 15",
        ),
        (
            "features",
            {"kind": "patches", "rank": 108},
            "features.rank: expected fewer than 108, the numbers in a patch of 6 x 6 pixels, got",
        ),
        (
            "features",
            {"kind": "patches", "activation": "triangle", "threshold": 1.0},
            "features.threshold: expected 0.5 with activation: triangle, which has no threshold",
        ),
        ("augmentation.horizontal_flip", None, "expected true, false or exact, got null"),
        ("augmentation.horizontal_flip", 1, "expected true, false or exact, got 1"),
        ("model.temperature", 0, "expected a number of at least 1e-06, got 0"),
        ("model.temperature", True, "expected a number or {start: ..., end: ..., decay: ...}"),
        ("model.temperature", "hot", "expected a number or {start: ..., end: ..., decay: ...}"),
        ("model.temperature", {"start": 1}, "temperature.end: expected a value, got none"),
        ("model.temperature", {"start": 1, "end": 0}, "temperature.end: expected a number of"),
        ("model.weight_scale", -1, "expected a number of at least 0"),
        ("optimizer.learning_rate", "0.1", 'expected a number, got "0.1"'),
        ("optimizer.learning_rate", True, "expected a number, got true"),
        ("optimizer.learning_rate", float("nan"), "expected a finite number, got NaN"),
        ("optimizer.learning_rate", float("inf"), "expected a finite number, got Infinity"),
        ("optimizer.learning_rate", 1e31, "expected a number of at most 1e+30"),
        ("optimizer.learning_rate", 10**400, "expected a number, got a whole number of more than"),
        ("optimizer.momentum", 1, "expected a number below 1, got 1"),
        ("optimizer.nesterov", True, "nesterov: expected nesterov only with a momentum above 0"),
        ("optimizer.regularization", -1e-9, "expected a number of at least 0"),
        ("optimizer.schedule", "cosin", "expected one of 'constant', 'cosine'"),
        ("optimizer.schedule", "cosin", 'got "cosin"; did you mean cosine?'),
        ("optimizer.schedule", 3, "expected the name of a schedule"),
        ("optimizer.schedule", {"warmup": 1}, "schedule.kind: expected a value, got none"),
        (
            "optimizer.schedule",
            {"kind": "step", "every": 0},
            "schedule.every: expected a number of",
        ),
        (
            "optimizer.schedule",
            {"kind": "step", "step": 1},
            "schedule.step: expected one of kind, ",
        ),
        ("training.batch_size", -200, "expected a number of at least 1, got -200"),
        ("training.batch_size", 200.0, "expected a whole number, got 200.0"),
        ("training.iterations", 0, "expected a number of at least 1"),
        ("training.iterations", 10**9, "expected a number of at most 100000000"),
        ("training.epochs", 0, "expected a number above 0"),
        ("training.early_stopping", {}, "early_stopping.patience: expected a value, got none"),
        ("training.early_stopping", {"patience": 0}, "patience: expected a number of at least 1"),
        ("training.early_stopping", 3, "expected a mapping of settings, got 3"),
        ("training.iteration", 3, "got an unknown key; did you mean training.iterations?"),
        ("seed", -1, "expected a number of at least 0"),
        ("seed", 2**63, "expected a number of at most"),
        ("momentum", 0.9, "got an unknown key; did you mean optimizer.momentum?"),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _load(key, value)
    assert len(caught.value.message.splitlines()) == 1
    assert caught.value.message.startswith(f"x.yaml: {key}")
    assert complaint in caught.value.message


def test_the_hinge_loss_takes_no_temperature() -> None:
    values: Any = {"model": {"loss": "hinge", "temperature": 2.0}}
    with pytest.raises(ConfigurationError, match=r"model.temperature: expected 1.0 with the hinge"):
        validated(TrainConfig, Document(values, {(): Place("x.yaml")}))


def test_integers_may_stand_for_numbers() -> None:
    rate = _load("optimizer.learning_rate", 1).optimizer.learning_rate
    assert (rate, type(rate)) == (1.0, float)
    assert _load("model.temperature", 2).model.temperature == 2.0


def test_shorthands_and_mappings() -> None:
    assert _load("features", "hog").features == HogFeatures(kind="hog", cell_size=8)
    assert _load("features", {"kind": "pixels"}) == _load("features", "pixels") == TrainConfig()
    step = _load("optimizer.schedule", "step").optimizer.schedule
    assert step == StepSchedule(kind="step", warmup=0, every=1000, factor=0.1)
    hot = _load("model.temperature", {"start": 4, "end": 1}).model.temperature
    assert hot == Annealing(start=4.0, end=1.0, decay="linear")
    assert TrainConfig().optimizer.schedule == ConstantSchedule(kind="constant")


def test_settings_are_frozen_and_hashable() -> None:
    config = TrainConfig()
    with pytest.raises(ValidationError):
        config.seed = 1
    assert hash(config) == hash(TrainConfig())


def test_the_dotted_names_are_those_of_the_design() -> None:
    names = set(known_keys(TrainConfig))
    assert {
        "data.dataset", "data.dir", "data.train_size", "data.validation_size",
        "preprocessing.center", "preprocessing.scale", "augmentation.horizontal_flip",
        "model.loss", "model.temperature", "model.temperature.start", "model.weight_scale",
        "optimizer.learning_rate", "optimizer.schedule", "optimizer.schedule.warmup",
        "optimizer.momentum", "optimizer.nesterov", "optimizer.regularization",
        "training.batch_size", "training.iterations", "training.epochs", "training.sampling",
        "training.validate_every", "training.early_stopping.patience",
        "features.kind", "features.storage", "features.cell_size",
        "training.early_stopping.min_delta", "training.checkpoint_every", "seed",
        "optimizer.method", "optimizer.tolerance", "optimizer.max_iterations",
        "training.certificate",
    } <= names  # fmt: skip


ARRAYS = {"data.dataset": "arrays", "data.train": "train.npz"}


def test_files_of_arrays_have_a_shorthand() -> None:
    data = with_values(TrainConfig(), ARRAYS | {"data.test": {"features": "x", "labels": "y"}}).data
    assert data.train == ArrayFiles(features="train.npz")
    assert data.files == {"train": (Path("train.npz"),), "test": (Path("x"), Path("y"))}


def test_a_file_of_arrays_is_also_looked_for_in_the_folder_of_the_data(tmp_path: Path) -> None:
    values = ARRAYS | {"data.train": "gone/train.npz", "data.dir": str(tmp_path)}
    data = with_values(TrainConfig(), values).data
    assert data.files["train"] == (Path("gone/train.npz"),)
    (tmp_path / "train.npz").touch()
    assert data.files["train"] == (tmp_path / "train.npz",)


def test_the_home_of_whoever_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    data = with_values(TrainConfig(), ARRAYS | {"data.train": "~/x.npz"}).data
    assert data.files["train"] == (Path("/home/ada/x.npz"),)
    assert data.train == ArrayFiles(features="~/x.npz")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"data.dataset": "arrays"}, "data.train: expected the file of the training arrays"),
        ({"data.train": "x.npz"}, "data.train: expected this only with data.dataset arrays"),
        ({"data.class_names": ["a", "b"]}, "data.class_names: expected this only with"),
        (ARRAYS | {"data.test": 3}, r"data.test: expected a file or \{features: .*, got 3"),
        (ARRAYS | {"data.test": {"labels": "y"}}, "data.test.features: expected a value, got none"),
        (ARRAYS | {"data.class_names": ["a"]}, "expected two names or more, got"),
        (ARRAYS | {"data.class_names": ["a", "b", "a"]}, 'names that differ, got "a" twice'),
        (ARRAYS | {"data.class_names": "a"}, 'data.class_names: expected a list, got "a"'),
        (ARRAYS | {"data.class_names": ["a", 1]}, r"data.class_names\[1\]: expected text, got 1"),
        (
            ARRAYS | {"augmentation.horizontal_flip": "exact"},
            'horizontal_flip: expected false with data.dataset arrays, .* got "exact"',
        ),
        ({"data.dataset": "cifar100", "data.validation_size": 50_000}, "to fit into the 50000"),
    ],
)
def test_settings_of_arrays_that_do_not_fit(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        with_values(TrainConfig(), values)


def test_what_is_not_used_is_not_written() -> None:
    plain = plain_values(TrainConfig())
    assert plain["data"] == {
        "dataset": "cifar10",
        "dir": "data",
        "train_size": None,
        "validation_size": 1000,
    }
    assert plain["preprocessing"] == {"center": True, "scale": "none"}
    arrays = with_values(TrainConfig(), ARRAYS | {"data.validation": "v.npz"})
    assert plain_values(arrays)["data"] == {
        "dataset": "arrays",
        "dir": "data",
        "train_size": None,
        "train": {"features": "train.npz"},
        "validation": {"features": "v.npz"},
    }
    named = with_values(arrays, {"data.class_names": ["a", "b"], "preprocessing.normalize": "l2"})
    assert train_config_from_values(plain_values(named)) == named
    assert hash(named) == hash(train_config_from_values(plain_values(named)))


def optimum(**values: object) -> TrainConfig:
    return with_values(load_train_config("optimum"), values)  # type: ignore[arg-type]


def test_settings_of_sgd_are_written_and_digested_as_before_there_were_methods() -> None:
    values = plain_values(TrainConfig())
    assert list(values["optimizer"]) == [  # type: ignore[arg-type]
        "learning_rate", "schedule", "momentum", "nesterov", "regularization",
    ]  # fmt: skip
    assert "certificate" not in values["training"]  # type: ignore[operator]
    before = "79881aa51dcc24fdfd93d035e84ba0549d958a34dd7d0511897388f9cc3b08ac"
    assert config_digest(TrainConfig()) == before


def test_settings_of_lbfgs_are_written_without_what_means_nothing_and_read_back() -> None:
    values = plain_values(optimum())
    assert values["optimizer"] == {
        "method": "lbfgs",
        "regularization": 0.02,
        "tolerance": 1e-5,
        "max_iterations": 200,
    }
    assert values["training"] == {"checkpoint_every": 10}
    assert values["model"] == {"loss": "softmax", "temperature": 1.0}
    assert TrainConfig.model_validate(values) == optimum()


def test_lbfgs_alone_is_enough() -> None:
    config = TrainConfig.model_validate({"optimizer": {"method": "lbfgs"}})
    assert (config.optimizer.tolerance, config.optimizer.max_iterations) == (1e-5, 200)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optimizer.learning_rate", 1.5e-7),
        ("optimizer.schedule", "constant"),
        ("optimizer.momentum", 0),
        ("optimizer.nesterov", False),
        ("model.weight_scale", 1e-3),
        ("model.weight_seed", None),
        ("training.batch_size", 200),
        ("training.iterations", 3000),
        ("training.epochs", 2),
        ("training.sampling", "epoch"),
        ("training.validate_every", 100),
        ("training.early_stopping", None),
    ],
)
def test_keys_of_sgd_are_refused_with_lbfgs_even_with_their_defaults(
    key: str, value: object
) -> None:
    wanted = f"{key}: expected no key that means nothing to the method lbfgs, got {key}"
    with pytest.raises(ConfigurationError, match=re.escape(wanted)):
        optimum(**{key: value})


@pytest.mark.parametrize("key", ["optimizer.tolerance", "optimizer.max_iterations"])
def test_keys_of_lbfgs_are_refused_with_sgd(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"nothing to the method sgd, got {key}"):
        with_values(TrainConfig(), {key: 1})


def test_all_keys_that_mean_nothing_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"got optimizer\.momentum, training\.epochs$"):
        optimum(**{"training.epochs": 2, "optimizer.momentum": 0.9})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model.loss": "hinge"}, "model.loss: expected a smooth loss with the method lbfgs"),
        (
            {"model.temperature": {"start": 2, "end": 1}},
            "model.temperature: expected one temperature with the method lbfgs",
        ),
        ({"optimizer.tolerance": 0}, "optimizer.tolerance: expected a number above 0"),
        ({"optimizer.max_iterations": 0}, "max_iterations: expected a number of at least 1"),
        ({"optimizer.method": "lbfg"}, 'got "lbfg"; did you mean lbfgs?'),
    ],
)
def test_what_lbfgs_cannot_do_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        optimum(**values)
