import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from softmax_cli import __version__
from softmax_cli.blas import limited_to
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.config.writing import to_yaml
from softmax_cli.data.datasets import load_split
from softmax_cli.errors import (
    ConfigurationError,
    DataError,
    IntegrityError,
    InterruptedRunError,
)
from softmax_cli.runs.directory import create_run_directory, open_run_directory
from softmax_cli.runs.tables import read_jsonl
from softmax_cli.tuning import cluster
from softmax_cli.tuning.checkpoints import StackCheckpoints
from softmax_cli.tuning.cluster import connected, run_on_cluster
from softmax_cli.tuning.data_cache import DataCache
from softmax_cli.tuning.stack_run import StackTask
from softmax_cli.tuning.stacks import Stack, plan_stacks
from softmax_cli.tuning.sweep import SweepSummary, run_sweep
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space, Sweep, Watcher, table

pytestmark = pytest.mark.posix("groups of processes")

FOUR_STACKS = {
    "optimizer.learning_rate": [0.003, 0.01, 0.03],
    "training.batch_size": [10, 20],
    "preprocessing.scale": ["unit", "pixel"],
}
POISON = """
import os
from softmax_cli.tuning import cluster, stack_run
def run_stack(task, *rest):
    if task.stack.shared.training.batch_size == 13:
        os._exit(1)
    return stack_run.run_stack(task, *rest)
cluster.run_stack = run_stack
"""


class Cluster:
    """A scheduler and workers, processes of their own on this machine."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self._directory = directory
        # What `dask worker` sets for the processes that it starts, and where they put files.
        own = {"OPENBLAS_NUM_THREADS": "1", "DASK_TEMPORARY_DIRECTORY": str(directory)}
        self._environment = {**os.environ, **own, **settings}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._file = directory / "scheduler.json"
        self._start("scheduler", "--port", "0", "--scheduler-file", self._file)

    def _start(self, *arguments: object) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", *map(str, arguments), "--host", "127.0.0.1"]
        process = subprocess.Popen(
            [*command, "--no-dashboard"],
            cwd=self._directory,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def add_worker(self, *arguments: object, nanny: bool = False) -> "subprocess.Popen[bytes]":
        watched = "--nanny" if nanny else "--no-nanny"
        return self._start(
            "worker", "--scheduler-file", self._file, "--nthreads", "1", watched, *arguments
        )

    @property
    def address(self) -> str:
        deadline = time.monotonic() + 60
        while not self._file.exists():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        return str(json.loads(self._file.read_text())["address"])

    def wait_for(self, workers: int) -> None:
        with connected(self.address) as client:
            client.wait_for_workers(workers, timeout=60)

    def sweep(
        self, settings: SweepConfig, path: Path, watcher: Watcher | None = None
    ) -> SweepSummary:
        if path.exists():
            opened = open_run_directory(path, kind="sweep", exclusive=True)
        else:
            opened = create_run_directory(path, kind="sweep", settings=to_yaml(settings))
        with opened, connected(self.address) as client:
            return run_sweep(opened, settings, watcher or Watcher(), client=client)

    def close(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
            _end_group(process.pid)


def _end_group(leader: int) -> None:
    """End what a nanny has started: its worker, and then what removes their named semaphores.

    Both end by themselves when the nanny is gone; killed at once, they would leave semaphores.
    """
    deadline = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(leader, 0)
            time.sleep(0.02)
        os.killpg(leader, signal.SIGKILL)


Start = Callable[..., Cluster]


@pytest.fixture
def start_cluster(tmp_path: Path) -> Iterator[Start]:
    """``start_cluster(workers=2)`` on this machine, gone at the end of the test."""
    started: list[Cluster] = []

    def start(workers: int, **settings: str) -> Cluster:
        started.append(Cluster(tmp_path, **settings))
        for _ in range(workers):
            started[-1].add_worker()
        return started[-1]

    yield start
    for running in started:
        running.close()


def recorded_once(directory: Path, settings: SweepConfig) -> bool:
    ids = [record["id"] for record in read_jsonl(directory / "trials.jsonl")]
    return sorted(ids) == sorted(trial.id for trial in make_trials(settings))


def assert_same(a: Path, b: Path) -> None:
    assert table(a) == table(b)
    for name in ("model", "best"):
        left, right = (load_file(path / f"best/{name}.safetensors") for path in (a, b))
        for key, array in left.items():
            np.testing.assert_array_equal(array, right[key], err_msg=f"{name} {key}")


def test_results_are_the_same_here_with_one_worker_and_with_two(
    start_cluster: Start, space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    # The sums over a minibatch of 500 have other last bits with one BLAS thread than with two.
    parameters = {**FOUR_STACKS, "training.batch_size": [10, 500]}
    workers = start_cluster(workers=1)
    plain = space(parameters)
    halving = space(parameters, folds=2, search={"halving": {"factor": 2, "rungs": 2}})
    with limited_to(2):
        for name, settings in (("plain", plain), ("halving", halving)):
            sweep(settings, f"{name}-here")
            workers.sweep(settings, tmp_path / f"{name}-1")
        workers.add_worker()
        workers.wait_for(2)
        for name, settings in (("plain", plain), ("halving", halving)):
            workers.sweep(settings, tmp_path / f"{name}-2")
    for name, settings in (("plain", plain), ("halving", halving)):
        assert_same(tmp_path / f"{name}-here", tmp_path / f"{name}-1")
        assert_same(tmp_path / f"{name}-here", tmp_path / f"{name}-2")
        assert recorded_once(tmp_path / f"{name}-2", settings)


def test_a_killed_worker_costs_nothing_but_time(
    start_cluster: Start, space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    workers = start_cluster(workers=1)
    victim = workers.add_worker()
    workers.wait_for(2)

    class Killer(Watcher):
        def recorded(self, *_: object) -> None:
            if victim.poll() is None:
                time.sleep(0.2)  # It has begun with its next stack.
                victim.send_signal(signal.SIGKILL)
                victim.wait()

    settings = space(FOUR_STACKS, **{"training.iterations": 300})
    watcher = Killer()
    summary = workers.sweep(settings, tmp_path / "cut", watcher)
    sweep(settings, "whole")
    assert victim.poll() == -signal.SIGKILL
    assert (summary.trials, summary.failed) == (12, 0)
    assert watcher.warnings == []
    assert recorded_once(tmp_path / "cut", settings)
    assert_same(tmp_path / "cut", tmp_path / "whole")


def test_a_stack_that_kills_its_workers_fails_and_takes_no_other_with_it(
    start_cluster: Start, space: Space, tmp_path: Path
) -> None:
    # One retry instead of three, so that two workers are enough of a sacrifice.
    workers = start_cluster(0, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1")
    (tmp_path / "poison.py").write_text(POISON)
    for _ in range(3):
        workers.add_worker("--preload", tmp_path / "poison.py")
    workers.wait_for(3)
    watcher = Watcher()
    settings = space({"training.batch_size": list(range(5, 21))})
    summary = workers.sweep(settings, tmp_path / "here", watcher)
    assert (summary.trials, summary.failed) == (16, 1)
    assert summary.outcomes[-1].parameters == {"training.batch_size": 13}
    assert watcher.warnings == ["1 trials failed: each of the 2 workers that tried them was lost"]


def test_stopping_is_quick_and_leaves_the_worker_free(
    start_cluster: Start, space: Space, tmp_path: Path
) -> None:
    workers = start_cluster(workers=1)
    workers.wait_for(1)
    endless = space(FOUR_STACKS, **{"training.iterations": 1_000_000})
    start = time.monotonic()

    class Impatient(Watcher):
        def stop_requested(self) -> bool:
            return time.monotonic() > start + 1.5

    with pytest.raises(InterruptedRunError, match="0 of 12"):
        workers.sweep(endless, tmp_path / "endless", Impatient())
    assert time.monotonic() - start < 4
    workers.sweep(space({"seed": [1, 2]}), tmp_path / "quick")
    assert time.monotonic() - start < 20


def test_a_sweep_without_workers_says_that_it_waits(
    start_cluster: Start, space: Space, tmp_path: Path
) -> None:
    workers = start_cluster(workers=0)

    class Helpful(Watcher):
        def warned(self, message: str) -> None:
            super().warned(message)
            workers.add_worker()

    watcher = Helpful()
    assert workers.sweep(space({"seed": [1, 2]}), tmp_path / "here", watcher).trials == 2
    assert watcher.warnings == ["The scheduler has no workers: waiting for one."]


class Busy:
    """A client and executor of two workers that are done as soon as they begin."""

    def __init__(self) -> None:
        self.begun = 0

    def nthreads(self) -> dict[str, int]:
        return {"a": 8, "b": 8}

    def get_executor(self, **_: object) -> "Busy":
        return self

    def submit(self, *_: object) -> "Future[object]":
        self.begun += 1
        future: Future[object] = Future()
        future.set_exception(MemoryError())
        return future

    def shutdown(self, **_: object) -> None:
        pass


def test_no_more_stacks_are_handed_out_than_there_are_workers(space: Space, tmp_path: Path) -> None:
    stacks = plan_stacks(make_trials(space({"training.batch_size": [5, 10, 20, 40, 50]})), 1)
    client, tasks = Busy(), [StackTask(stack) for stack in stacks]
    states = StackCheckpoints(tmp_path)
    results = run_on_cluster(client, tasks, DataCache(), states, Watcher())  # type: ignore[arg-type]
    done = 0
    for _ in results:
        done += 1
        assert client.begun <= done + 1
    assert done == len(tasks)


@pytest.mark.cifar10
def test_a_worker_takes_its_own_data_or_says_which_one_has_none(
    start_cluster: Start,
    space: Space,
    cifar10_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("softmax_cli.data.datasets.load_split", load_split)
    (tmp_path / "mine").symlink_to(cifar10_dir)
    settings = space(
        {"seed": [1]}, **{"data.dataset": "cifar10", "data.dir": str(tmp_path / "mine")}
    )
    workers = start_cluster(1, SOFTMAX_DATA_DIR=str(tmp_path / "theirs"))
    with pytest.raises(DataError, match=r"on worker tcp://127\.0\.0\.1:.*theirs"):
        workers.sweep(settings, tmp_path / "here")
    (tmp_path / "theirs").symlink_to(cifar10_dir)
    assert workers.sweep(settings, tmp_path / "here").trials == 1


def test_a_worker_of_another_version_or_with_other_images_is_refused(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tuple(make_trials(space({"seed": [1]}))), folds=1)
    order = cluster._Order(StackTask(stack), "data", "0" * 64, threads=1, version=__version__)
    with pytest.raises(DataError, match="got others"):
        cluster._verified_data(order)
    with pytest.raises(IntegrityError, match=r"expected softmax 0\.0"):
        cluster._verified_data(replace(order, version="0.0"))


def test_a_server_of_dask_that_is_no_scheduler_is_named(start_cluster: Start) -> None:
    workers = start_cluster(workers=1)
    workers.wait_for(1)
    with connected(workers.address) as client:
        (worker,) = client.nthreads()
    with pytest.raises(ConfigurationError, match="got a Dask worker") as caught:
        connected(worker).__enter__()
    assert caught.value.hint == f"Its scheduler is at {workers.address}."


def test_without_dask_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match="not installed") as caught:
        connected("tcp://127.0.0.1:9").__enter__()
    assert "pip install -e '.[distributed]'" in str(caught.value.hint)
