import json

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

from softmax_cli.errors import DataError, DivergedError
from softmax_cli.evaluation import (
    accuracy,
    confusion_matrix,
    evaluate,
    most_confident_errors,
    most_confused_pairs,
    per_class_metrics,
    predictions,
    top_k_accuracy,
)
from softmax_cli.evaluation.metrics import most_common_mistake
from softmax_cli.model.softmax import softmax

NAMES = tuple("abcdefg")


def random_case(
    seed: int, n: int = 200, num_classes: int = 7
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(num_classes, size=n)
    scores = rng.normal(size=(n, num_classes)) * 3
    scores[np.arange(n), labels] += 2
    return scores, labels


@pytest.mark.parametrize("seed", range(5))
def test_accuracies_agree_with_scikit_learn(seed: int) -> None:
    scores, labels = random_case(seed)

    assert accuracy(scores, labels) == sklearn_metrics.accuracy_score(labels, predictions(scores))
    for k in range(1, 7):
        assert top_k_accuracy(scores, labels, k) == pytest.approx(
            sklearn_metrics.top_k_accuracy_score(labels, scores, k=k, labels=range(7))
        )
    assert top_k_accuracy(scores, labels, 7) == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_top_1_is_accuracy_under_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(3, size=(300, 6)).astype(np.float32)
    labels = rng.integers(6, size=300)

    assert top_k_accuracy(scores, labels, 1) == accuracy(scores, labels)


def test_ties_go_to_the_lower_class_index() -> None:
    scores = np.zeros((4, 4))
    labels = np.arange(4)

    assert predictions(scores).tolist() == [0, 0, 0, 0]
    assert [top_k_accuracy(scores, labels, k) for k in (1, 2, 3, 4)] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_confusion_matrix_and_class_figures_agree_with_scikit_learn(seed: int) -> None:
    scores, labels = random_case(seed)
    predicted = predictions(scores)
    matrix = confusion_matrix(predicted, labels, 7)
    expected = sklearn_metrics.precision_recall_fscore_support(labels, predicted, labels=range(7))
    per_class = per_class_metrics(matrix, NAMES)

    assert matrix.dtype == np.int64
    assert np.array_equal(
        matrix, sklearn_metrics.confusion_matrix(labels, predicted, labels=range(7))
    )
    assert [m.precision for m in per_class] == pytest.approx(expected[0])
    assert [m.recall for m in per_class] == pytest.approx(expected[1])
    assert [m.f1 for m in per_class] == pytest.approx(expected[2])
    assert [m.support for m in per_class] == list(expected[3])


def test_the_surest_errors_come_first() -> None:
    right, unsure, sure = [5.0, 0.0], [0.0, 0.1], [0.0, 9.0]
    scores = np.array([right, unsure, sure, right, sure])
    labels = np.zeros(5, int)

    assert most_confident_errors(scores, labels, 10).tolist() == [2, 4, 1]
    assert most_confident_errors(scores, labels, 2).tolist() == [2, 4]
    assert most_confident_errors(scores[[0, 3]], labels[:2], 3).tolist() == []


def test_the_order_of_errors_is_that_of_their_probabilities_at_the_temperature() -> None:
    # Sharp scores decide by the lead over the second best, flat ones by that over all others.
    scores = np.array([[0, 3.0, 2.9, -9], [0, 1.5, 1.0, 1.0]])
    labels = np.zeros(2, int)

    for temperature in (0.05, 1.0, 3.0):
        p = softmax(scores, temperature).max(axis=1)
        surest = most_confident_errors(scores, labels, 1, temperature)
        assert surest.tolist() == [p.argmax()]
    sharp, flat = (most_confident_errors(scores, labels, 1, t)[0] for t in (0.05, 1.0))
    assert sharp != flat


def test_rows_are_true_classes_and_columns_predicted_ones() -> None:
    assert confusion_matrix(np.array([1, 1, 2]), np.array([0, 0, 2]), 3).tolist() == [
        [0, 2, 0],
        [0, 0, 0],
        [0, 0, 1],
    ]


def test_absent_classes_have_figures_of_zero() -> None:
    never_predicted, never_seen, fine = per_class_metrics(
        np.array([[0, 0, 4], [0, 0, 0], [0, 1, 5]]), ("x", "y", "z")
    )

    assert (never_predicted.precision, never_predicted.f1, never_predicted.predicted) == (0, 0, 0)
    assert (never_seen.recall, never_seen.support) == (0, 0)
    assert fine.precision == pytest.approx(5 / 9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_evaluation_becomes_json_under_stable_names(dtype: type[np.floating]) -> None:
    scores, labels = random_case(3)
    result = evaluate(scores.astype(dtype), labels, NAMES, loss=1.25, loss_interval=(1.2, 1.3))
    document = json.loads(json.dumps(result.to_json(), allow_nan=False))

    assert list(document) == [
        "examples",
        "loss",
        "loss_interval",
        "accuracy",
        "accuracy_interval",
        "top5_accuracy",
        "top5_accuracy_interval",
        "per_class",
        "confusion_matrix",
    ]
    assert document["examples"] == 200
    assert (document["loss"], document["loss_interval"]) == (1.25, [1.2, 1.3])
    assert document["accuracy"] == accuracy(scores, labels)
    assert list(document["per_class"][0]) == [
        "name",
        "precision",
        "precision_interval",
        "recall",
        "recall_interval",
        "f1",
        "support",
        "predicted",
    ]
    assert np.sum(document["confusion_matrix"]) == 200
    for figures in (document, *document["per_class"]):
        for name in figures.keys() & {"accuracy", "top5_accuracy", "precision", "recall"}:
            low, high = figures[f"{name}_interval"]
            assert 0 <= low <= figures[name] <= high <= 1
            assert low < high


def test_top_5_of_fewer_classes_is_everything() -> None:
    scores, labels = random_case(0, num_classes=3)

    assert evaluate(scores, labels, NAMES[:3], loss=0).top5_accuracy == 1.0


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        (np.zeros((3, 7)), np.zeros(4, int), r"\(3, 7\) and \(4,\)"),
        (np.zeros(7), np.zeros(7, int), r"\(n, C\)"),
        (np.zeros((0, 7)), np.zeros(0, int), "got none"),
        (np.zeros((2, 7)), np.array([0, 7]), "0 to 7"),
        (np.zeros((2, 7)), np.array([-1, 3]), "-1 to 3"),
        (np.zeros((2, 6)), np.array([1, 3]), "6 score columns, got 7"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    scores: NDArray[np.float64], labels: NDArray[np.int64], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        evaluate(scores, labels, NAMES, loss=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    scores, labels = random_case(0)
    scores[[3, 9], 2] = bad

    with pytest.raises(DivergedError, match="2 of 200"):
        evaluate(scores, labels, NAMES, loss=0)


def test_most_confused_pairs_come_first() -> None:
    matrix = np.array([[50, 4, 0], [4, 1, 2], [0, 9, 0]])
    assert most_confused_pairs(matrix, 9).tolist() == [[2, 1], [1, 0], [0, 1], [1, 2]]
    assert most_confused_pairs(matrix, 1).tolist() == [[2, 1]]
    assert most_confused_pairs(np.diag([1, 2]), 5).shape == (0, 2)


def test_the_most_common_mistake_is_the_first_of_the_most_frequent() -> None:
    matrix = np.array([[9, 2, 2], [0, 5, 0], [1, 3, 0]])
    assert most_common_mistake(matrix, 0) == (1, 2)
    assert most_common_mistake(matrix, 1) is None
    assert most_common_mistake(matrix, 2) == (1, 3)
