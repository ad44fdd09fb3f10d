"""The rule that says how many threads a computation gets."""

import os
import threading
from pathlib import Path

import pytest

from softmax_cli import threads
from softmax_cli.blas import blas_threads, limited_to
from softmax_cli.threads import (
    MULTIPLICATIONS_PER_THREAD,
    VARIABLES,
    PerThread,
    in_threads,
    thread_limit,
    threads_for,
    usable_cores,
)


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_overridden", False)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("multiplications", "most", "expected"),
    [
        (0, 64, 1),
        (MULTIPLICATIONS_PER_THREAD - 1, 64, 1),
        (2 * MULTIPLICATIONS_PER_THREAD, 64, 2),
        (200 * 1536 / 2 * 9, 64, 1),  # a shard of a step of one model
        (200 * 1536 / 2 * 24 * 9, 64, 31),  # of 24 models
        (1e12, 64, 64),
        (1e12, 1, 1),
    ],
)
def test_each_thread_has_enough_to_do(multiplications: float, most: int, expected: int) -> None:
    assert threads_for(multiplications, most) == expected


def test_cores_are_those_of_the_affinity_and_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    assert usable_cores(tmp_path / "none") == 16
    for text, cores in [("max 100000", 16), ("400000 100000", 4), ("150000 100000\n", 2)]:
        (tmp_path / "cpu.max").write_text(text)
        assert usable_cores(tmp_path) == cores
    (tmp_path / "cpu.max").write_text("6400000 100000")
    assert usable_cores(tmp_path) == 16
    (tmp_path / "cpu.max").write_text("what is this")
    assert usable_cores(tmp_path) == 16


@pytest.mark.parametrize(("quota", "cores"), [("-1", 16), ("200000", 2), ("10000", 1)])
def test_containers_of_the_first_version(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores(tmp_path) == cores


def test_a_container_allows_fewer_threads_than_blas_would_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "blas_threads", lambda: 64)
    monkeypatch.setattr(threads, "usable_cores", lambda: 3)
    assert thread_limit() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert thread_limit() == 64


def test_what_the_user_asks_for_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    with limited_to(blas_threads()):  # restores the number afterwards
        threads.use_threads(1)
        assert thread_limit() == blas_threads() == 1


def test_a_limit_holds_within_its_context() -> None:
    before = thread_limit(), blas_threads()
    with threads.at_most(3):
        assert thread_limit() == blas_threads() == 3
    assert (thread_limit(), blas_threads()) == before


def test_where_blas_cannot_be_told_the_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "is_blas_known", lambda: False)
    monkeypatch.setattr(threads, "usable_cores", lambda: 5)
    assert thread_limit() == 5


def test_threads_return_results_in_order_and_leave_blas_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = blas_threads()
    monkeypatch.setattr(threads, "thread_limit", lambda: 2)
    both = threading.Barrier(2)

    def wait(item: int) -> int:
        both.wait(timeout=30)  # passed only if two run at once
        return item * item

    assert in_threads(wait, [3, 1, 4, 2]) == [9, 1, 16, 4]
    assert blas_threads() == before


def test_an_error_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(item: int) -> None:
        raise MemoryError

    monkeypatch.setattr(threads, "thread_limit", lambda: 2)
    before = threading.active_count()
    with pytest.raises(MemoryError):
        in_threads(fail, range(10))
    assert threading.active_count() == before


@pytest.mark.parametrize("items", [[], [7]])
def test_few_items_need_no_threads(items: list[int]) -> None:
    assert in_threads(lambda item: (item, threading.current_thread()), items) == [
        (item, threading.current_thread()) for item in items
    ]


def test_every_thread_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "thread_limit", lambda: 2)
    both = threading.Barrier(2)
    made: PerThread[list[int]] = PerThread(list)

    def add(item: int) -> list[int]:
        both.wait(timeout=30)  # passed only if two run at once
        made.value.append(item)
        return made.value

    first, second = in_threads(add, [1, 2])
    assert sorted([first, second]) == [[1], [2]]
    assert made.value == []
