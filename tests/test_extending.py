"""The examples of docs/extending.md work as the document says."""

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import typer
from pydantic import create_model
from typer.testing import CliRunner

from softmax_cli.config.loading import with_values
from softmax_cli.config.preprocessing_schema import AugmentationSettings
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.settings import Settings
from softmax_cli.data.datasets import DATASETS
from softmax_cli.evaluation.predictor import load_saved_model
from softmax_cli.features.feature_maps import FEATURE_MAPS
from softmax_cli.model.losses import LOSSES
from softmax_cli.runs import pictures
from softmax_cli.runs.directory import create_run_directory
from softmax_cli.runs.model_file import SavedModel
from softmax_cli.training.single_run import train_in_directory
from softmax_cli.training.training_data import load_training_data

DOCUMENT = Path(__file__).parent.parent / "docs" / "extending.md"
SMALL = {
    "data.dataset": "synthetic",
    "data.train_size": 500,
    "data.validation_size": 100,
    "preprocessing.scale": "pixel",
    "optimizer.learning_rate": 0.01,
    "optimizer.regularization": 0.1,
    "training.batch_size": 50,
    "training.iterations": 100,
}


def shown(path: str) -> str:
    """The code that the document shows under a path."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(rf"`{re.escape(path)}`:\n\n```python\n(.*?)```", text, re.DOTALL)
    assert found, path
    return found[1]


def example(path: str) -> types.ModuleType:
    """The module that the document shows under a path, as if it stood there."""
    name = path.removesuffix(".py").replace("/", ".")
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(shown(path), path, "exec"), module.__dict__)
    return module


@pytest.fixture(autouse=True)
def forget_examples() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("softmax_cli."):
            del sys.modules[name]


class Unwatched:
    """Observer that does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: False


def settings(**names: object) -> TrainConfig:
    """Small settings with values that the schema would know: ``model__loss="squared_hinge"``."""
    config = with_values(TrainConfig(), SMALL)  # type: ignore[arg-type]
    for key, value in names.items():
        section, _, name = key.partition("__")
        part = getattr(config, section).model_copy(update={name: value})
        config = config.model_copy(update={section: part})
    return config


def trained(config: TrainConfig, directory: Path) -> SavedModel:
    with create_run_directory(directory, kind="train", settings="seed: 0\n") as run:
        data = load_training_data(config)
        train_in_directory(run, config, data, Unwatched(), resume=False)
    return load_saved_model(directory)


def test_a_loss(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loss = example("softmax_cli/model/squared_hinge_loss.py").SQUARED_HINGE
    monkeypatch.setitem(LOSSES, loss.name, loss)
    # Its curvature grows with the square of the features: the step has to be shorter.
    config = settings(model__loss="squared_hinge", optimizer__learning_rate=1e-5)
    model = trained(config, tmp_path / "run")
    assert model.results["validation_accuracy"] > 0.4
    assert model.results["train_loss"] < 9  # that of weights of zero

    from tests.model import test_loss

    for seed in range(3):
        test_loss.test_gradient_by_scores_is_the_numerical_one(loss.name, seed)
        test_loss.test_gradients_by_the_scores_of_an_example_add_up_to_zero(loss.name, seed)
    test_loss.test_the_kernel_and_the_mean_loss_are_one_loss(loss.name, 1.0)


@pytest.mark.parametrize("flip", [False, True, "exact"])
def test_a_feature_map(flip: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    feature_map = example("softmax_cli/features/quadrants.py").Quadrants
    monkeypatch.setitem(FEATURE_MAPS, feature_map.kind, feature_map)
    # The schema would know the kind.
    kind: Any = (Literal["quadrants"], "quadrants")
    features = create_model("QuadrantFeatures", __base__=Settings, kind=kind)
    knowing = create_model("Knowing", __base__=TrainConfig, features=(features, features()))
    flipped = AugmentationSettings.model_validate({"horizontal_flip": flip})
    config = knowing(**{**dict(settings()), "features": features(), "augmentation": flipped})
    monkeypatch.setattr("softmax_cli.evaluation.predictor.settings_of", lambda _: config)
    model = trained(config, tmp_path / "run")
    assert model.weights.shape == (12, 10)
    assert model.results["validation_accuracy"] > 0.15

    from tests.features import test_feature_maps

    test_feature_maps.check_promises(feature_map, {})


def test_weights_of_a_feature_map_are_shown_in_pixels() -> None:
    quadrants = example("softmax_cli/features/quadrants.py").Quadrants()
    rng = np.random.default_rng(0)
    images, weights = rng.integers(256, size=(9, 3072), dtype=np.uint8), rng.normal(size=(12, 4))
    np.testing.assert_allclose(
        images @ quadrants.to_pixels(weights), quadrants.transform(images) @ weights, rtol=1e-4
    )


def test_a_data_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stripes = example("softmax_cli/data/stripes.py").STRIPES
    monkeypatch.setitem(DATASETS, stripes.name, stripes)
    config = settings(data__dataset="stripes")
    data = config.data.model_copy(update={"train_size": 300})
    model = trained(config.model_copy(update={"data": data}), tmp_path / "run")
    assert model.class_names == ("lying", "standing")
    assert model.results["validation_accuracy"] > 0.95


def test_a_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from softmax_cli.cli.run_pictures import Album

    figure = example("softmax_cli/plots/biases.py").biases_figure(np.arange(3.0), ["a", "b", "c"])
    with pytest.raises(ValueError, match=r"biases\.png"):
        Album(tmp_path).add("biases", figure)
    monkeypatch.setattr(pictures, "PICTURE_FILES", pictures.PICTURE_FILES | {"biases.png"})
    path = Album(tmp_path).add("biases", figure)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_subcommand(tmp_path: Path) -> None:
    trained(settings(), tmp_path / "run")
    app = typer.Typer()
    app.command()(example("softmax_cli/cli/classes.py").classes)
    printed = CliRunner().invoke(app, [str(tmp_path / "run")])
    assert printed.exit_code == 0
    assert printed.stdout.splitlines()[:2] == ["airplane", "automobile"]
