import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
import yaml

import softmax_cli
from softmax_cli.config.presets import preset_directory, preset_names
from tests.cli.conftest import Run

COMMENT = "# yaml-language-server: $schema="


def test_lists_every_shipped_configuration(run: Run) -> None:
    result = run("presets")
    assert result.code == 0
    for name in preset_names():
        assert name in result.out
    listed = run("presets", "--format", "json").json()["presets"]
    assert [entry["name"] for entry in listed] == list(preset_names())
    assert all(entry["description"] for entry in listed)


def test_prints_one_as_the_file_it_is(run: Run) -> None:
    text = run("presets", "cs231n").out
    assert yaml.safe_load(text)["training"]["batch_size"] == 200
    assert run("presets", "cs231n", "--format", "json").json()["text"] == text


def test_an_unknown_name_is_refused_with_the_nearest(run: Run) -> None:
    result = run("presets", "cs231")
    assert result.code == 2
    assert "cs231n" in result.err


def schema_named_by(text: str) -> Path:
    """The file that an editor finds by the comment: it ends at the first blank, and is a URI."""
    uri, *rest = text.splitlines()[1].partition(COMMENT)[2].split()
    assert not rest
    assert urlsplit(uri).scheme == "file"
    return Path(url2pathname(urlsplit(uri).path))


@pytest.mark.parametrize("name", preset_names())
def test_a_printed_preset_names_its_schema_for_any_place(run: Run, name: str) -> None:
    text = run("presets", name).out
    schema = json.loads(schema_named_by(text).read_text(encoding="utf-8"))
    assert set(yaml.safe_load(text)) <= set(schema["properties"])
    original = (preset_directory() / f"{name}.yaml").read_text(encoding="utf-8")
    changed = [line for line in original.splitlines() if line not in text.splitlines()]
    assert changed == [original.splitlines()[1]]


def test_the_schema_is_found_where_a_wheel_puts_it(tmp_path: Path) -> None:
    place = tmp_path / "site packages für alle #1"
    package = Path(softmax_cli.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__", "configs")
    shutil.copytree(package, place / "softmax_cli", ignore=ignored)
    shutil.copytree(preset_directory(), place / "softmax_cli/configs")
    done = subprocess.run(
        [sys.executable, "-c", "from softmax_cli.cli.main import main; main()", "presets", "demo"],
        env={**os.environ, "PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert schema_named_by(done.stdout) == place / "softmax_cli/configs/schema/train.schema.json"
    assert schema_named_by(done.stdout).is_file()


@pytest.mark.parametrize("kind", ["train", "sweep"])
def test_a_schema_can_be_saved_beside_a_configuration(run: Run, kind: str) -> None:
    text = run("presets", "--schema", kind).out
    assert json.loads(text)["title"] == {"train": "TrainConfig", "sweep": "SweepConfig"}[kind]
    document = run("presets", "--schema", kind, "--format", "json").json()
    assert document["text"] == text == Path(document["path"]).read_text(encoding="utf-8")
    assert Path(url2pathname(urlsplit(document["uri"]).path)) == Path(document["path"])


def test_wrong_usage_of_schemas_exits_with_2(run: Run) -> None:
    assert run("presets", "demo", "--schema", "train").code == 2
    assert run("presets", "--schema", "trian").code == 2
