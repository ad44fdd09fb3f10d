import random
from pathlib import Path

import pytest

from campaigns.processes import surroundings
from campaigns.processes.surroundings import (
    Surroundings,
    draw_surroundings,
    has_terminals,
    run_in,
)

HOME = Surroundings(0, "C.UTF-8", "UTC", terminal=False, folder="home", run="run")


def test_a_process_on_a_terminal_writes_to_it(tmp_path: Path) -> None:
    if not has_terminals():
        pytest.skip("this system hands out no pseudo-terminals")
    on_terminal = Surroundings(0, "C.UTF-8", "UTC", terminal=True, folder="home", run="run")
    ended = run_in(on_terminal, "presets", "demo", folder=tmp_path)
    assert ended.code == 0
    assert ended.out == ""
    piped = run_in(HOME, "presets", "demo", folder=tmp_path)
    assert ended.err.split() == piped.out.split()


def test_without_terminals_all_go_through_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[int, int]:
        raise OSError("out of pty devices")

    monkeypatch.setattr("pty.openpty", refuse)
    has_terminals.cache_clear()
    drawn = [draw_surroundings(random.Random(n), n) for n in range(4)]
    has_terminals.cache_clear()
    assert not any(where.terminal for where in drawn)


def test_locales_that_keep_python_from_starting_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surroundings, "python_starts_in", lambda locale: locale == "C.UTF-8")
    drawn = {draw_surroundings(random.Random(n), n).locale for n in range(20)}
    assert drawn == {"C.UTF-8"}
