"""Time to a given accuracy on the test images, from features: hog, hog-fine and patches.

scikit-learn is given the same features, extracted and standardised beforehand. This package is
timed with and without their extraction.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.accuracy import Budgets, Curves, Ladder, compare_ladders, scikit_ladders
from benchmarks.contenders.own import SoftmaxTrain
from benchmarks.task import ARRAYS, Images, Task
from benchmarks.timing import Announce, Comparison, Contender
from softmax_cli.config.loading import load_train_config

EXTRACTING = "softmax, with extraction"


@dataclass(frozen=True)
class FeatureSizes:
    """How much is measured.

    Attributes:
        targets: preset, and the accuracy on the test images to be reached with it.
        budgets: that are tried.
    """

    targets: Mapping[str, float] = field(
        default_factory=lambda: {"hog": 0.525, "hog-fine": 0.675, "patches": 0.75}
    )
    budgets: Budgets = field(
        default_factory=lambda: Budgets(
            softmax=(1, 2, 3, 4, 5, 6, 8, 10, 15),
            lbfgs=(5, 10, 20, 30, 50, 80, 120, 200),
            sgd=(1, 2, 5, 10, 20),
        )
    )


def compare_features(
    images: Images,
    sizes: FeatureSizes,
    *,
    overrides: Sequence[str] = (),
    repeats: int,
    announce: Announce,
) -> tuple[tuple[Comparison, ...], dict[str, Curves]]:
    """Time to an accuracy for each preset.

    Args:
        images: the data set.
        sizes: presets, targets and budgets.
        overrides: further settings of this package's trainings.
        repeats: rounds that count.
        announce: is told of each run.

    Returns:
        The comparisons, and for each, by its name, what each contender did with each budget.
    """
    comparisons, curves = [], {}
    for preset, target in sizes.targets.items():
        announce(f"extracting the features of {preset}")
        comparison, tried = compare_preset(
            preset, images, sizes.budgets, overrides, target, repeats, announce
        )
        comparisons.append(comparison)
        curves[comparison.name] = tried
    return tuple(comparisons), curves


def compare_preset(
    preset: str,
    images: Images,
    budgets: Budgets,
    overrides: Sequence[str],
    target: float,
    repeats: int,
    announce: Announce,
) -> tuple[Comparison, Curves]:
    """Time to an accuracy with the features of a preset.

    Args:
        preset: its name.
        images: the data set.
        budgets: what is tried.
        overrides: further settings of this package's trainings.
        target: accuracy on the test images to be reached.
        repeats: rounds that count.
        announce: is told of each run.
    """
    config = load_train_config(preset, overrides)
    decay = f"optimizer.regularization={config.optimizer.regularization}"
    unflipped = "augmentation.horizontal_flip=false"
    held_out = f"data.validation_size={images.validation_size}"
    with tempfile.TemporaryDirectory(prefix="softmax-benchmark-") as folder:
        features = images.features(config, Path(folder))
        # The features are not folded for scikit-learn, and their deviations are its own.
        given = Task([load_train_config("linear", [*ARRAYS, held_out, decay, unflipped])], features)
        kept, nowhere = [f"data.dir={folder}"], [f"data.dir={folder}/none"]
        train, extract = (
            _training(name, preset, images, [*overrides, *where])
            for name, where in (("softmax", kept), (EXTRACTING, nowhere))
        )
        ladders = [
            Ladder("softmax", "epochs", budgets.softmax, 1, train),
            Ladder(EXTRACTING, "epochs", (), 1, extract, follows="softmax"),
            *scikit_ladders(given, budgets),
        ]
        comparison, curves = compare_ladders(ladders, features, target, repeats, announce)
    note = (
        f"softmax is the preset {preset} with another number of epochs, its features kept on disk "
        "from an earlier run, with preprocessing, validations and files; in the next line it "
        "computes them as well. scikit-learn gets the same features, standardised beforehand."
    )
    return replace(
        comparison,
        name=f"features, {preset}",
        title=f"{comparison.title} on the features of {preset}",
        notes=(*comparison.notes, note),
    ), curves


def _training(
    name: str, preset: str, images: Images, settings: Sequence[str]
) -> Callable[[float], Contender]:
    def contender(epochs: float) -> Contender:
        config = load_train_config(preset, [*settings, f"training.epochs={epochs:g}"])
        return SoftmaxTrain(name, [config], images)

    return contender
