import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import softmax_cli
from campaigns.processes.program import environment
from softmax_cli.config.schema import TRAINING_IMAGES, DataSettings
from softmax_cli.data.cifar10 import CIFAR10
from softmax_cli.data.dataset import DataFolder
from softmax_cli.data.datasets import (
    DATASETS,
    DEFAULT_DATASET,
    find_dataset,
    find_publication,
    load_split,
)
from softmax_cli.data.images import ARRAYS
from softmax_cli.data.synthetic import SYNTHETIC, make_synthetic
from softmax_cli.errors import ConfigurationError
from tests.test_extending import shown

PACKAGE = Path(softmax_cli.__file__).parent


def test_the_schema_has_the_same_names() -> None:
    field = DataSettings.model_fields["dataset"]
    assert set(get_args(field.annotation)) == DATASETS.keys() | {ARRAYS}
    assert field.default == DEFAULT_DATASET
    assert all(name == spec.name for name, spec in DATASETS.items())


def test_the_schema_knows_the_number_of_training_images() -> None:
    published = {name: spec.training_images for name, spec in DATASETS.items() if spec.publication}
    assert published == TRAINING_IMAGES


def test_synthetic_images_are_what_they_say() -> None:
    train = load_split(DataFolder("synthetic", Path("not looked at")), "train")
    assert len(train) == SYNTHETIC.training_images
    assert train.class_names == SYNTHETIC.class_names
    assert train.digest == make_synthetic("train").digest


@pytest.mark.cifar10
def test_real_images_are_what_they_say(cifar10_dir: Path) -> None:
    train = load_split(DataFolder("cifar10", cifar10_dir), "train")
    assert len(train) == CIFAR10.training_images
    assert train.class_names == CIFAR10.class_names


def test_name_of_no_data_set() -> None:
    with pytest.raises(ConfigurationError, match=r"\(cifar10, cifar100, .*\), got mnist"):
        find_dataset("mnist")


def test_data_set_that_is_not_published() -> None:
    assert find_publication("cifar10") is CIFAR10.publication
    with pytest.raises(ConfigurationError, match=r"to download \(cifar10, .*\), got synthetic"):
        find_publication("synthetic")


def named_in_code(module: Path) -> Iterator[str]:
    """Identifiers and texts of a module, but for docstrings and the help of options."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    spoken: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            spoken.add(node.value)
        elif isinstance(node, ast.keyword) and node.arg == "help":
            spoken.update(ast.walk(node.value))
        elif isinstance(node, ast.Constant) and node not in spoken and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.alias | ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name):
            yield node.id


def test_no_other_module_names_a_data_set() -> None:
    name = re.compile("|".join([*DATASETS, "cifar"]), re.IGNORECASE)
    room, schema = PACKAGE / "data", PACKAGE / "config" / "schema.py"
    others = [path for path in PACKAGE.rglob("*.py") if path != schema and room not in path.parents]
    found = {path.name: [*filter(name.search, named_in_code(path))] for path in others}
    assert {path: names for path, names in found.items() if names} == {}


def replace_once(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path}: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_data_set_takes_one_file_one_entry_and_its_name(tmp_path: Path) -> None:
    package = tmp_path / "softmax_cli"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    example = "softmax_cli/data/stripes.py"
    (tmp_path / example).write_text(shown(example), encoding="utf-8")
    registry, names = package / "data" / "datasets.py", '"cifar100-coarse", "synthetic"'
    replace_once(registry, "CIFAR100_COARSE, SYNTHETIC)", "CIFAR100_COARSE, SYNTHETIC, STRIPES)")
    replace_once(
        registry, "from typing", "from softmax_cli.data.stripes import STRIPES\nfrom typing"
    )
    replace_once(package / "config" / "schema.py", f"{names},", f'{names}, "stripes",')

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "softmax_cli", *arguments],
            cwd=tmp_path,
            env=environment() | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    settings = ("data.validation_size=50", "training.iterations=20", "training.batch_size=50")
    run("train", "data.dataset=stripes", *settings, "--run-dir", "run", "--quiet")
    document = json.loads(run("evaluate", "run", "--format", "json"))
    assert document["examples"] == 400
    assert [entry["name"] for entry in document["per_class"]] == ["lying", "standing"]
