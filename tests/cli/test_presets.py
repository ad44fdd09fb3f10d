import yaml

from softmax_cli.config.presets import preset_names
from tests.cli.conftest import Run


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
