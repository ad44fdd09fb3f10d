import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.errors import LostProcessError
from softmax_cli.training.forked import Fork, shared_copy, shared_zeros
from softmax_cli.training.stop_signals import STOP_SIGNALS

pytestmark = pytest.mark.linux("forks")


@contextmanager
def forked(obey: Callable[[Callable[[], None]], None]) -> Iterator[Fork]:
    fork = Fork(obey)
    try:
        yield fork
    finally:
        fork.stop()


def test_a_fork_works_on_shared_arrays_command_by_command() -> None:
    numbers = shared_copy(np.arange(4.0))

    def double(answer: Callable[[], None]) -> None:
        np.multiply(numbers, 2, out=numbers)
        answer()

    with forked(double) as fork:
        for _ in range(3):
            fork.send()
            fork.wait()
            numbers += 1
    assert numbers.tolist() == [7.0, 15.0, 23.0, 31.0]


def test_an_array_may_be_empty() -> None:
    assert shared_zeros((0, 3), np.float32).shape == (0, 3)


def test_a_fork_that_sleeps_wakes_up_for_a_command() -> None:
    seen = shared_zeros((1,), np.int64)

    def count(answer: Callable[[], None]) -> None:
        seen[0] += 1
        answer()

    with forked(count) as fork:
        time.sleep(0.2)
        fork.send()
        fork.wait()
    assert seen[0] == 1


def test_the_end_of_a_fork_is_an_error_and_not_a_wait_without_end() -> None:
    with forked(lambda _: os.kill(os.getpid(), signal.SIGKILL)) as fork:
        fork.send()
        with pytest.raises(LostProcessError, match="killed by signal 9"):
            fork.wait()


def test_what_goes_wrong_in_a_fork_ends_it() -> None:
    def fail(_: Callable[[], None]) -> None:
        raise MemoryError

    with forked(fail) as fork:
        fork.send()
        with pytest.raises(LostProcessError, match="exit code 1"):
            fork.wait()


def test_the_end_of_a_fork_is_seen_where_the_system_keeps_no_account_of_it() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with forked(lambda _: os.kill(os.getpid(), signal.SIGKILL)) as fork:
            fork.send()
            with pytest.raises(LostProcessError, match=r"has ended"):
                fork.wait()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_fork_that_is_known_to_have_ended_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    with forked(lambda _: os.kill(os.getpid(), signal.SIGKILL)) as fork:
        fork.send()
        with pytest.raises(LostProcessError):
            fork.wait()
        # Its number may belong to another process by now.
        monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a stranger was killed"))


def test_stopping_leaves_no_process_behind() -> None:
    pids = shared_zeros((1,), np.int64)

    def tell(answer: Callable[[], None]) -> None:
        pids[0] = os.getpid()
        answer()

    with forked(tell) as fork:
        fork.send()
        fork.wait()
        assert Path(f"/proc/{pids[0]}").exists()
    assert not Path(f"/proc/{pids[0]}").exists()


def test_signals_that_ask_to_stop_are_left_to_the_parent() -> None:
    pids = shared_zeros((1,), np.int64)

    def tell(answer: Callable[[], None]) -> None:
        pids[0] = os.getpid()
        answer()

    with forked(tell) as fork:
        for number in STOP_SIGNALS:
            fork.send()
            fork.wait()
            os.kill(int(pids[0]), number)
        fork.send()
        fork.wait()


_PARENT = """
import os, sys, time
from softmax_cli.training.forked import Fork, shared_zeros
pids = shared_zeros((1,), "int64")
def tell(answer):
    pids[0] = os.getpid()
    answer()
fork = Fork(tell)
fork.send()
fork.wait()
print(pids[0], flush=True)
time.sleep(60)
"""


def test_a_fork_ends_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while _runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_without_semaphores_there_is_no_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("no semaphores here")

    monkeypatch.setattr("softmax_cli.training.forked._semaphore", refused)
    with pytest.raises(OSError, match="no semaphores"):
        Fork(lambda _: None)
