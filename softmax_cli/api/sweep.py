"""Many values of lambda, trained and judged in one stack, with the interface of scikit-learn."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.api.arguments import check_count, check_positive
from softmax_cli.api.classifier import SoftmaxClassifier
from softmax_cli.api.estimator import Classifier
from softmax_cli.api.splits import Split, splits_of
from softmax_cli.api.training_set import Solution, TrainingSet
from softmax_cli.arrays import Floats
from softmax_cli.errors import ArgumentError, NotFittedError
from softmax_cli.evaluation.scoring import score_features
from softmax_cli.model.softmax_loss import softmax_loss

_FIVE_DECADES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class SoftmaxSweep(Classifier):
    """The best lambda of many for a :class:`SoftmaxClassifier`, by validation accuracy.

    All models, one for each lambda and each split, are trained side by side: they share every pass
    over the examples and one decomposition of the Gram matrix. An example that a model is validated
    on has the weight zero in its training.

    Args:
        regularizations: values of lambda, at least 0.
        cv: a number of folds (each has its share of every class); a share of the examples, such as
            0.1, that is held out at the end; an object with scikit-learn's ``split(X, y)``; or
            pairs of index arrays, training examples and validation examples.
        refit: whether to train the best lambda on all examples; without it there is no
            ``best_estimator_``, and nothing can be predicted.
        standardize: as in :class:`SoftmaxClassifier`; mean and scale are those of all examples.
        tolerance: as in :class:`SoftmaxClassifier`.
        max_iterations: as in :class:`SoftmaxClassifier`.

    Attributes:
        cv_results_: a table as a dictionary of columns, an entry for each lambda in the order
            given: ``params``, ``param_regularization``, ``split0_test_score`` ... (accuracies),
            ``mean_test_score``, ``std_test_score``, ``rank_test_score``, ``mean_test_log_loss``,
            ``max_n_iter`` and ``max_gradient_norm`` over the splits.
        best_index_: of the greatest mean accuracy; of equal ones the first.
        best_params_: ``{"regularization": lambda}``.
        best_score_: the mean accuracy.
        best_estimator_: a :class:`SoftmaxClassifier` of that lambda, fitted to all examples.
        n_splits_: how many splits there were.
        classes_: (C,) sorted.
        n_features_in_: P.
    """

    cv_results_: dict[str, Any]
    best_index_: int
    best_params_: dict[str, float]
    best_score_: float
    best_estimator_: SoftmaxClassifier
    n_splits_: int
    classes_: NDArray[Any]
    n_features_in_: int

    def __init__(
        self,
        regularizations: Sequence[float] = _FIVE_DECADES,
        *,
        cv: Any = 5,
        refit: bool = True,
        standardize: bool = False,
        tolerance: float = 1e-5,
        max_iterations: int = 1000,
    ) -> None:
        self.regularizations = regularizations
        self.cv = cv
        self.refit = refit
        self.standardize = standardize
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train and judge every lambda, then train the best on all examples.

        Args:
            X: (n, P), as in :meth:`SoftmaxClassifier.fit`.
            y: (n,) labels.
            sample_weight: (n,), at least 0, of the loss and of the validation accuracy.

        Raises:
            ArgumentError: an argument or a parameter is not as described.
            DivergedError: the features are too large for their dtype.
        """
        training = TrainingSet.checked(
            X, y, sample_weight, standardize=self.standardize, estimator=type(self).__name__
        )
        splits = splits_of(self.cv, X, y, training.labels)
        values = self._values()
        tolerance = check_positive("tolerance", self.tolerance)
        solution = training.solve(
            [value for _ in splits for value in values],
            np.repeat(_weights(training, splits), len(values), axis=0),
            tolerance=tolerance,
            max_iterations=check_count("max_iterations", self.max_iterations),
        )
        solution.warn_unless_converged(tolerance)
        self.cv_results_ = _table(values, *_judged(training, solution, splits), solution)
        self.best_index_ = int(np.argmin(self.cv_results_["rank_test_score"]))
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        self.n_splits_ = len(splits)
        self.classes_, self.n_features_in_ = training.classes, training.rows.shape[1]
        if hasattr(self, "best_estimator_"):
            del self.best_estimator_
        if self.refit:
            self.best_estimator_ = self._best().fit_checked(training)
        return self

    def _values(self) -> list[float]:
        try:
            given = list(self.regularizations)
        except TypeError:
            given = []
        if not given:
            raise ArgumentError(
                "expected regularizations to be a list of at least one number, "
                f"got {self.regularizations!r}"
            )
        return [check_positive("each of regularizations", value, or_zero=True) for value in given]

    def _best(self) -> SoftmaxClassifier:
        return SoftmaxClassifier(
            self.best_params_["regularization"],
            standardize=self.standardize,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )

    def decision_function(self, X: Any) -> Floats:
        """Scores of the best estimator, see :meth:`SoftmaxClassifier.decision_function`."""
        return self._estimator().decision_function(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """The class (n,) of each example (n, P), by the best estimator."""
        return self._estimator().predict(X)

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities (n, C) of examples (n, P), by the best estimator."""
        return self._estimator().predict_proba(X)

    def predict_log_proba(self, X: Any) -> Floats:
        """Logarithms (n, C) of the probabilities of examples (n, P), by the best estimator."""
        return self._estimator().predict_log_proba(X)

    def _estimator(self) -> SoftmaxClassifier:
        self._check_fitted("cv_results_")
        if not hasattr(self, "best_estimator_"):
            raise NotFittedError(
                "expected a sweep with its best estimator, got one with refit=False",
                hint="Set refit=True and fit again.",
            )
        return self.best_estimator_


def _weights(training: TrainingSet, splits: Sequence[Split]) -> Floats:
    """Weights (splits, N) of the examples in the training of each split."""
    count = len(training.rows)
    # A split may draw an example more than once.
    drawn = np.stack([np.bincount(train, minlength=count) for train, _ in splits]).astype(float)
    weights = drawn if training.weights is None else drawn * training.weights
    _expect_positive(weights)
    return weights


def _expect_positive(weights: Floats) -> None:
    """See that one of the weights (..., n) of each split is above zero."""
    if not weights.any(axis=-1).all():
        raise ArgumentError("expected a sample_weight above zero in each split, got only zeros")


def _judged(
    training: TrainingSet, solution: Solution, splits: Sequence[Split]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Accuracies and mean losses (splits, L) on the validation examples."""
    models = solution.weights.reshape(len(splits), -1, *solution.weights.shape[1:])
    figures = [
        _judged_by(training, weights, validation)
        for weights, (_, validation) in zip(models, splits, strict=True)
    ]
    accuracies, losses = np.moveaxis(np.array(figures), 1, 0)
    return accuracies, losses


def _judged_by(
    training: TrainingSet, weights: Floats, examples: NDArray[np.int64]
) -> tuple[list[float], list[float]]:
    """Accuracy and mean loss of each of L models (L, C, P + 1) on some examples."""
    models, classes, size = weights.shape
    flat = weights.reshape(models * classes, size)
    W, b = np.ascontiguousarray(flat[:, :-1].T), flat[:, -1]
    rows, labels = training.rows[examples], training.labels[examples]
    # One product for all models of the split: (n, L C).
    scores = score_features(rows, training.standardization, W, b)
    by_model = np.moveaxis(scores.reshape(len(rows), models, classes), 1, 0)
    weight = None if training.weights is None else training.weights[examples]
    if weight is not None:
        _expect_positive(weight)
    accuracies = [
        float(np.average(model.argmax(axis=1) == labels, weights=weight)) for model in by_model
    ]
    return accuracies, [softmax_loss(model.astype(np.float64), labels) for model in by_model]


def _table(
    values: Sequence[float],
    accuracies: NDArray[np.float64],
    losses: NDArray[np.float64],
    solution: Solution,
) -> dict[str, Any]:
    """The columns of ``cv_results_`` from figures (splits, L)."""
    mean = accuracies.mean(axis=0)
    shape = accuracies.shape
    return {
        "params": [{"regularization": value} for value in values],
        "param_regularization": np.array(values),
        **{f"split{number}_test_score": scores for number, scores in enumerate(accuracies)},
        "mean_test_score": mean,
        "std_test_score": accuracies.std(axis=0),
        # Equal ones share the better rank.
        "rank_test_score": (mean[:, None] < mean).sum(axis=1) + 1,
        "mean_test_log_loss": losses.mean(axis=0),
        "max_n_iter": solution.iterations.reshape(shape).max(axis=0),
        "max_gradient_norm": solution.gradient_norm.reshape(shape).max(axis=0),
    }
