"""Several models on the same images: how they differ, and by more than chance or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats
from softmax_cli.config.differences import differing_settings
from softmax_cli.errors import ConfigurationError
from softmax_cli.evaluation.assessment import Assessment, Split, assess
from softmax_cli.evaluation.metrics import predictions
from softmax_cli.evaluation.paired import PairedDifference, holm, mean_differences
from softmax_cli.evaluation.predictor import loss_of, settings_of
from softmax_cli.features.cache import ExtractionObserver
from softmax_cli.model.softmax_loss import SOFTMAX
from softmax_cli.runs.model_file import SavedModel

_IGNORED = ("data.dir",)
"""Where the data lies makes no difference."""


@dataclass(frozen=True)
class ClassDifference:
    """The recall of one class, minus that of the first model."""

    name: str
    recall: PairedDifference


@dataclass(frozen=True)
class ModelDifference:
    """What one model differs in from the first.

    Attributes:
        accuracy: minus that of the first.
        accuracy_p_holm: its p value, corrected for the number of models.
        loss: of the kind that both have, minus that of the first; None where they have none.
        loss_p_holm: likewise.
        classes: all of them, those that differ most first.
    """

    accuracy: PairedDifference
    accuracy_p_holm: float
    loss: PairedDifference | None
    loss_p_holm: float | None
    classes: tuple[ClassDifference, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models on the same images; the first is what the others are compared with.

    Attributes:
        names: of the models, all different.
        assessments: of the models.
        settings: dotted key -> its value for each model, where they differ.
        differences: of all models but the first.
    """

    names: tuple[str, ...]
    assessments: tuple[Assessment, ...]
    settings: dict[str, list[Any]]
    differences: tuple[ModelDifference, ...]

    def to_json(self) -> dict[str, Any]:
        """The figures under stable names, without confusion matrices."""
        first = self.assessments[0]
        return {
            "split": first.split,
            "examples": first.evaluation.examples,
            "settings": self.settings,
            "runs": [
                {"name": name, **_summary(assessment)}
                for name, assessment in zip(self.names, self.assessments, strict=True)
            ],
            "compared_with": self.names[0],
            "differences": [
                {"name": name, **_difference_json(difference)}
                for name, difference in zip(self.names[1:], self.differences, strict=True)
            ],
        }


def compare_models(
    models: Sequence[SavedModel],
    names: Sequence[str],
    split: Split = "test",
    data_dir: Path | None = None,
    observer: ExtractionObserver | None = None,
) -> Comparison:
    """Score all models on the images of a split, and test each against the first.

    Args:
        models: at least two.
        names: one for each of them.
        split: which images of their data set.
        data_dir: where it is; None looks where each training found it.
        observer: is told of features that take long to compute.

    Raises:
        ConfigurationError: the models know different classes, or their images differ.
        DataError: the images are missing or not intact.
        ModelError: the settings of a model are not valid.
    """
    for name, model in zip(names, models, strict=True):
        if model.class_names != models[0].class_names:
            raise ConfigurationError(
                f"expected models of the same classes: {names[0]} knows "
                f"{', '.join(models[0].class_names)}, {name} knows {', '.join(model.class_names)}",
                hint="Compare models that were trained on one data set.",
            )
    assessments = [assess(model, split, data_dir, observer=observer) for model in models]
    for name, assessment in zip(names, assessments, strict=True):
        if assessment.images.digest != assessments[0].images.digest:
            raise ConfigurationError(
                f"expected models with the same {split} {assessment.images.noun}: those of "
                f"{names[0]} and of {name} differ",
                hint="Both must have the same data.dataset and data.dir and, but for --split test, "
                "the same sizes of the split; with data.dataset arrays, the same files.",
            )
    return Comparison(
        names=tuple(names),
        assessments=tuple(assessments),
        settings=differing_settings([settings_of(model) for model in models], ignored=_IGNORED),
        differences=tuple(_differences(models, assessments)),
    )


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """As few of the last parts of each path as tell them apart."""
    parts = [path.absolute().parts for path in paths]
    for count in range(1, max(map(len, parts))):
        names = ["/".join(own[-count:]) for own in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{number}: {path}" for number, path in enumerate(paths, start=1)]


def _differences(
    models: Sequence[SavedModel], assessments: Sequence[Assessment]
) -> list[ModelDifference]:
    labels = assessments[0].images.labels
    hits = [predictions(assessment.scores) == labels for assessment in assessments]
    accuracies = [PairedDifference.of_hits(hits[0], own) for own in hits[1:]]
    losses = _loss_differences(models, assessments)
    accuracy_p = holm([difference.p_value for difference in accuracies])
    loss_p = iter(holm([difference.p_value for difference in losses if difference]))
    names = assessments[0].images.class_names
    return [
        ModelDifference(accuracy, p, loss, next(loss_p) if loss else None, classes)
        for accuracy, p, loss, classes in zip(
            accuracies,
            accuracy_p,
            losses,
            (_class_differences(hits[0], own, labels, names) for own in hits[1:]),
            strict=True,
        )
    ]


def _loss_differences(
    models: Sequence[SavedModel], assessments: Sequence[Assessment]
) -> list[PairedDifference | None]:
    """Of the log losses of probabilities, or of the losses of one kind; all by one bootstrap."""
    columns = [_loss_difference(models, assessments, other) for other in range(1, len(models))]
    known = [column for column in columns if column is not None]
    found = iter(mean_differences(np.stack(known, axis=1)) if known else [])
    return [None if column is None else next(found) for column in columns]


def _loss_difference(
    models: Sequence[SavedModel], assessments: Sequence[Assessment], other: int
) -> Floats | None:
    """On each image (n,), or None where the two have no loss in common."""
    pair = [(loss_of(models[i]), models[i], assessments[i]) for i in (0, other)]
    labels = assessments[0].images.labels
    if all(assessment.temperature is not None for _, _, assessment in pair):
        first, second = (
            SOFTMAX.of_each(assessment.scores, labels, assessment.temperature or 1.0)
            for _, _, assessment in pair
        )
    elif pair[0][0] is pair[1][0]:
        first, second = (
            loss.of_each(assessment.scores, labels, model.temperature)
            for loss, model, assessment in pair
        )
    else:
        return None
    return np.asarray(second - first)


def _class_differences(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
) -> tuple[ClassDifference, ...]:
    found = [
        ClassDifference(name, PairedDifference.of_hits(first[own], second[own]))
        for name, own in ((name, labels == c) for c, name in enumerate(class_names))
    ]
    return tuple(sorted(found, key=lambda difference: -abs(difference.recall.difference)))


def _summary(assessment: Assessment) -> dict[str, Any]:
    document = assessment.to_json()
    return {
        key: value
        for key, value in document.items()
        if key not in {"split", "examples", "confusion_matrix", "per_class"}
    }


def _difference_json(difference: ModelDifference) -> dict[str, Any]:
    def figures(name: str, found: PairedDifference | None) -> dict[str, Any]:
        return {
            name: found and found.difference,
            f"{name}_interval": found and found.interval,
            f"{name}_p_value": found and found.p_value,
        }

    return {
        **figures("accuracy_difference", difference.accuracy),
        "accuracy_difference_p_value_holm": difference.accuracy_p_holm,
        **figures("loss_difference", difference.loss),
        "loss_difference_p_value_holm": difference.loss_p_holm,
        "classes": [
            {"name": found.name, **figures("recall_difference", found.recall)}
            for found in difference.classes
        ],
    }
