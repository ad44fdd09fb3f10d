"""Settings written as YAML and as digests."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.config.loading import load_train_config, with_values
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.validation import validated
from softmax_cli.config.writing import config_digest, plain_values, to_yaml
from softmax_cli.config.yaml_reader import read_yaml

NUMBERS = st.floats(0, 1e30, allow_subnormal=True)
FRACTIONS = st.floats(0, 1)
POSITIVE_FRACTIONS = st.floats(0, 1, exclude_min=True)
TEMPERATURES = st.floats(1e-6, 1e6)
COUNTS = st.integers(1, 100_000_000)
PLAIN_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30
)
WORDS = st.sampled_from(
    ["yes", "No", "null", "~", "1e3", "010", "0x1F", "12:30", "2001-01-01", "a: b", "- a", "#a",
     "a #b", "!a", "*a", "&a", "%a", "@a", "{a", "a,b", "'a", '"a', "a\\b", " a", "a ", "<<", "=",
     "/data/my images", "C:\\data", "é", "\u2028", "\ufeff", "1.5", ".inf", "y", "...", "---"]
)  # fmt: skip


def _schedules() -> st.SearchStrategy[Any]:
    def of(kind: str, **keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        warmup = st.integers(0, 1000)
        return st.fixed_dictionaries({"kind": st.just(kind)}, optional={"warmup": warmup, **keys})

    return st.one_of(
        st.sampled_from(["constant", "cosine", "linear", "step", "exponential"]),
        of("constant"),
        of("cosine", final=FRACTIONS),
        of("linear", final=FRACTIONS),
        of("step", every=COUNTS, factor=POSITIVE_FRACTIONS),
        of("exponential", final=POSITIVE_FRACTIONS),
    )


def _train_values() -> st.SearchStrategy[dict[str, Any]]:
    annealing = st.fixed_dictionaries(
        {"start": TEMPERATURES, "end": TEMPERATURES},
        optional={"decay": st.sampled_from(["linear", "cosine", "exponential"])},
    )
    optional: dict[str, st.SearchStrategy[Any]] = {
        "data.dataset": st.sampled_from(["cifar10", "synthetic"]),
        "data.dir": PLAIN_TEXT | WORDS,
        "data.train_size": st.none() | st.integers(1, 40_000),
        "data.validation_size": st.integers(1, 10_000),
        "features": st.sampled_from(["pixels", "hog"])
        | st.fixed_dictionaries(
            {"kind": st.just("hog")},
            optional={
                "cell_size": st.sampled_from([2, 4, 8, 16, 32]),
                "signed": st.booleans(),
                "storage": st.sampled_from(["bytes", "float32"]),
            },
        ),
        "preprocessing.scale": st.sampled_from(["none", "unit", "feature", "pixel"]),
        "augmentation.horizontal_flip": st.booleans(),
        "model.temperature": TEMPERATURES | annealing | st.just(1),
        "model.weight_scale": NUMBERS,
        "optimizer.learning_rate": NUMBERS | st.just(-0.0),
        "optimizer.schedule": _schedules(),
        "optimizer.momentum": st.floats(0, 1, exclude_max=True),
        "optimizer.regularization": NUMBERS,
        "training.early_stopping": st.none()
        | st.fixed_dictionaries({"patience": COUNTS}, optional={"min_delta": NUMBERS}),
        "seed": st.integers(0, 2**63 - 1),
    }
    length = st.sampled_from([{}, {"training.epochs": 2.5}, {"training.iterations": 12}])
    return st.builds(dict.__or__, st.fixed_dictionaries({}, optional=optional), length)


@given(_train_values())
def test_written_settings_read_back_equal(values: dict[str, Any]) -> None:
    config = with_values(TrainConfig(), values)
    text = to_yaml(config)
    back = validated(TrainConfig, read_yaml(text, "config.yaml"))
    assert back == config
    assert config_digest(back) == config_digest(config)
    assert yaml.safe_load(text) == plain_values(config)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_numbers_to_any_yaml_reader(number: float) -> None:
    text = to_yaml(with_values(TrainConfig(), {"optimizer.learning_rate": min(abs(number), 1e30)}))
    written = yaml.safe_load(text)["optimizer"]["learning_rate"]
    assert isinstance(written, float)
    assert written == min(abs(number), 1e30)


@pytest.mark.parametrize("name", ["demo", "cs231n", "linear", "hinge", "annealed"])
def test_presets_survive_being_written(name: str) -> None:
    config = load_train_config(name)
    assert validated(TrainConfig, read_yaml(to_yaml(config), "config.yaml")) == config


def test_small_numbers_stay_readable() -> None:
    assert "learning_rate: 1.5e-07" in to_yaml(load_train_config("cs231n"))
    tiny = with_values(TrainConfig(), {"optimizer.learning_rate": 1e-7})
    assert "learning_rate: 1.0e-07" in to_yaml(tiny)


def test_the_digest_tells_settings_apart_and_nothing_else() -> None:
    base = load_train_config("cs231n")
    assert config_digest(base) == config_digest(load_train_config(None))
    assert config_digest(base) != config_digest(with_values(base, {"seed": 1}))
    as_integer = with_values(base, {"optimizer.regularization": 8000})
    assert config_digest(as_integer) == config_digest(base)
    zeros = [with_values(base, {"optimizer.learning_rate": zero}) for zero in (0.0, -0.0)]
    assert config_digest(zeros[0]) == config_digest(zeros[1])


def test_the_digest_does_not_change_between_versions() -> None:
    """Run directories and sweeps are recognised by it."""
    expected = "79881aa5"
    assert config_digest(load_train_config("cs231n")).startswith(expected)
