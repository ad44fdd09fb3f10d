"""The rule of ``softmax_cli/threads.py`` beside fixed numbers of threads; two trainings at once.

A step is timed with each number of threads forced and by the rule, on all cores, on one core, and
beside another busy process. Every such table is measured in a process of its own:
``python -m benchmarks.threads MODELS REPEATS THREADS...`` prints the seconds of each step as JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from unittest import mock

from benchmarks.footprint import Call, softmax_command
from benchmarks.step import (
    MODELS,
    endless_trainer,
    many_synthetic_images,
    steps_in_block,
)
from benchmarks.timing import Announce, Comparison, Goal, Measurement, measure, seconds_of
from softmax_cli.data.images import ImageSet
from softmax_cli.threads import at_most
from softmax_cli.training import engine
from softmax_cli.training.timing import step_blocks

COUNTS = (1, 2, 4, 8, 16)
RULE = "by the rule"
TITLE = "A training step by its threads (batch 200)"
_SLOWER = 1.1  # the rule, than the best fixed number
_ONE, _TWO = "one training", "two trainings side by side"
SIDE_BY_SIDE_GOALS = (Goal(_TWO, _ONE, 2.2, at_least=False),)
_BATCH_SIZE = 200
_WARM_UP_STEPS = 10  # with many more threads than cores a step takes a hundred times as long
_ROOT = Path(__file__).parents[1]


@contextmanager
def _one_core() -> Iterator[None]:
    """Let processes that start within this context use one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _busy_process() -> Iterator[None]:
    """Another process that never waits."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


Surroundings = Mapping[str, Callable[[], AbstractContextManager[None]]]


def surroundings() -> Surroundings:
    """What a step is timed in, by name; one core only where a process can be held to it."""
    known: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "alone": nullcontext,
        "one core": _one_core,
        "busy": _busy_process,
    }
    if not hasattr(os, "sched_setaffinity"):
        del known["one core"]
    return known


def compare_counts(
    counts: Sequence[int], *, repeats: int, announce: Announce
) -> tuple[Comparison, ...]:
    """Steps of one model and of a stack, in each of the surroundings.

    Args:
        counts: numbers of threads that are forced.
        repeats: rounds that count.
        announce: is told of each table.
    """
    comparisons = []
    for models in MODELS:
        for name, surround in surroundings().items():
            numbers = [str(number) for number in (models, repeats, *counts)]
            command = [sys.executable, "-m", "benchmarks.threads", *numbers]
            with surround():
                ran = subprocess.run(
                    command, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True
                )
            seconds: dict[str, list[float]] = json.loads(ran.stdout)
            comparisons.append(beside_the_rule(models, name, seconds))
            medians = ", ".join(f"{n}: {1e3 * median(s):.3g} ms" for n, s in seconds.items())
            announce(f"K = {models}, {name}: {medians}")
    return tuple(comparisons)


def beside_the_rule(
    models: int, surrounding: str, seconds: Mapping[str, Sequence[float]]
) -> Comparison:
    """A comparison whose goal is that the rule is nearly as fast as the best fixed number.

    Args:
        models: K.
        surrounding: what it was measured in.
        seconds: of a step, by the rule and with each number of threads; one for each round.
    """
    best = min((name for name in seconds if name != RULE), key=lambda name: median(seconds[name]))
    return Comparison(
        name=f"threads, K = {models}, {surrounding}",
        title=TITLE,
        measurements=tuple(
            Measurement(name, tuple(times), 1.0, 0, (), ()) for name, times in seconds.items()
        ),
        goals=(Goal(RULE, best, _SLOWER, at_least=False),),
        notes=(
            (
                "With 2 threads or more forced, two processes share a step, and each has half of "
                "the threads. busy: beside another process that never waits."
            ),
        ),
        column=f"K = {models}, {surrounding}",
    )


def time_counts(
    images: ImageSet, models: int, counts: Sequence[int], repeats: int
) -> dict[str, list[float]]:
    """Seconds of a step by the rule and with each number of threads, in turn.

    Args:
        images: to train on.
        models: K.
        counts: numbers of threads.
        repeats: rounds that count.
    """
    trainer = endless_trainer(images, models, _BATCH_SIZE)
    contexts: dict[str, Callable[[], AbstractContextManager[None]]] = {RULE: nullcontext}
    contexts.update({_threads_text(count): partial(forced, count) for count in counts})

    def step_of(name: str, steps: int) -> float:
        with contexts[name]():
            ((seconds, _),) = step_blocks(
                trainer, _BATCH_SIZE, 1, steps=steps, warm_up=_WARM_UP_STEPS, timer=seconds_of
            )
        return seconds

    steps = {name: steps_in_block(step_of(name, _WARM_UP_STEPS)) for name in contexts}
    rounds = [{name: step_of(name, steps[name]) for name in contexts} for _ in range(repeats)]
    return {name: [times[name] for times in rounds] for name in contexts}


@contextmanager
def forced(threads: int) -> Iterator[None]:
    """Let training use so many threads, whatever its size."""

    def all_of_them(_multiplications: float, most: int) -> int:
        return max(1, most)

    with at_most(threads), mock.patch.object(engine, "threads_for", all_of_them):
        yield


def compare_side_by_side(
    data_dir: Path, settings: Sequence[str], *, repeats: int, announce: Announce
) -> Comparison:
    """Two trainings of cs231n at the same time, over one alone.

    Args:
        data_dir: where CIFAR-10 is.
        settings: overrides of the preset.
        repeats: rounds that count.
        announce: is told of each run.
    """
    command = softmax_command(data_dir, "train", "--config", "cs231n", *settings)
    contenders = [
        Call(_ONE, lambda: run_at_once(command, 1)),
        Call(_TWO, lambda: run_at_once(command, 2)),
    ]
    return Comparison(
        name="threads",
        title="softmax train --config cs231n beside another one",
        measurements=tuple(measure(contenders, None, repeats, announce)),
        goals=SIDE_BY_SIDE_GOALS,
        notes=("Two processes that start together, until both have ended, loading included.",),
    )


def run_at_once(command: Sequence[str], times: int) -> None:
    """Run a command, which ends before its run directory, several times at the same time.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    with tempfile.TemporaryDirectory(prefix="softmax-benchmark-") as folder, ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen([*command, f"{folder}/{number}"]))
            for number in range(times)
        ]
        for process in processes:
            if code := process.wait():
                raise subprocess.CalledProcessError(code, process.args)


def _threads_text(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _main(*numbers: str) -> None:
    models, repeats, *counts = map(int, numbers)
    print(json.dumps(time_counts(many_synthetic_images(), models, counts, repeats)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
