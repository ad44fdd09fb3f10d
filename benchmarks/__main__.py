"""``python -m benchmarks [GROUP...]``: measure, print tables, write JSON, Markdown and a plot."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from benchmarks.accuracy import Budgets, compare_accuracy
from benchmarks.features import IMAGES, compare_extraction
from benchmarks.footprint import compare_loading, compare_start, peak_of_training
from benchmarks.growth import Axes, measure_growth
from benchmarks.machine import machine
from benchmarks.optimum import compare_optimum
from benchmarks.report import Results, machine_text, rich_table, tables_of, write_report
from benchmarks.single import compare_single
from benchmarks.step import MODELS, many_synthetic_images, time_step
from benchmarks.sweep import compare_sweep
from benchmarks.task import Images
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.errors import ConfigurationError, SoftmaxError
from softmax_cli.paths import expand_home

_LIBRARIES = {
    "single": ("torch", "jax"),
    "sweep": ("torch", "jax"),
    "accuracy": ("sklearn",),
    "optimum": ("sklearn",),
    "growth": (),
    "step": (),
    "features": (),
}
"""What each group needs beside this package."""

_GROUPS = ", ".join(_LIBRARIES)


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        iterations: of the single training and of each trial of the sweep.
        sampled: trials that stand for all where models are trained one after another.
        tolerance: of test accuracies.
        budgets: for the time to an accuracy.
        gradient: its greatest component at an optimum.
        lambdas: values of lambda whose optimum is sought.
        fitted: of these, how many are fitted where they are solved one after another.
        axes: for growth.
    """

    iterations: int = 3000
    sampled: int = 2
    tolerance: float = 0.015
    budgets: Budgets = field(default_factory=Budgets)
    gradient: float = 1e-5
    lambdas: int = 8
    fitted: int = 3
    axes: Axes = field(default_factory=Axes)


_FULL = Sizes()
_QUICK = Sizes(
    iterations=600,
    sampled=1,
    tolerance=0.05,
    budgets=Budgets(softmax=(0.5, 1), lbfgs=(2, 4), sgd=(1,)),
    gradient=1e-3,
    lambdas=3,
    fitted=2,
    axes=Axes(models=(1, 24), batch_sizes=(50, 200), images=(5_000, 50_000)),
)


class _Benchmarks:
    """One run of some groups."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._data_dir: Path = options.data_dir
        self._sizes = _QUICK if options.quick else _FULL
        self._repeats: int = options.repeats or (1 if options.quick else 5)
        self._target: float = options.target or (0.3 if options.quick else 0.416)
        self.results = Results(
            date=datetime.now(UTC).date().isoformat(),
            machine=machine(),
            settings={"quick": options.quick, "repeats": self._repeats, "target": self._target},
        )

    @cached_property
    def _images(self) -> Images:
        return Images.load(self._data_dir)

    def single(self) -> None:
        config = load_train_config("cs231n", [f"training.iterations={self._sizes.iterations}"])
        self.results.comparisons.append(
            compare_single(
                config,
                self._images,
                repeats=self._repeats,
                tolerance=self._sizes.tolerance,
                announce=_announce,
            )
        )

    def sweep(self) -> None:
        sweep = load_sweep_config("cs231n-sweep", [f"training.iterations={self._sizes.iterations}"])
        self.results.comparisons.append(
            compare_sweep(
                sweep,
                self._images,
                sampled=self._sizes.sampled,
                repeats=self._repeats,
                tolerance=self._sizes.tolerance,
                announce=_announce,
            )
        )

    def accuracy(self) -> None:
        comparison, self.results.curves = compare_accuracy(
            self._images,
            self._sizes.budgets,
            target=self._target,
            repeats=min(3, self._repeats),
            announce=_announce,
        )
        self.results.comparisons.append(comparison)

    def optimum(self) -> None:
        axis = f"{{low: 1e-4, high: 1, num: {self._sizes.lambdas}, scale: log}}"
        sweep = load_sweep_config(
            "optimum-sweep",
            [
                f"parameters.optimizer.regularization={axis}",
                "augmentation.horizontal_flip=false",
                f"optimizer.tolerance={self._sizes.gradient}",
            ],
        )
        self.results.comparisons.append(
            compare_optimum(sweep, self._images, sampled=self._sizes.fitted, announce=_announce)
        )

    def growth(self) -> None:
        results, repeats, folder = self.results, self._repeats, self._data_dir
        results.comparisons += [
            compare_loading(folder, repeats=repeats, announce=_announce),
            compare_start(repeats=2 * repeats, announce=_announce),
        ]
        results.training_peak = peak_of_training(folder, repeats=repeats, announce=_announce)
        results.points = measure_growth(
            folder, self._sizes.axes, repeats=repeats, announce=_announce
        )

    def step(self) -> None:
        images = many_synthetic_images()
        self.results.steps = [time_step(images, models, 200, self._repeats) for models in MODELS]

    def features(self) -> None:
        self.results.comparisons.append(compare_extraction(IMAGES, self._repeats, _announce))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 1 if a contender was invalid, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    groups = options.groups or list(_LIBRARIES)
    try:
        _require({library for group in groups for library in _LIBRARIES[group]})
        results = _measure(groups, options)
    except SoftmaxError as error:
        print(f"error: {error.message}", *filter(None, [error.hint]), sep="\n", file=sys.stderr)
        return 2
    _print(results)
    return 1 if results.complaints else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure this package against others."
    )
    parser.add_argument(
        "groups",
        nargs="*",
        metavar="GROUP",
        type=_group,
        help=f"{_GROUPS}; all if none is named",
    )
    parser.add_argument(
        "--data-dir",
        type=_path,
        default=os.environ.get("SOFTMAX_DATA_DIR", "data"),
        help="folder that holds cifar-10-batches-py/",
    )
    parser.add_argument("--repeats", type=int, help="rounds that count (default: 5)")
    parser.add_argument("--target", type=float, help="accuracy to be reached (default: 0.416)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that all works")
    parser.add_argument("--output", type=_path, help="folder for results.json, .md and .png")
    return parser


def _path(text: str) -> Path:
    try:
        return Path(expand_home(text))
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(error.message) from error


def _group(name: str) -> str:
    if name not in _LIBRARIES:
        raise argparse.ArgumentTypeError(f"expected some of {_GROUPS}, got {name}")
    return name


def _require(libraries: set[str]) -> None:
    missing = sorted(name for name in libraries if importlib.util.find_spec(name) is None)
    if missing:
        raise ConfigurationError(
            f"expected {', '.join(missing)} to compare with, but not installed",
            hint="Install all of them with: pip install -e '.[bench]'",
        )


def _measure(groups: Sequence[str], options: argparse.Namespace) -> Results:
    benchmarks = _Benchmarks(options)
    for group in groups:
        _announce(f"== {group}")
        getattr(benchmarks, group)()
        if options.output:
            # After each group: the next one may take many minutes, or fail.
            write_report(benchmarks.results, options.output)
    return benchmarks.results


def _print(results: Results) -> None:
    from rich.console import Console

    console = Console(width=max(100, Console().width))
    console.print(machine_text(results))
    for table in tables_of(results):
        console.print(rich_table(table))


def _announce(message: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
