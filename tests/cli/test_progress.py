import time

import pytest

from softmax_cli.cli import signals
from softmax_cli.cli.options import OutputFormat
from softmax_cli.cli.output import Output
from softmax_cli.cli.progress import ProgressDisplay

Captured = pytest.CaptureFixture[str]


class Clock:
    """Stands for ``time.monotonic``."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def output(*, quiet: bool = False) -> Output:
    return Output(OutputFormat.TABLE, quiet=quiet)


def line(rate: float, left: float) -> str:
    return f"{rate:g} a second, {left:g} s left"


def test_elsewhere_than_on_a_terminal_a_line_is_due_every_five_seconds(clock: Clock) -> None:
    display = ProgressDisplay(output())
    display.begin()
    due = []
    for _ in range(12):
        clock.now += 1
        due.append(display.is_due())
        if due[-1]:
            display.show(1, 2, line)
    assert due == [False] * 4 + [True] + [False] * 4 + [True] + [False] * 2
    assert display.is_due(last=True)


def test_a_line_has_the_rate_since_the_beginning(clock: Clock, capsys: Captured) -> None:
    display = ProgressDisplay(output())
    display.begin(completed=100)
    clock.now += 10
    display.show(150, 200, line)
    assert capsys.readouterr().err == "5 a second, 10 s left\n"


def test_nothing_is_due_when_quiet(clock: Clock) -> None:
    display = ProgressDisplay(output(quiet=True))
    display.begin()
    clock.now += 100
    assert not display.is_due()
    assert not display.is_due(last=True)


@pytest.mark.parametrize(("unit", "shown"), [("steps", "30/200"), ("bytes", "30/200 bytes")])
def test_on_a_terminal_a_bar_is_drawn_and_removed(
    unit: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with ProgressDisplay(output(), "bytes" if unit == "bytes" else "steps") as display:
        display.begin()
        display.show(30, 200, line, description="loss 1.9", below="leaders")
        drawn = capsys.readouterr().err
    assert shown in drawn
    assert "a second" not in drawn
    assert drawn.rindex("loss 1.9") < drawn.rindex("leaders")
    assert "\x1b[?25h" in capsys.readouterr().err  # the cursor is shown again


def test_a_warning_is_printed_even_when_quiet(capsys: Captured) -> None:
    ProgressDisplay(output(quiet=True)).warned("the last bits may differ")
    assert capsys.readouterr().err == "Warning: the last bits may differ\n"


def test_a_stop_is_requested_by_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    display = ProgressDisplay(output())
    assert not display.stop_requested()
    monkeypatch.setattr(signals, "_received", [2])
    assert display.stop_requested()
