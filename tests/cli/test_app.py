import pytest
import typer
from typer.core import TyperGroup

from softmax_cli import __version__
from softmax_cli.cli.app import COMMANDS, app, load_command
from tests.cli.conftest import Run


def test_a_command_is_listed_as_it_describes_itself() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    context = typer.Context(group)
    assert group.list_commands(context) == list(COMMANDS)
    for name in COMMANDS:
        listed, command = group.get_command(context, name), load_command(name)
        assert listed
        assert listed.name == command.name == name
        assert listed.get_short_help_str() == command.get_short_help_str() != ""


def test_every_parameter_has_a_description() -> None:
    for name in COMMANDS:
        parameters = load_command(name).params
        assert parameters
        for parameter in parameters:
            assert getattr(parameter, "help", None), (name, parameter.name)


def test_a_command_is_suggested_for_one_that_does_not_exist(run: Run) -> None:
    result = run("trian")
    assert result.code == 2
    assert "No such command 'trian'. Did you mean 'train'?" in result.err


def test_the_version_is_printed_before_anything_else_is_looked_at(run: Run) -> None:
    result = run("--version", "no-such-command")
    assert (result.code, result.out, result.err) == (0, f"softmax {__version__}\n", "")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_a_long_and_a_short_name(option: str, run: Run) -> None:
    assert run("train", option).out.startswith("Usage: softmax train ")


def test_without_a_command_help_is_printed(run: Run) -> None:
    result = run()
    assert result.code == 2
    assert "Usage: softmax " in result.out + result.err
