"""A ``~`` at the start of a path is the home, wherever the path comes from."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from PIL import Image
from typer.models import ParameterInfo

from softmax_cli.cli import app, options
from tests.cli.conftest import QUICK, TINY, Run
from tests.data.conftest import SmallDataSet

SWEEP = "base: ~/base.yaml\nparameters: {optimizer.learning_rate: [1e-3, 1e-2]}\n"


@pytest.fixture
def home(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of this test; in the end there must be no folder named ``~``."""
    home = tmp_path / "home of mine"
    home.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    yield home
    assert not list(tmp_path.rglob("~*"))


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (("--data-dir=~/data",), None),
        (("data.dir=~/data",), None),
        (("--config=~/mine.yaml",), None),
        ((), "~/data"),
    ],
)
def test_training_finds_its_data_there(
    run: Run,
    home: Path,
    small_cifar10: SmallDataSet,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    variable: str | None,
) -> None:
    (home / "mine.yaml").write_text("data: {dir: ~/data}\n")
    if variable:
        monkeypatch.setenv("SOFTMAX_DATA_DIR", variable)
    command = ("train", *arguments, *TINY, "--run-dir=~/here")
    missing = run(*command)
    assert missing.code == 3
    assert str(home / "data") in missing.err
    assert not (home / "here").exists()
    small_cifar10.write(home / "data")
    assert run(*command).code == 0
    assert (home / "here").is_dir()


def test_a_sweep_and_its_base_are_found_there(
    run: Run, home: Path, small_cifar10: SmallDataSet
) -> None:
    small_cifar10.write(home / "data")
    (home / "rates.yaml").write_text(SWEEP)
    (home / "base.yaml").write_text("data: {dir: ~/data, validation_size: 10}\n")
    lengths = TINY[1:]
    assert run("sweep", "--config=~/rates.yaml", *lengths, "--run-dir=~/grid").code == 0
    assert run("sweep", "--resume=~/grid", "--config=~/rates.yaml", *lengths).code == 0
    based = run("sweep", "-c", "demo-sweep", "base=~/base.yaml", "--dry-run", "--format", "json")
    assert based.code == 0
    assert run("evaluate", "~/grid/best").code == 0
    lost = run("sweep", "-c", "demo-sweep", "base=~/lost.yaml", "--dry-run")
    assert lost.code == 2
    assert 'base: expected the name of a preset or a YAML file, got "~/lost.yaml"' in lost.err


def test_what_was_written_is_kept_and_means_the_home_of_who_goes_on(
    run: Run,
    home: Path,
    tmp_path: Path,
    small_cifar10: SmallDataSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_cifar10.write(home / "data")
    assert run("train", "data.dir=~/data", *TINY, "--run-dir=here").code == 0
    assert "dir: ~/data" in (tmp_path / "here/config.yaml").read_text()
    for name in ("summary.json", "model.safetensors"):
        (tmp_path / "here" / name).unlink()

    other = tmp_path / "another home"
    monkeypatch.setenv("HOME", str(other))
    monkeypatch.setenv("USERPROFILE", str(other))
    lost = run("train", "--resume", "here")
    assert lost.code == 3
    assert str(other / "data") in lost.err
    (home / "data").rename(tmp_path / "data")
    other.mkdir()
    (tmp_path / "data").rename(other / "data")
    assert run("train", "--resume", "here").code == 0
    assert run("evaluate", "here").code == 0


def test_data_is_imported_and_verified_there(
    run: Run, home: Path, small_cifar10: SmallDataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_cifar10.write(home / "mine")
    assert run("download", "--from=~/mine", "--data-dir=~/data").code == 0
    assert (home / "data/cifar-10-batches-py/test_batch").is_file()
    assert run("download", "--verify", "--data-dir=~/data").code == 0
    monkeypatch.setenv("SOFTMAX_DATA_DIR", "~/others")
    assert run("download", "--from=~/mine").code == 0
    assert (home / "others").is_dir()


def test_runs_images_and_pictures_are_there(run: Run, home: Path) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "~/here").code == 0
    Image.new("RGB", (40, 30)).save(home / "one.png")
    predicted = run("predict", "~/here", "~/one.png", "--format", "json")
    assert predicted.code == 0
    assert predicted.json()["predictions"][0]["image"] == str(home / "one.png")
    assert run("visualize", "~/here", "--output=~/pictures").code == 0
    assert (home / "pictures/weights.png").is_file()
    assert run("evaluate", "~/here/model.safetensors").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "-c", "demo", "--run-dir=~no-such-user/x"),
        ("train", "-c", "demo", "--data-dir=~no-such-user/x"),
        ("train", "-c", "~no-such-user/x.yaml"),
        ("download", "--data-dir=~no-such-user/x"),
        ("evaluate", "~no-such-user/x"),
        ("predict", "run", "~no-such-user/x.png"),
        ("sweep", "-c", "demo-sweep", "base=~no-such-user/x.yaml"),
    ],
)
@pytest.mark.usefixtures("home")
def test_an_unknown_user_is_told(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    before = set(tmp_path.iterdir())
    result = run(*arguments)
    assert result.code == 2
    assert "the home folder of ~no-such-user is not known" in result.err
    assert set(tmp_path.iterdir()) == before


@pytest.mark.usefixtures("home")
def test_data_of_a_user_who_is_unknown_here_is_missing_data(run: Run) -> None:
    result = run("train", "data.dir=~no-such-user/x", "--run-dir", "here")
    assert result.code == 3
    assert "data.dir: expected a path, got ~no-such-user/x: the home folder" in result.err


@pytest.mark.usefixtures("home")
def test_a_plain_tilde_in_yaml_is_explained(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("data:\n  dir: ~\n")
    for arguments, place in (
        (("-c", "mine.yaml"), "mine.yaml:2"),
        (("data.dir=~",), "command line"),
    ):
        result = run("train", *arguments)
        assert result.code == 2
        assert f"{place}: data.dir: expected text, got null: a plain ~ means null" in result.err


def test_a_folder_of_that_name_can_still_be_named(run: Run, tmp_path: Path) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "./~/here").code == 0
    assert (tmp_path / "~/here/model.safetensors").is_file()
    assert run("evaluate", "./~/here").code == 0


def test_every_option_and_argument_that_is_a_path_is_parsed_in_one_place() -> None:
    found = set()
    for command in map(app.command_function, app.COMMANDS):
        hints = get_type_hints(command, include_extras=True)
        for name in inspect.signature(command).parameters:
            kind, *notes = get_args(hints[name]) or (hints[name],)
            info = next(note for note in notes if isinstance(note, ParameterInfo))
            if Path in (kind, *get_args(kind)):
                found.add(name)
                assert info.parser is options.parse_path, f"{command.__name__}: {name}"
    assert found == {
        "data_dir", "directory", "resume", "run", "run_dir", "runs", "source", "target",
    }  # fmt: skip
