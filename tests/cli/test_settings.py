from pathlib import Path

import pytest
import typer

from softmax_cli.cli.settings import refuse_with_resume, train_settings, with_options
from softmax_cli.config.schema import TrainConfig
from softmax_cli.errors import ConfigurationError


def test_what_means_nothing_to_a_resumed_run_is_named_at_once() -> None:
    refuse_with_resume("it goes on", config=None, overrides=[], seed=None, dry_run=False)
    with pytest.raises(
        typer.BadParameter, match=r"it goes on: leave out KEY=VALUE, --seed, --dry-run$"
    ):
        refuse_with_resume(
            "it goes on", config=None, overrides=["seed=1"], seed=0, dry_run=True, run_dir=None
        )


def test_without_a_source_the_defaults_apply() -> None:
    assert train_settings(None, [], data_dir=None, seed=None) == TrainConfig()


def test_options_replace_what_the_configuration_says(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("seed: 1\ndata: {dir: from_file}\n", encoding="utf-8")
    settings = train_settings(str(file), [], data_dir=Path("from_option"), seed=7)
    assert (settings.data.dir, settings.seed) == ("from_option", 7)
    kept = train_settings(str(file), [], data_dir=None, seed=None)
    assert (kept.data.dir, kept.seed) == ("from_file", 1)


def test_overrides_win_over_options_key_by_key() -> None:
    overrides = ["data.dir=from_override"]
    settings = train_settings(None, overrides, data_dir=Path("from_option"), seed=7)
    assert (settings.data.dir, settings.seed) == ("from_override", 7)


def test_a_wrong_option_is_told_as_one_of_the_command_line() -> None:
    with pytest.raises(ConfigurationError, match=r"command line: seed: expected .* got -1"):
        with_options(TrainConfig(), [], data_dir=None, seed=-1)
