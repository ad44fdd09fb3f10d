import json
from typing import Any

import pytest

from softmax_cli.cli.options import OutputFormat
from softmax_cli.cli.output import Output
from softmax_cli.cli.sweep_plan import print_plan
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.errors import ConfigurationError
from softmax_cli.tuning import estimate
from softmax_cli.tuning.estimate import StackEstimate

Captured = pytest.CaptureFixture[str]

SETTINGS = SweepConfig(
    train=TrainConfig(),
    parameters={"optimizer.learning_rate": [1e-7, 2e-7], "training.batch_size": [100, 200]},
)


@pytest.fixture(autouse=True)
def estimates(monkeypatch: pytest.MonkeyPatch) -> list[StackEstimate]:
    """What the stacks take, in place of a measurement on this machine."""
    found = [
        StackEstimate(2, 2, 3000, operations=1.5e12, seconds=4.0, memory=300_000_000),
        StackEstimate(2, 2, 3000, operations=2.5e12, seconds=6.5, memory=500_000_000),
    ]
    monkeypatch.setattr(estimate, "estimate", lambda _stacks, _search: found)
    return found


def test_the_last_row_adds_up_all_but_memory_which_is_used_in_turn(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_plan(SETTINGS, Output(OutputFormat.TABLE, quiet=False))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[2] == ["1", "2", "2", "3000", "1.50", "4.0", "s", "300", "MB"]
    assert rows[-1] == ["all", "4", "4", "4.00", "10.5", "s", "500", "MB"]


def test_the_document_lists_trials_and_stacks(
    capsys: Captured, estimates: list[StackEstimate]
) -> None:
    print_plan(SETTINGS, Output(OutputFormat.JSON, quiet=False))
    document = json.loads(capsys.readouterr().out)
    tried = [trial["parameters"] for trial in document["trials"]]
    assert tried[0] == {"optimizer.learning_rate": 1e-7, "training.batch_size": 100}
    assert len({trial["id"] for trial in document["trials"]}) == len(tried) == 4
    assert [stack["seconds"] for stack in document["stacks"]] == [e.seconds for e in estimates]


def test_a_combination_that_is_not_valid_is_refused() -> None:
    axes: dict[str, Any] = {"optimizer.momentum": [0.0, 0.9], "optimizer.nesterov": [True, False]}
    settings = SweepConfig(train=TrainConfig(), parameters=axes)
    with pytest.raises(ConfigurationError, match="nesterov"):
        print_plan(settings, Output(OutputFormat.TABLE, quiet=False))
