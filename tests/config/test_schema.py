"""The settings of a training: dotted names, what suits a method, what is written."""

import re
from typing import Any

import pytest

from softmax_cli.config.loading import load_train_config, train_config_from_values, with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.validation import known_keys
from softmax_cli.config.writing import config_digest, plain_values
from softmax_cli.errors import ConfigurationError
from tests.config.single_values import refusal
from tests.config.test_data_schema import ARRAYS


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("seed", -1, "expected a number of at least 0"),
        ("seed", 2**63, "expected a number of at most"),
        ("momentum", 0.9, "got an unknown key; did you mean optimizer.momentum?"),
    ],
)
def test_wrong_values_are_refused(key: str, value: Any, complaint: str) -> None:
    assert complaint in refusal(key, value)


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
