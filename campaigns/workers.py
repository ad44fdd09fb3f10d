"""A sweep outlives its workers: ``kill -9`` for Dask workers and for the sweep itself.

The count is that of sweeps on a cluster, each of which loses a worker and, before or after that,
its own process, and is resumed. Half as many sweeps are killed that run without a cluster, and a
third as many whose stacks would take hours, to see that the workers of a dead sweep soon are free.
Every third sweep has two threads of BLAS, the others one: two get in each other's way on a
busy machine.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from campaigns.campaign import Campaign, Trial
from campaigns.processes.sessions import Session, kill_alone, soon
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.tuning.cluster import connected
from tests.tuning.conftest import table
from tests.tuning.test_cluster import Cluster, recorded_once

if TYPE_CHECKING:
    from distributed import Client

_STACKS = 6
_TRIALS_OF_A_STACK = 4
_SETTINGS = (
    "data.train_size=600",
    "data.validation_size=200",
    "training.validate_every=100",
    "training.checkpoint_every=100",
    "parameters.training.batch_size=[10,12,14,16,18,20]",
    "parameters.optimizer.learning_rate=[0.001,0.002,0.005,0.01]",
    "parameters.optimizer.regularization=[0.01]",
)
_LONGEST = 300.0
"""Seconds after which a sweep is taken to hang."""


def _run(trial: Trial) -> None:
    with _workshop(trial.folder) as workshop:
        kills = _Kills(trial, workshop)
        for kind, count in (
            (kills.on_a_cluster, trial.count),
            (kills.without_a_cluster, trial.count // 2),
            (kills.of_a_long_sweep, -(-trial.count // 3)),
        ):
            landed = 0
            # A sweep that ends before it could be killed is not counted, but it is looked at.
            for number in range(3 * count):
                landed += kind(number)
                if landed == count:
                    break
            if landed < count:
                trial.broken("kills", f"{count - landed} of {count} came too late")


def _begin(path: Path, *more: object, iterations: int = 300) -> tuple[object, ...]:
    length = f"training.iterations={iterations}"
    return ("sweep", "--config", "demo-sweep", *_SETTINGS, length, "--run-dir", path, *more)


@dataclass(frozen=True)
class _Moment:
    """When to strike.

    Attributes:
        stacks: so many stacks are recorded.
        seconds: after that; None is in the middle of recording the next stack.
    """

    stacks: int
    seconds: float | None

    def __str__(self) -> str:
        if self.seconds is None:
            return f"while stack {self.stacks + 1} was recorded"
        return f"{self.seconds:.2f} s after {self.stacks} stacks"

    def come(self, session: Session, path: Path) -> bool:
        """Wait for it; False if the sweep has ended before."""
        records = path / "trials.jsonl"
        wanted = self.stacks * _TRIALS_OF_A_STACK + (self.seconds is None)
        deadline = time.monotonic() + _LONGEST
        while not (path / "sweep.yaml").exists() or _lines(records) < wanted:
            if not session.running or time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        time.sleep(self.seconds or 0)
        return session.running


class _Kills:
    """The cases of a campaign; each says whether all of its kills came in time."""

    def __init__(self, trial: Trial, workshop: "_Workshop") -> None:
        self._trial = trial
        self._workshop = workshop
        self._cluster = ("--scheduler", workshop.address)

    def on_a_cluster(self, number: int) -> bool:
        """Kill a worker and the sweep, in any order."""
        victims = self._trial.rng.sample(["worker", "sweep"], 2)
        return self._one(f"cluster-{number}", victims, 1 + (number % 3 == 2), self._cluster)

    def without_a_cluster(self, number: int) -> bool:
        """Kill the sweep twice."""
        return self._one(f"alone-{number}", ["sweep", "sweep"], 1 + (number % 3 == 2), ())

    def of_a_long_sweep(self, number: int) -> bool:
        """Kill a sweep that has its workers busy for hours."""
        name, delay = f"long-{number}", self._trial.rng.uniform(0, 1)
        command = _begin(self._trial.folder / name, *self._cluster, iterations=100_000_000)
        session = self._start(name, command, threads=2)
        soon(lambda: self._workshop.is_busy() or not session.running, 60)
        time.sleep(delay)
        found = [] if session.running else ["it ended by itself"]
        found += self._kill("sweep", session)
        case = f"{name}, killed {delay:.2f} s after its workers had begun"
        self._trial.judge(case, "workers of a long sweep free again", found)
        return True

    def _one(self, name: str, victims: list[str], threads: int, cluster: tuple[str, ...]) -> bool:
        """A sweep with faults, resumed after each that has ended it, against a whole one."""
        whole, path = self._whole(threads), self._trial.folder / name
        plan = list(zip(victims, self._moments(), strict=True))
        found: list[str] = []
        landed: list[str] = []
        session = self._start(name, _begin(path, *cluster), threads)
        for victim, moment in plan:
            if moment.come(session, path):
                found += self._kill(victim, session)
                landed.append(victim)
                if victim == "sweep":
                    found += _failed_trials(session)
                    session = self._start(name, ("sweep", "--resume", path, *cluster), threads)
        failure = session.end(_LONGEST)
        found += _failed_trials(session)
        found += [failure] if failure else _differences(whole, path)
        case = f"{name}, " + ", ".join(f"{victim} killed {moment}" for victim, moment in plan)
        where = "on a cluster" if cluster else "alone"
        self._trial.judge(
            case, f"{where}: {' and '.join(sorted(landed)) or 'nothing'} killed", found
        )
        return landed == victims

    def _moments(self) -> list[_Moment]:
        """One in the first half of a sweep, and one in the second."""
        rng, half = self._trial.rng, _STACKS // 2
        stacks = (rng.randrange(half), rng.randrange(half, _STACKS - 1))
        return [_Moment(n, rng.choice([None, rng.uniform(0, 0.4)])) for n in stacks]

    def _whole(self, threads: int) -> Path:
        """The undisturbed sweep with so many threads, made when it is first asked for."""
        path = self._trial.folder / f"whole-{threads}"
        if not path.exists():
            failure = self._start(path.name, _begin(path), threads).end(_LONGEST)
            if failure:
                raise RuntimeError(f"a sweep without faults: {failure}")
        return path

    def _start(self, name: str, arguments: tuple[object, ...], threads: int) -> Session:
        messages = self._trial.folder / f"{name}.txt"
        return Session(*arguments, messages=messages, threads=threads)

    def _kill(self, victim: str, session: Session) -> list[str]:
        """Kill and say what is left behind."""
        if victim == "worker":
            orphans = self._workshop.lose_worker(self._trial.rng.random())
        else:
            orphans = session.kill()
        found = [f"processes {orphans} outlived their {victim}"] if orphans else []
        if victim == "sweep" and not soon(lambda: not self._workshop.is_busy()):
            found.append("workers went on for a dead sweep")
        return found


def _failed_trials(session: Session) -> list[str]:
    """The trials that failed; a resumed sweep would try them again and hide the failure."""
    return [line for line in session.said().splitlines() if "trials failed" in line]


def _differences(whole: Path, path: Path) -> list[str]:
    """What is not as in the undisturbed sweep."""
    found = []
    if not recorded_once(path, load_sweep_config(str(whole / "sweep.yaml"))):
        found.append("trials.jsonl does not have every trial once")
    if table(path) != table(whole):
        found.append("results.csv has other rows")
    return found + [
        f"{name} has other bits"
        for name in ("best/model.safetensors", "best/metrics.csv")
        if (path / name).read_bytes() != (whole / name).read_bytes()
    ]


class _Workshop:
    """A scheduler with two workers, one of which a nanny revives."""

    def __init__(self, cluster: Cluster, client: "Client") -> None:
        self._cluster = cluster
        self._client = client
        self.address = cluster.address
        cluster.add_worker(nanny=True)
        cluster.add_worker()
        self.wait_for_both()

    def wait_for_both(self) -> None:
        """Both workers are there."""
        self._client.wait_for_workers(2, timeout=60)

    def lose_worker(self, draw: float) -> list[int]:
        """Kill one of the two, have another one start; returns its orphans of 5 s.

        Args:
            draw: in [0, 1), says which.
        """
        self.wait_for_both()
        workers = sorted(self._ask(os.getpid))
        victim = workers[int(draw * len(workers))]
        has_nanny = os.getsid(victim) != victim
        orphans = kill_alone(victim)
        if not has_nanny:
            self._cluster.add_worker()
        return orphans

    def is_busy(self) -> bool:
        """Whether a worker has a task in a thread, whatever the scheduler knows of it."""

        # Defined in here so that it is sent whole, not as the name of a module.
        def tasks(dask_worker: Any) -> list[str]:
            return list(dask_worker.active_threads.values())

        return any(self._ask(tasks))

    def _ask(self, function: Any) -> list[Any]:
        return list(self._client.run(function, on_error="ignore").values())


@contextmanager
def _workshop(folder: Path) -> Iterator[_Workshop]:
    cluster = Cluster(folder)
    try:
        with connected(cluster.address) as client:
            yield _Workshop(cluster, client)
    finally:
        cluster.close()


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


CAMPAIGN = Campaign("A sweep outlives its workers.", _run, short=1, long=30)
