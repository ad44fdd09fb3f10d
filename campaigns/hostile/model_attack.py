"""A process that stays alive while it reads one altered file after the other.

It is run as a module with a seed, a count and a folder, and prints what it has seen as JSON. Before
each file its address space is bounded to what it has, the file's size and 64 MB.
"""

import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from campaigns.hostile.models import mutated
from campaigns.hostile.sound_files import (
    STEP,
    disagreement,
    small_checkpoint,
    small_model,
    unsoundness,
)
from softmax_cli.errors import CheckpointError, ModelError
from softmax_cli.evaluation.predictor import own_temperature, settings_of
from softmax_cli.runs.checkpoint import load_latest_checkpoint
from softmax_cli.runs.model_file import load_model

FEATURES = 12
_CLASSES = 2
_MEMORY = 64 << 20
_SECONDS = 2
_MOST_FAILURES = 20
_CHECKPOINT_SHARE = 10

Load = Callable[[Path, bytes], str]


class _Tally:
    """What was seen."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []

    def try_file(self, title: str, path: Path, data: bytes, load: Load, *, sealed: bool) -> None:
        """Read one file within the bound on memory, and judge the result."""
        path.write_bytes(data)
        start = time.process_time()
        try:
            with _bounded_memory(len(data) + _MEMORY):
                problem = load(path, data)
            outcome = "valid and read as they say"
            if not sealed:
                problem = problem or "an altered file was accepted"
        except (ModelError, CheckpointError) as error:
            outcome = "refused"
            problem = "it took more memory than it may" if _lacked_memory(error) else ""
        except BaseException as error:  # noqa: BLE001 - nothing else may come out
            problem = f"{type(error).__name__}: {error}"
        if time.process_time() - start > _SECONDS:
            problem = f"it took more than {_SECONDS} s of processor time"
        if problem:
            self.failures.append((title, problem[:300]))
        else:
            self.seen[outcome] += 1


class _bounded_memory:  # noqa: N801 - read as a statement
    """A bound on how much the address space of this process may grow within a block."""

    def __init__(self, growth: int) -> None:
        self.growth = growth

    def __enter__(self) -> None:
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
        limit = pages * resource.getpagesize() + self.growth
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))

    def __exit__(self, *_: object) -> None:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.setrlimit(resource.RLIMIT_AS, unlimited)


def _lacked_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _load_model(path: Path, data: bytes) -> str:
    model = load_model(path, features=FEATURES)
    names = ("weights", "bias", "mean", "scale")
    document = {
        "class_names": list(model.class_names),
        "temperature": model.temperature,
        "data_digest": model.data_digest,
        "settings": model.settings,
        "results": model.results,
    }
    problem = unsoundness(model) or disagreement(
        data, "model", {name: getattr(model, name) for name in names}, document
    )
    for look in (settings_of, own_temperature):  # what `evaluate` and `predict` do next
        try:
            look(model)
        except ModelError as error:
            if _lacked_memory(error):
                raise
    return problem


def _load_checkpoint(path: Path, data: bytes) -> str:
    checkpoint, warnings = load_latest_checkpoint(path.parent)
    document = {"step": checkpoint.step, "state": checkpoint.document}
    wrong_step = "" if checkpoint.step == STEP and not warnings else "it is another checkpoint"
    return wrong_step or disagreement(data, "checkpoint", checkpoint.arrays, document)


def damaged(sound: bytes) -> Iterator[tuple[str, bytes]]:
    """Every truncation and every flip of one bit."""
    for length in range(len(sound)):
        yield f"the first {length} bytes", sound[:length]
    data = bytearray(sound)
    for bit in range(8 * len(sound)):
        data[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit} flipped", bytes(data)
        data[bit // 8] ^= 1 << bit % 8


def mutation(seed: int, case: int, sound: bytes) -> bytes:
    """The altered file of one case."""
    return mutated(random.Random(f"{seed} {case}"), sound)


def _attack(seed: int, count: int, folder: Path) -> _Tally:
    tally = _Tally()
    path = folder / "model.safetensors"
    model = small_model(path, features=FEATURES, classes=_CLASSES)
    tally.try_file("the sound model", path, model, _load_model, sealed=True)
    other = small_model(path, features=FEATURES - 1, classes=_CLASSES)
    tally.try_file("a model of other images", path, other, _load_model, sealed=False)
    for title, data in damaged(model):
        tally.try_file(f"model, {title}", path, data, _load_model, sealed=False)
    for case in range(count):
        data = mutation(seed, case, model)
        tally.try_file(f"model, case {case}", path, data, _load_model, sealed=True)
    path = folder / "checkpoint" / f"step-{STEP:08d}.safetensors"
    checkpoint = small_checkpoint(path.parent)
    tally.try_file("the sound checkpoint", path, checkpoint, _load_checkpoint, sealed=True)
    for title, data in damaged(checkpoint):
        tally.try_file(f"checkpoint, {title}", path, data, _load_checkpoint, sealed=False)
    for case in range(count // _CHECKPOINT_SHARE):
        data = mutation(seed, case, checkpoint)
        tally.try_file(f"checkpoint, case {case}", path, data, _load_checkpoint, sealed=True)
    return tally


if __name__ == "__main__":
    done = _attack(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps({"seen": done.seen, "failures": done.failures[:_MOST_FAILURES]}))
