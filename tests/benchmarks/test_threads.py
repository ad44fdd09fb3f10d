import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import threads
from benchmarks.task import Images
from benchmarks.threads import (
    RULE,
    beside_the_rule,
    compare_counts,
    forced,
    run_at_once,
    time_counts,
)
from softmax_cli.threads import thread_limit
from softmax_cli.training import engine


def _threads_for(multiplications: int, most: int) -> int:
    """The threads that training would use now."""
    return int(vars(engine)["threads_for"](multiplications, most))


def test_a_step_is_timed_by_the_rule_and_with_each_number(images: Images) -> None:
    seconds = time_counts(images.train, models=2, counts=[1, 2], repeats=2)
    assert list(seconds) == [RULE, "1 thread", "2 threads"]
    assert all(len(times) == 2 and min(times) > 0 for times in seconds.values())


def test_what_is_forced_is_used_whatever_the_size() -> None:
    before = thread_limit()
    assert _threads_for(1, 3) == 1
    with forced(3):
        assert thread_limit() == 3
        assert _threads_for(1, 3) == 3
        assert _threads_for(1, 0) == 1
    assert thread_limit() == before
    assert _threads_for(1, 3) == 1


def test_the_goal_is_the_best_fixed_number() -> None:
    seconds = {RULE: [2.0, 2.2], "1 thread": [4.0, 4.0], "2 threads": [2.0, 2.0]}
    comparison = beside_the_rule(1, "alone", seconds)
    (goal,) = comparison.goals
    ratio = comparison.ratio(goal)
    assert goal.under == "2 threads"
    assert ratio is not None
    assert ratio.median == pytest.approx(1.05)
    assert comparison.column == "K = 1, alone"


@pytest.mark.linux("affinity of processes")
def test_a_process_on_one_core_has_one() -> None:
    before = os.sched_getaffinity(0)
    count = [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"]
    with threads.surroundings()["one core"]():
        assert subprocess.check_output(count, text=True) == "1\n"
    assert os.sched_getaffinity(0) == before


def test_the_busy_process_ends() -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, arguments: list[str]) -> None:
            super().__init__(arguments)
            started.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", Recorded)
        with threads.surroundings()["busy"]():
            assert [process.poll() for process in started] == [None]
    assert [process.poll() is None for process in started] == [False]


def test_every_table_comes_from_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, '{"by the rule": [1], "1 thread": [2]}')

    monkeypatch.setattr(subprocess, "run", run)
    messages: list[str] = []
    comparisons = compare_counts([1, 2], repeats=3, announce=messages.append)
    names = [f"K = {k}, {name}" for k in (1, 24) for name in threads.surroundings()]
    assert [comparison.column for comparison in comparisons] == names
    assert commands[0][1:] == ["-m", "benchmarks.threads", "1", "3", "1", "2"]
    assert messages[0].endswith("by the rule: 1e+03 ms, 1 thread: 2e+03 ms")


def test_trainings_run_at_the_same_time(tmp_path: Path) -> None:
    """Each waits for the other, in the folder that they share."""
    meet = (
        "import pathlib, sys, time\n"
        "own = pathlib.Path(sys.argv[1]); own.mkdir()\n"
        "deadline = time.monotonic() + 60\n"
        "while len(list(own.parent.iterdir())) < 2:\n"
        "    assert time.monotonic() < deadline\n"
        "    time.sleep(0.01)\n"
    )
    run_at_once([sys.executable, "-c", meet], 2)


def test_a_training_that_fails_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_at_once([sys.executable, "-c", "raise SystemExit(3)"], 1)
