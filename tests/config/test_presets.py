"""The shipped configurations."""

import subprocess
import sys

import pytest

from softmax_cli.config.feature_schema import HogFeatures
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.presets import (
    preset_description,
    preset_kind,
    preset_names,
    preset_path,
    preset_text,
)
from softmax_cli.errors import ConfigurationError

TRAININGS = (
    "annealed",
    "cifar100",
    "cs231n",
    "demo",
    "hinge",
    "hog",
    "hog-fine",
    "linear",
    "optimum",
    "optimum-hog-fine",
    "optimum-patches",
    "patches",
    "patches-large",
)


def test_all_presets_are_listed_in_order() -> None:
    assert list(preset_names()) == sorted(preset_names())
    assert set(TRAININGS) <= set(preset_names())


@pytest.mark.parametrize("name", TRAININGS)
def test_a_preset_loads_under_its_name_and_its_path(name: str) -> None:
    assert load_train_config(name) == load_train_config(str(preset_path(name)))


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_describes_itself_and_names_its_schema(name: str) -> None:
    assert 20 < len(preset_description(name)) <= 100
    first, second, *_ = preset_text(name).splitlines()
    assert first == f"# {preset_description(name)}"
    schema = second.partition("# yaml-language-server: $schema=")[2]
    assert (preset_path(name).parent / schema).is_file()


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_for_the_command_that_takes_it(name: str) -> None:
    assert preset_kind(name) == ("train" if name in TRAININGS else "sweep")


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"got 'dmeo'; did you mean demo\?"):
        preset_text("dmeo")


def test_names_cannot_lead_out_of_the_folder() -> None:
    with pytest.raises(ConfigurationError, match="expected the name of a preset"):
        preset_text("../pyproject")


def test_the_design_of_the_presets_holds() -> None:
    demo, cs231n = load_train_config("demo"), load_train_config("cs231n")
    assert demo.data.dataset == "synthetic"
    assert (cs231n.optimizer.learning_rate, cs231n.optimizer.regularization) == (1.5e-7, 8e3)
    assert load_train_config("hinge").model.loss == "hinge"
    assert not isinstance(load_train_config("annealed").model.temperature, float)
    assert load_train_config("hog").features == HogFeatures(kind="hog")


def test_listing_presets_imports_nothing_heavy() -> None:
    program = (
        "import sys; from softmax_cli.config import presets;"
        "[presets.preset_description(name) for name in presets.preset_names()];"
        "print(sorted({'pydantic', 'numpy', 'yaml'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert output.stdout.strip() == b"[]"
