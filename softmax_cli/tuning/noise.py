"""Which settings cannot be told from the best one, and which of them is chosen."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from softmax_cli.arrays import Floats
from softmax_cli.evaluation.intervals import Interval, share_interval, student_interval
from softmax_cli.evaluation.paired import SIGNIFICANCE, mcnemar_p_value, paired_t_p_value
from softmax_cli.tuning.outcomes import Metric, Outcome
from softmax_cli.tuning.repeats import Setting

Selection = Literal["best", "simplest"]


def accuracy_interval(outcome: Outcome) -> Interval | None:
    """The 95 % interval of a validation accuracy: Student's over folds, else Wilson's.

    None where there is no accuracy, or it is not known of how many images.
    """
    if not outcome.has_figures:
        return None
    folds = outcome.fold_accuracies
    if folds is not None:
        low, high = student_interval(
            outcome.validation_accuracy, float(np.std(folds, ddof=1)), len(folds)
        )
        return max(low, 0.0), min(high, 1.0)
    if outcome.validation_images is None:
        return None
    return share_interval(outcome.validation_accuracy, outcome.validation_images)


def within_noise(settings: Sequence[Setting]) -> list[bool | None]:
    """Whether the accuracy of each setting could be that of the first, the best one.

    Two trials are told apart by the exact test of McNemar on the validation images; settings with
    repeats by Student's paired test on the hits of each image, averaged over the repeats; trials
    with folds by that test on the accuracies of the folds, corrected for training images that folds
    share. Only what was trained to its end counts.

    Args:
        settings: best first.

    Returns:
        For each setting True for the best itself and for those with a p value of 5 % or more, None
        where it is not known.
    """
    return [_is_complete(setting) and _like(settings[0], setting) for setting in settings]


def select(
    settings: Sequence[Setting],
    rule: Selection,
    metric: Metric,
    regularization: Mapping[str, float],
) -> Setting:
    """The setting whose model is kept.

    Args:
        settings: best first, the first with figures.
        rule: ``best``, the first; ``simplest``, the most regularised of those within one standard
            error of it (Breiman et al., "Classification and Regression Trees", 1984, section
            3.4.3).
        metric: what the best is best in.
        regularization: lambda of each trial by its id.
    """
    best = settings[0]
    if rule == "best":
        return best
    limit = _loss(best, metric) + _standard_error(best, metric)
    close = [s for s in settings if s is best or (_is_complete(s) and _loss(s, metric) <= limit)]
    # Of equals the first, which ranks higher.
    return max(close, key=lambda setting: regularization[setting.mean.id])


def _is_complete(setting: Setting) -> bool:
    return setting.mean.has_figures and setting.mean.status in {"finished", "stopped"}


def _like(best: Setting, other: Setting) -> bool | None:
    if best is other:
        return True
    if best.mean.fold_accuracies is not None and other.mean.fold_accuracies is not None:
        folds = np.array(other.mean.fold_accuracies) - np.array(best.mean.fold_accuracies)
        return paired_t_p_value(folds, overlap=1 / (len(folds) - 1)) >= SIGNIFICANCE
    first, second = _hits(best), _hits(other)
    if first is None or second is None or not _same_images(best.mean, other.mean):
        return None
    if len(best.repeats) == len(other.repeats) == 1:
        gained, lost = np.count_nonzero(second > first), np.count_nonzero(first > second)
        return mcnemar_p_value(int(gained), int(lost)) >= SIGNIFICANCE
    return paired_t_p_value(second - first) >= SIGNIFICANCE


def _hits(setting: Setting) -> Floats | None:
    """How often each validation image is right, (m,), 0 to 1."""
    rows = [repeat.unpacked_hits() for repeat in setting.repeats]
    known = [row for row in rows if row is not None]
    if len(known) < len(rows) or len({len(row) for row in known}) > 1:
        return None
    return np.asarray(np.mean(known, axis=0))


def _same_images(one: Outcome, other: Outcome) -> bool:
    """Whether the validation images are the same, whatever part of the others was trained on."""
    keys = {key for key in one.parameters | other.parameters if key.startswith("data.")}
    keys.discard("data.train_size")
    same_source = all(one.parameters.get(key) == other.parameters.get(key) for key in keys)
    return same_source and one.validation_images == other.validation_images


def _loss(setting: Setting, metric: Metric) -> float:
    """The figure that the best has least of."""
    mean = setting.mean
    return mean.validation_loss if metric == "validation_loss" else -mean.validation_accuracy


def _standard_error(setting: Setting, metric: Metric) -> float:
    """Of the figure that ranks a setting: over folds, or of a share of the validation images."""
    mean, folds = setting.mean, setting.mean.fold_accuracies
    if folds is None:
        accuracy, images = mean.validation_accuracy, mean.validation_images
        return math.sqrt(accuracy * (1 - accuracy) / images) if images else 0.0
    if metric == "validation_accuracy":
        return float(np.std(folds, ddof=1)) / math.sqrt(len(folds))
    spread = np.mean([repeat.validation_loss_std for repeat in setting.repeats])
    return float(spread) / math.sqrt(len(folds))
