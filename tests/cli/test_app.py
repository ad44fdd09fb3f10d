import pytest
import typer
from typer.core import TyperGroup

from softmax_cli import __version__
from softmax_cli.cli.app import COMMANDS, app
from tests.cli.conftest import Run


def test_every_command_is_registered_under_the_name_of_its_function() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    assert list(group.commands) == [command.__name__ for command in COMMANDS]


def test_every_command_and_parameter_has_a_description() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for command in group.commands.values():
        assert command.get_short_help_str()
        for parameter in command.params:
            if parameter.name != "help":
                assert getattr(parameter, "help", None), (command.name, parameter.name)


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
