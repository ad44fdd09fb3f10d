"""The groups that the command line can be told to measure, and how much of each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.accuracy import Budgets, compare_accuracy
from benchmarks.arrays import ProbeSizes, compare_probes
from benchmarks.extraction import IMAGES, compare_extraction
from benchmarks.features import FeatureSizes, compare_features
from benchmarks.footprint import compare_loading, compare_start, peak_of_optimum, peak_of_training
from benchmarks.growth import Axes, measure_growth
from benchmarks.optimum import compare_hog, compare_pixels, optimum_settings
from benchmarks.results import Findings
from benchmarks.single import compare_single
from benchmarks.step import MODELS, many_synthetic_images, time_step
from benchmarks.sweep import compare_sweep
from benchmarks.task import Images
from benchmarks.threads import COUNTS, compare_counts, compare_side_by_side
from benchmarks.timing import Announce
from softmax_cli.config.loading import load_train_config
from softmax_cli.config.sweep_loading import load_sweep_config

_FEW = 3
"""Rounds at most where one takes a minute."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        iterations: of the single training and of each trial of the sweep.
        sampled: trials that stand for all where models are trained one after another.
        tolerance: of test accuracies.
        budgets: for the time to an accuracy.
        gradient: its greatest component at an optimum.
        lambdas: values of lambda whose optimum is sought on pixels.
        hog_lambdas: the same on the features of hog.
        fitted: of these, how many are fitted where they are solved one after another.
        probe: of the linear probe.
        features: for the time to an accuracy from features.
        images: training and test images of the optimum and of features; None for all.
        threads: numbers of threads that are forced.
        axes: for growth.
    """

    iterations: int = 3000
    sampled: int = 2
    tolerance: float = 0.015
    budgets: Budgets = field(default_factory=Budgets)
    gradient: float = 1e-5
    lambdas: int = 8
    hog_lambdas: int = 20
    fitted: int = 3
    probe: ProbeSizes = field(default_factory=ProbeSizes)
    features: FeatureSizes = field(default_factory=FeatureSizes)
    images: tuple[int, int] | None = None
    threads: tuple[int, ...] = COUNTS
    axes: Axes = field(default_factory=Axes)


FULL = Sizes()
_QUICK_BUDGETS = Budgets(softmax=(0.5, 1), optimum=(1,), lbfgs=(2, 4), sgd=(1,))
QUICK = Sizes(
    iterations=600,
    sampled=1,
    tolerance=0.05,
    budgets=_QUICK_BUDGETS,
    gradient=1e-3,
    lambdas=3,
    hog_lambdas=3,
    fitted=2,
    probe=ProbeSizes(
        examples=5000,
        test=2000,
        features=128,
        separation=0.25,
        rates=2,
        decays=2,
        lambdas=4,
        iterations=300,
        fitted=2,
    ),
    features=FeatureSizes(
        targets={"hog": 0.2, "hog-fine": 0.2, "patches": 0.2},
        budgets=_QUICK_BUDGETS,
    ),
    images=(3000, 1000),
    threads=(1, 2, 4),
    axes=Axes(models=(1, 24), batch_sizes=(50, 200), images=(5_000, 50_000)),
)


class Benchmarks:
    """What measures the groups; each of them is a method.

    Args:
        data_dir: where CIFAR-10 is.
        sizes: how much is measured.
        repeats: rounds that count.
        target: accuracy on the test images to be reached from pixels.
        announce: is told of each run.
    """

    def __init__(
        self, data_dir: Path, sizes: Sizes, *, repeats: int, target: float, announce: Announce
    ) -> None:
        self._data_dir = data_dir
        self._sizes = sizes
        self._repeats = repeats
        self._target = target
        self._announce = announce

    @cached_property
    def _images(self) -> Images:
        return Images.load(self._data_dir)

    @property
    def _fewer_images(self) -> Images:
        return self._images.take_first(*self._sizes.images) if self._sizes.images else self._images

    def single(self) -> Findings:
        """One training."""
        config = load_train_config("cs231n", [f"training.iterations={self._sizes.iterations}"])
        comparison = compare_single(
            config,
            self._images,
            repeats=self._repeats,
            tolerance=self._sizes.tolerance,
            announce=self._announce,
        )
        return Findings((comparison,))

    def sweep(self) -> Findings:
        """24 trials side by side."""
        sweep = load_sweep_config("cs231n-sweep", [f"training.iterations={self._sizes.iterations}"])
        comparison = compare_sweep(
            sweep,
            self._images,
            sampled=self._sizes.sampled,
            repeats=self._repeats,
            tolerance=self._sizes.tolerance,
            announce=self._announce,
        )
        return Findings((comparison,))

    def accuracy(self) -> Findings:
        """Time to an accuracy from pixels."""
        comparison, curves = compare_accuracy(
            self._images,
            self._sizes.budgets,
            target=self._target,
            repeats=min(_FEW, self._repeats),
            announce=self._announce,
        )
        return Findings((comparison,), {comparison.name: curves})

    def optimum(self) -> Findings:
        """The best models for a grid of lambda."""
        sizes, announce = self._sizes, self._announce
        settings = optimum_settings(sizes.lambdas, sizes.gradient)
        pixels, difference = compare_pixels(
            self._fewer_images, settings, sampled=sizes.fitted, announce=announce
        )
        hog = compare_hog(
            self._fewer_images,
            optimum_settings(sizes.hog_lambdas, sizes.gradient),
            sampled=sizes.fitted,
            announce=announce,
        )
        peak = peak_of_optimum(
            self._data_dir,
            settings,
            trained=len(self._fewer_images.train) - self._images.validation_size,
            repeats=1,
            announce=announce,
        )
        return Findings((pixels, hog), figures=(difference, peak))

    def arrays(self) -> Findings:
        """A linear probe."""
        comparisons = compare_probes(
            self._sizes.probe,
            gradient=self._sizes.gradient,
            repeats=min(_FEW, self._repeats),
            tolerance=self._sizes.tolerance,
            announce=self._announce,
        )
        return Findings(comparisons)

    def features(self) -> Findings:
        """Extraction beside its products, and time to an accuracy from features."""
        extraction = compare_extraction(IMAGES, self._repeats, self._announce)
        comparisons, curves = compare_features(
            self._fewer_images,
            self._sizes.features,
            repeats=min(_FEW, self._repeats),
            announce=self._announce,
        )
        return Findings((extraction, *comparisons), curves)

    def threads(self) -> Findings:
        """The number of threads of a step, and two trainings at once."""
        counted = compare_counts(
            self._sizes.threads, repeats=self._repeats, announce=self._announce
        )
        settings = [f"training.iterations={self._sizes.iterations}"]
        both = compare_side_by_side(
            self._data_dir, settings, repeats=self._repeats, announce=self._announce
        )
        return Findings((*counted, both))

    def growth(self) -> Findings:
        """Loading, starting, memory, and how a step grows."""
        repeats, folder, announce = self._repeats, self._data_dir, self._announce
        return Findings(
            (
                compare_loading(folder, repeats=repeats, announce=announce),
                compare_start(repeats=2 * repeats, announce=announce),
            ),
            figures=(peak_of_training(folder, repeats=repeats, announce=announce),),
            points=measure_growth(folder, self._sizes.axes, repeats=repeats, announce=announce),
        )

    def step(self) -> Findings:
        """A step beside its products."""
        images = many_synthetic_images()
        return Findings(
            steps=tuple(time_step(images, models, 200, self._repeats) for models in MODELS)
        )


@dataclass(frozen=True)
class Group:
    """Something to measure.

    Attributes:
        measure: the method that does so.
        libraries: what it needs beside this package.
    """

    measure: Callable[[Benchmarks], Findings]
    libraries: tuple[str, ...] = ()


GROUPS: dict[str, Group] = {
    "single": Group(Benchmarks.single, ("torch", "jax")),
    "sweep": Group(Benchmarks.sweep, ("torch", "jax")),
    "accuracy": Group(Benchmarks.accuracy, ("sklearn",)),
    "optimum": Group(Benchmarks.optimum, ("sklearn",)),
    "arrays": Group(Benchmarks.arrays, ("jax", "sklearn")),
    "features": Group(Benchmarks.features, ("sklearn",)),
    "threads": Group(Benchmarks.threads),
    "growth": Group(Benchmarks.growth),
    "step": Group(Benchmarks.step),
}
"""By name, in the order of a report."""
