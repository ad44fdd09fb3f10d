"""What a saved model is worth on the data set it was trained on, and the temperature it lacks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from softmax_cli.arrays import Floats, Labels
from softmax_cli.data.datasets import load_part
from softmax_cli.data.images import ImageSet
from softmax_cli.errors import DataError, ModelError
from softmax_cli.evaluation.calibration import (
    Reliability,
    calibration_error_of_sample,
    fit_temperature,
    reliability,
)
from softmax_cli.evaluation.intervals import (
    Interval,
    bootstrap,
    percentile_interval,
    upward_biased_interval,
)
from softmax_cli.evaluation.metrics import Evaluation, check_scores, evaluate
from softmax_cli.evaluation.predictor import (
    feature_map_of,
    feature_settings_of,
    is_temperature,
    loss_of,
    model_digest,
    own_temperature,
    scores_of_features,
    settings_of,
)
from softmax_cli.features.cache import ExtractionObserver, FeatureCache
from softmax_cli.model.loss import Loss
from softmax_cli.model.softmax_loss import SOFTMAX
from softmax_cli.runs.model_file import SavedModel
from softmax_cli.runs.tables import read_json

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class ReliabilityIntervals:
    """95 % intervals of what a `Reliability` has under the same names, by a bootstrap."""

    loss: Interval
    expected_calibration_error: Interval


@dataclass(frozen=True, eq=False)
class Assessment:
    """A model's scores on one split, and what they are worth.

    Attributes:
        split: which images.
        images: those images.
        scores: (n, C) float32, not divided by a temperature.
        evaluation: accuracy and the rest. Its loss is of the kind the model was trained with: the
            softmax loss at ``temperature``, or the hinge loss, which knows no temperature.
        temperature: of the probabilities; None where a hinge model has none.
        reliability: of the probabilities; None where there are none.
        reliability_intervals: of its loss and of its calibration error; None where it is None.
    """

    split: Split
    images: ImageSet
    scores: NDArray[np.float32]
    evaluation: Evaluation
    temperature: float | None
    reliability: Reliability | None
    reliability_intervals: ReliabilityIntervals | None

    def to_json(self) -> dict[str, Any]:
        """The figures under stable names."""
        measured, intervals = self.reliability, self.reliability_intervals
        return {
            "split": self.split,
            **self.evaluation.to_json(),
            "temperature": self.temperature,
            "negative_log_likelihood": measured.loss if measured else None,
            "negative_log_likelihood_interval": intervals.loss if intervals else None,
            "expected_calibration_error": (
                measured.expected_calibration_error if measured else None
            ),
            "expected_calibration_error_interval": (
                intervals.expected_calibration_error if intervals else None
            ),
        }


@dataclass(frozen=True, eq=False)
class Calibration:
    """A temperature fitted to the validation images, and what it brings on other images.

    Attributes:
        temperature: where the mean negative log-likelihood of the validation images is least.
        examples: how many validation images there were.
        split: which images ``before`` and ``after`` speak of.
        before: the model's own probabilities; None for a hinge model.
        after: the probabilities at the fitted temperature.
    """

    temperature: float
    examples: int
    split: Split
    before: Reliability | None
    after: Reliability

    def to_json(self) -> dict[str, Any]:
        """The figures under stable names."""
        return {
            "temperature": self.temperature,
            "fitted_on": "validation",
            "examples": self.examples,
            "split": self.split,
            "before": self.before.to_json() if self.before else None,
            "after": self.after.to_json(),
        }


def images_for(model: SavedModel, split: Split, data_dir: Path | None = None) -> ImageSet:
    """Images of the data set a model was trained on, cut as in its training.

    Args:
        model: the model.
        split: ``train`` and ``validation`` are the two parts of the training split.
        data_dir: where the data set is; None looks where training found it.

    Raises:
        DataError: the data set is missing or not intact, or has other classes than the model.
    """
    settings = settings_of(model).data
    changes: dict[str, Any] = {"dir": str(data_dir)} if data_dir else {}
    if settings.train is not None:
        # With them labels are understood as in the training, whatever is left of its files.
        changes["class_names"] = model.class_names
    images = load_part(settings.model_copy(update=changes), split)
    if images.class_names != model.class_names:
        raise DataError(
            f"expected a data set of the model's classes ({', '.join(model.class_names)}), "
            f"got {', '.join(images.class_names)}"
        )
    if not images.is_pictures and images.images.shape[1] != len(model.weights):
        raise DataError(
            f"data.{split}: expected {len(model.weights)} features as in the training, "
            f"got {images.images.shape[1]}"
        )
    return images


def scores_of_images(
    model: SavedModel,
    images: ImageSet,
    data_dir: Path | None = None,
    observer: ExtractionObserver | None = None,
) -> NDArray[np.float32]:
    """Scores (n, C) of images (n, 3072) of a data set, whose features are kept.

    Args:
        model: the model.
        images: n of them.
        data_dir: where the data set is; None looks where training found it.
        observer: is told of features that take long to compute.
    """
    cache = FeatureCache(data_dir or settings_of(model).data.directory, observer)
    rows = cache.rows(feature_map_of(model), feature_settings_of(model), images)
    return scores_of_features(model, rows)


def assess(
    model: SavedModel,
    split: Split,
    data_dir: Path | None = None,
    *,
    temperature: float | None = None,
    observer: ExtractionObserver | None = None,
) -> Assessment:
    """Score the images of a split and measure everything.

    Args:
        model: the model.
        split: which images of its data set.
        data_dir: where the data set is; None looks where training found it.
        temperature: for the probabilities, in place of the model's own; above 0.
        observer: is told of features that take long to compute.

    Raises:
        DataError: the images are missing or not intact, or of other classes.
        ModelError: the model's settings are not valid.
    """
    images = images_for(model, split, data_dir)
    scores = scores_of_images(model, images, data_dir, observer)
    used = own_temperature(model) if temperature is None else temperature
    at = model.temperature if used is None else used
    loss, labels = loss_of(model), images.labels
    measured = None if used is None else reliability(scores, labels, used)
    loss_interval, intervals = _bootstrapped(loss, scores, labels, at, measured)
    return Assessment(
        split=split,
        images=images,
        scores=scores,
        evaluation=evaluate(
            scores,
            labels,
            model.class_names,
            loss=loss.mean(scores, labels, at),
            loss_interval=loss_interval,
        ),
        temperature=used,
        reliability=measured,
        reliability_intervals=intervals,
    )


def _bootstrapped(
    loss: Loss, scores: Floats, labels: Labels, temperature: float, measured: Reliability | None
) -> tuple[Interval, ReliabilityIntervals | None]:
    """Intervals of the mean loss, and of what is measured of the probabilities, if anything."""
    check_scores(scores, labels)
    own = loss.of_each(scores, labels, temperature)  # (n,)
    if measured is None:
        means = bootstrap(lambda drawn: drawn @ own / len(own), len(own))
        return percentile_interval(means), None
    log_losses = SOFTMAX.of_each(scores, labels, measured.temperature)
    error = calibration_error_of_sample(scores, labels, measured.temperature)
    both = np.stack([own, log_losses], axis=1) / len(own)  # (n, 2)
    resampled = bootstrap(lambda drawn: np.append(drawn @ both, error(drawn)), len(own)).T
    return percentile_interval(resampled[0]), ReliabilityIntervals(
        loss=percentile_interval(resampled[1]),
        expected_calibration_error=upward_biased_interval(
            measured.expected_calibration_error, resampled[2]
        ),
    )


def assess_again(
    evaluation: Path,
    model: SavedModel,
    data_dir: Path | None = None,
    observer: ExtractionObserver | None = None,
) -> Assessment | None:
    """Repeat the evaluation that is described in a file.

    Args:
        evaluation: ``evaluation.json``.
        model: the model of its run directory.
        data_dir: where the data set is; None looks where training found it.
        observer: is told of features that take long to compute.

    Returns:
        None if there is no such file, or it speaks of another model.

    Raises:
        DataError: the images are missing or not intact, or of other classes.
        ModelError: the file is not one that this program wrote.
    """
    document = kept_evaluation(evaluation, model)
    if document is None:
        return None
    split, temperature = document["split"], document["temperature"]
    return assess(model, split, data_dir, temperature=temperature, observer=observer)


def kept_evaluation(evaluation: Path, model: SavedModel) -> dict[str, Any] | None:
    """What `softmax evaluate` kept of a model.

    Args:
        evaluation: ``evaluation.json``.
        model: the model of its run directory.

    Returns:
        The document, whose ``split`` and ``temperature`` are valid; None if there is no such file,
        or it speaks of another model.

    Raises:
        ModelError: the file is not one that this program wrote.
    """
    if not evaluation.is_file():
        return None
    document = read_json(evaluation)
    if document.get("model_digest") != model_digest(model):
        return None
    temperature = document.setdefault("temperature", None)
    is_known = document.get("split") in get_args(Split)
    if not is_known or not (temperature is None or is_temperature(temperature)):
        raise ModelError(f"{evaluation} is not an evaluation", hint="Evaluate the run again.")
    return document


def calibrate(
    model: SavedModel,
    assessment: Assessment,
    data_dir: Path | None = None,
    observer: ExtractionObserver | None = None,
) -> Calibration:
    """Fit a temperature to the validation images; see what it changes on an assessed split.

    Args:
        model: the model.
        assessment: of that model, at its own temperature.
        data_dir: where the data set is; None looks where training found it.
        observer: is told of features that take long to compute.
    """
    validation = images_for(model, "validation", data_dir)
    scores = scores_of_images(model, validation, data_dir, observer)
    temperature = fit_temperature(scores, validation.labels)
    return Calibration(
        temperature=temperature,
        examples=len(validation),
        split=assessment.split,
        before=assessment.reliability,
        after=reliability(assessment.scores, assessment.images.labels, temperature),
    )


def bound_to(model: SavedModel, document: dict[str, Any]) -> dict[str, Any]:
    """A document that says which model it speaks of, so that it is not taken for another's."""
    return {"model_digest": model_digest(model), **document}
