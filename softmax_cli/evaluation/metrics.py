"""How good a classifier's scores are: accuracy, top-k, log-likelihood, per-class figures.

Conventions, for all functions below:

- ``scores`` is ``(n, C)``, float32 or float64, finite; a larger score is a better guess.
- ``labels`` is ``(n,)``, integers in ``0 .. C - 1``.
- The prediction is ``argmax`` over a row; of equal scores the lowest class index wins. Top-k ranks
  by the same rule, so top-1 accuracy and accuracy are the same number.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, DivergedError
from softmax_cli.evaluation.intervals import Interval, share_interval, wilson_interval
from softmax_cli.model.softmax import log_softmax

Scores: TypeAlias = NDArray[np.floating[Any]]
Labels: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class ClassMetrics:
    """How one class fares.

    ``precision`` is 0 for a class that is never predicted (``predicted`` tells such a 0 from an
    earned one), ``recall`` is 0 for a class without examples, ``f1`` is 0 where both are absent.
    """

    name: str
    precision: float
    precision_interval: Interval
    recall: float
    recall_interval: Interval
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one set of images says about one model.

    Intervals are of 95 %; see ``intervals``. Of the loss there is one if it was given.

    ``top5_accuracy`` counts the best ``min(5, C)`` classes. ``confusion_matrix`` is ``(C, C)``
    int64 with true classes as rows and predicted classes as columns.
    """

    examples: int
    loss: float
    loss_interval: Interval | None
    accuracy: float
    accuracy_interval: Interval
    top5_accuracy: float
    top5_accuracy_interval: Interval
    per_class: tuple[ClassMetrics, ...]
    confusion_matrix: NDArray[np.int64]

    def to_json(self) -> dict[str, Any]:
        """Return the same figures as plain lists, numbers and strings, under the field names."""
        return {
            "examples": self.examples,
            "loss": self.loss,
            "loss_interval": self.loss_interval,
            "accuracy": self.accuracy,
            "accuracy_interval": self.accuracy_interval,
            "top5_accuracy": self.top5_accuracy,
            "top5_accuracy_interval": self.top5_accuracy_interval,
            "per_class": [asdict(metrics) for metrics in self.per_class],
            "confusion_matrix": self.confusion_matrix.tolist(),
        }


def evaluate(
    scores: Scores,
    labels: Labels,
    class_names: Sequence[str],
    *,
    loss: float,
    loss_interval: Interval | None = None,
) -> Evaluation:
    """Gather every figure of this module for one model on one set of images.

    Args:
        scores: ``(n, C)``.
        labels: ``(n,)``.
        class_names: C names, in the order of the columns of ``scores``.
        loss: mean data loss of the model's own kind, as `Loss.mean` gives it.
        loss_interval: of that mean.

    Raises:
        DataError: there are no images, or scores, labels and names do not fit together.
        DivergedError: a score is not finite.
    """
    check_scores(scores, labels)
    if len(class_names) != scores.shape[1]:
        raise DataError(
            f"expected one class name for each of {scores.shape[1]} score columns, "
            f"got {len(class_names)}"
        )
    matrix = confusion_matrix(predictions(scores), labels, scores.shape[1])
    top5 = top_k_accuracy(scores, labels, min(5, scores.shape[1]))
    return Evaluation(
        examples=len(labels),
        loss=float(loss),
        loss_interval=loss_interval,
        accuracy=accuracy(scores, labels),
        accuracy_interval=wilson_interval(int(np.trace(matrix)), len(labels)),
        top5_accuracy=top5,
        top5_accuracy_interval=share_interval(top5, len(labels)),
        per_class=per_class_metrics(matrix, class_names),
        confusion_matrix=matrix,
    )


def check_scores(scores: Scores, labels: Labels) -> None:
    """Refuse scores and labels that no figure can be computed from.

    Raises:
        DataError: there are no images, or scores and labels do not fit together.
        DivergedError: a score is not finite.
    """
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise DataError(
            f"expected scores (n, C) and labels (n,), got {scores.shape} and {labels.shape}"
        )
    if scores.size == 0:
        raise DataError("expected at least one image to evaluate, got none")
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise DataError(
            f"expected labels from 0 to {scores.shape[1] - 1}, got {labels.min()} to {labels.max()}"
        )
    bad_rows = int(np.count_nonzero(~np.isfinite(scores).all(axis=1)))
    if bad_rows:
        raise DivergedError(
            f"expected finite scores, got infinities or NaN for {bad_rows} of {len(scores)} images",
            hint="The model's weights have diverged; train again with a smaller learning rate.",
        )


def predictions(scores: Scores) -> NDArray[np.int64]:
    """Return the predicted class of each row, ``(n,)`` int64; of equal scores the first wins."""
    winners: NDArray[np.int64] = np.argmax(scores, axis=1).astype(np.int64, copy=False)
    return winners


def top_classes(scores: Scores, k: int) -> NDArray[np.int64]:
    """Return the ``min(k, C)`` best classes of each row, best first, ``(n, min(k, C))`` int64."""
    order: NDArray[np.int64] = np.argsort(-scores, axis=1, kind="stable").astype(np.int64)
    return order[:, :k]


def accuracy(scores: Scores, labels: Labels) -> float:
    """Return the share of rows whose prediction is the label."""
    return float(np.mean(predictions(scores) == labels))


def top_k_accuracy(scores: Scores, labels: Labels, k: int) -> float:
    """Return the share of rows whose label is among the ``k`` best classes.

    Of equal scores the lower class index ranks first, so ``k = 1`` equals `accuracy` exactly.

    Args:
        scores: ``(n, C)``.
        labels: ``(n,)``.
        k: from 1 to C.
    """
    label_scores = np.take_along_axis(scores, labels[:, None], axis=1)
    ahead = scores > label_scores
    ahead |= (scores == label_scores) & (np.arange(scores.shape[1]) < labels[:, None])
    return float(np.mean(np.count_nonzero(ahead, axis=1) < k))


def confusion_matrix(predicted: Labels, labels: Labels, num_classes: int) -> NDArray[np.int64]:
    """Count how often each true class was taken for each class.

    Args:
        predicted: ``(n,)`` predicted classes.
        labels: ``(n,)`` true classes.
        num_classes: C.

    Returns:
        ``(C, C)`` int64; rows are true classes, columns predicted classes.
    """
    cells = labels.astype(np.int64) * num_classes + predicted
    counts = np.bincount(cells, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes).astype(np.int64, copy=False)


def most_confused_pairs(matrix: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the pairs of a true and another class that it is most often taken for.

    Of equal counts the pair comes first whose count is the greater share of its true class.

    Args:
        matrix: ``(C, C)``, rows true, columns predicted.
        count: how many pairs at most.

    Returns:
        Pairs ``(m, 2)`` int64 of a true and a predicted class, most frequent first; m <= count.
    """
    true, predicted = np.nonzero(matrix)
    wrong = true != predicted
    true, predicted = true[wrong], predicted[wrong]
    order = np.lexsort((matrix.sum(axis=1)[true], -matrix[true, predicted]))[:count]
    return np.stack([true, predicted], axis=1)[order].astype(np.int64, copy=False)


def most_confident_errors(
    scores: Scores, labels: Labels, count: int, temperature: float = 1.0
) -> NDArray[np.int64]:
    """Return the images that are wrong with the greatest probability, surest first.

    Of equal probabilities the lower index comes first.

    Args:
        scores: ``(n, C)``.
        labels: ``(n,)``.
        count: how many at most.
        temperature: T > 0; scores are divided by it before the softmax. It can change the order.

    Returns:
        Indices into ``scores``, ``(m,)`` int64 with ``m <= count``.
    """
    wrong = np.flatnonzero(predictions(scores) != labels)
    # Logarithms tell probabilities apart that all round to 1.
    confidence = log_softmax(scores[wrong].astype(np.float64), temperature).max(axis=1)
    order = np.argsort(-confidence, kind="stable")[:count]
    return wrong[order].astype(np.int64, copy=False)


def per_class_metrics(
    matrix: NDArray[np.int64], class_names: Sequence[str]
) -> tuple[ClassMetrics, ...]:
    """Return precision, recall and F1 of each class from a confusion matrix.

    ``F1 = 2 TP / (support + predicted)``, which is the harmonic mean of precision and recall and
    stays defined where one of them is not.

    Args:
        matrix: ``(C, C)``, rows true, columns predicted.
        class_names: C names.
    """
    hits, support, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return tuple(
        ClassMetrics(
            name=name,
            precision=_ratio(hits[c], predicted[c]),
            precision_interval=wilson_interval(int(hits[c]), int(predicted[c])),
            recall=_ratio(hits[c], support[c]),
            recall_interval=wilson_interval(int(hits[c]), int(support[c])),
            f1=_ratio(2 * hits[c], support[c] + predicted[c]),
            support=int(support[c]),
            predicted=int(predicted[c]),
        )
        for c, name in enumerate(class_names)
    )


def most_common_mistake(matrix: NDArray[np.int64], index: int) -> tuple[int, int] | None:
    """The class that images of a class are most often taken for, and how often; None for never.

    Args:
        matrix: ``(C, C)``, rows true, columns predicted.
        index: the true class. Of equal counts the lower class index comes first.
    """
    mistakes = matrix[index].copy()
    mistakes[index] = 0
    rival = int(mistakes.argmax())
    return (rival, int(mistakes[rival])) if mistakes[rival] else None


def _ratio(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else 0.0
