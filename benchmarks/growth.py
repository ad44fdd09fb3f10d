"""How time and memory grow with the number of models, the minibatch and the images.

Every point is measured in a process of its own, so that its peak memory is its own.
``python -m benchmarks.growth DATA_DIR MODELS BATCH_SIZE IMAGES REPEATS`` measures one of them and
prints it as JSON.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.peak import run_measured
from benchmarks.step import StepTimes, time_step
from benchmarks.timing import Announce, Spread
from softmax_cli.data.dataset import DataFolder
from softmax_cli.data.datasets import DEFAULT_DATASET, load_split


@dataclass(frozen=True)
class Axes:
    """What is varied, each with the other two at the values of the preset cs231n."""

    models: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    batch_sizes: tuple[int, ...] = (50, 100, 200, 500, 1000, 2000)
    images: tuple[int, ...] = (5_000, 10_000, 20_000, 30_000, 40_000, 50_000)

    def points(self) -> Iterator[tuple[str, int, int, int]]:
        """Name of the axis, K, N and number of images of each point."""
        most = max(self.images)
        yield from (("models", models, 200, most) for models in self.models)
        yield from (("batch_size", 1, size, most) for size in self.batch_sizes)
        yield from (("images", 1, 200, count) for count in self.images)


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        axis: what is varied: ``models``, ``batch_size`` or ``images``.
        step: the times.
        peak_bytes: most memory of the process, with the whole data set in it.
    """

    axis: str
    step: StepTimes
    peak_bytes: int

    @property
    def seconds_per_model(self) -> float:
        """Time of a step, divided by the number of models."""
        return self.step.seconds.median / self.step.models


def measure_growth(
    data_dir: Path, axes: Axes, *, repeats: int, announce: Announce
) -> tuple[Point, ...]:
    """Measure every point, one after another.

    Args:
        data_dir: where CIFAR-10 is.
        axes: what is varied.
        repeats: blocks of measurements of each point.
        announce: is told of each point.
    """
    points = []
    for axis, models, batch_size, images in axes.points():
        numbers = [str(number) for number in (models, batch_size, images, repeats)]
        folder = str(data_dir.resolve())
        ran = run_measured([sys.executable, "-m", "benchmarks.growth", folder, *numbers])
        step = _step_times(json.loads(ran.output))
        points.append(Point(axis, step, ran.peak_bytes))
        announce(
            f"K = {models}, batch {batch_size}, {images:,} images: "
            f"{1000 * step.seconds.median:.3g} ms, {ran.peak_bytes / 1e6:.0f} MB"
        )
    return tuple(points)


def _step_times(document: dict[str, Any]) -> StepTimes:
    for name in ("seconds", "product_seconds", "ratio"):
        document[name] = Spread(**document[name])
    return StepTimes(**document)


def _main(data_dir: str, *numbers: str) -> None:
    models, batch_size, images, repeats = map(int, numbers)
    training = load_split(DataFolder(DEFAULT_DATASET, Path(data_dir)), "train").take_first(images)
    print(json.dumps(asdict(time_step(training, models, batch_size, repeats))))


if __name__ == "__main__":
    _main(*sys.argv[1:])
