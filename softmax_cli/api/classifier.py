"""Softmax regression at its optimum, with the interface of scikit-learn."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.api.arguments import (
    check_count,
    check_features,
    check_positive,
    check_rows,
    feature_names,
)
from softmax_cli.api.estimator import Classifier
from softmax_cli.api.training_set import TrainingSet
from softmax_cli.arrays import Floats
from softmax_cli.errors import ArgumentError
from softmax_cli.evaluation.scoring import score_features
from softmax_cli.features.standardization import Standardization
from softmax_cli.model.softmax import log_softmax, softmax

DEFAULT_REGULARIZATION = 1e-3


class SoftmaxClassifier(Classifier):
    """Softmax regression, trained to its optimum by full-batch L-BFGS.

    The objective of weights W (C, P) and biases b (C,) is::

        mean loss + 1/2 lambda ||W||^2 + 1/2 lambda ||b||^2

    Lambda acts on the biases as on the weights (the bias trick: the bias is the weight of a feature
    that is always 1). scikit-learn's ``LogisticRegression`` does not penalise the bias; with a
    column of ones and ``fit_intercept=False`` it has the same optimum. Nothing is drawn at random.

    Args:
        regularization: lambda, at least 0; 1e-3 if neither it nor ``C`` is given.
        C: the inverse strength that scikit-learn knows, in place of lambda: ``1 / (C n)`` for n
            examples, or for the sum of their weights.
        standardize: subtract the mean of each feature and divide by its standard deviation. The
            penalty is then that of standardised features; ``coef_`` is of the features as given.
        tolerance: training ends where no component of the gradient is greater.
        max_iterations: where it ends at the latest, with a warning.

    Attributes:
        classes_: (C,) sorted.
        coef_: (C, P); for two classes (1, P), the second class's weights less the first's, as
            scikit-learn has them. float32 if the features are bytes or float32, else float64.
        intercept_: (C,); for two classes (1,).
        n_iter_: (1,) iterations.
        n_features_in_: P.
        feature_names_in_: (P,) if X was a data frame whose columns have words as names.
        regularization_: lambda.
        objective_: the objective where training ended.
        gradient_norm_: greatest component of its gradient there, computed in float64.
        optimality_bound_: the objective is at most this far above its least value,
            ``||gradient||^2 / (2 lambda)``; infinite for lambda 0, where nothing is proven.
    """

    classes_: NDArray[Any]
    coef_: Floats
    intercept_: Floats
    n_iter_: NDArray[np.int64]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    regularization_: float
    objective_: float
    gradient_norm_: float
    optimality_bound_: float

    def __init__(
        self,
        regularization: float | None = None,
        *,
        C: float | None = None,
        standardize: bool = False,
        tolerance: float = 1e-5,
        max_iterations: int = 1000,
    ) -> None:
        self.regularization = regularization
        self.C = C
        self.standardize = standardize
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Find the optimum.

        Args:
            X: (n, P) integers or floats, dense and finite. Bytes are not copied, so that images
                need no more memory than they have.
            y: (n,) labels of at least two classes: numbers or words.
            sample_weight: (n,), at least 0; the mean loss is the weighted one.

        Raises:
            ArgumentError: an argument or a parameter is not as described.
            DivergedError: the features are too large for their dtype.
        """
        training = TrainingSet.checked(
            X, y, sample_weight, standardize=self.standardize, estimator=type(self).__name__
        )
        return self.fit_checked(training)

    def fit_checked(self, training: TrainingSet) -> Self:
        """Find the optimum of arguments that are checked, and perhaps prepared, already."""
        regularization = self._lambda(training.total_weight)
        tolerance = check_positive("tolerance", self.tolerance)
        solution = training.solve(
            [regularization],
            tolerance=tolerance,
            max_iterations=check_count("max_iterations", self.max_iterations),
        )
        solution.warn_unless_converged(tolerance)
        self._learned(training, solution.weights[0])
        self.n_iter_ = solution.iterations
        certificate = training.certify(solution.weights[0], regularization)
        self.regularization_ = regularization
        self.objective_ = float(certificate.objective[0])
        self.gradient_norm_ = float(certificate.gradient_norm[0])
        self.optimality_bound_ = float(certificate.bound[0])
        return self

    def _lambda(self, total_weight: float) -> float:
        if self.C is None:
            given = self.regularization
            value = DEFAULT_REGULARIZATION if given is None else given
            return check_positive("regularization", value, or_zero=True)
        if self.regularization is not None:
            raise ArgumentError(
                f"expected regularization or C, got both: {self.regularization!r}, {self.C!r}",
                hint="Set one of them to None.",
            )
        return 1 / (check_positive("C", self.C) * total_weight)

    def _learned(self, training: TrainingSet, weights: Floats) -> None:
        """Keep weights (C, P + 1) of standardised features as those of the features as given."""
        if len(weights) == 2:
            weights = weights[1:] - weights[:1]
        W, b = training.standardization.absorbed(weights[:, :-1].T, weights[:, -1])
        self.coef_, self.intercept_ = np.ascontiguousarray(W.T), b
        self.classes_ = training.classes
        self.n_features_in_ = training.rows.shape[1]
        if training.names is not None:
            self.feature_names_in_ = training.names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def decision_function(self, X: Any) -> Floats:
        """Scores (n, C) of examples (n, P); for two classes (n,), positive for the second.

        Raises:
            NotFittedError: nothing was learned yet.
            ArgumentError: X is not such a table, or has other features.
        """
        self._check_fitted("coef_")
        rows = check_rows(X, type(self).__name__)
        check_features(
            rows,
            feature_names(X),
            expected=self.n_features_in_,
            expected_names=getattr(self, "feature_names_in_", None),
            estimator=type(self).__name__,
        )
        size = self.n_features_in_
        as_given = Standardization(np.zeros(size, np.float32), np.ones(size, np.float32))
        scores: Floats = score_features(rows, as_given, self.coef_.T, self.intercept_)
        return scores if len(self.classes_) > 2 else scores[:, 0]

    def predict(self, X: Any) -> NDArray[Any]:
        """The class (n,) of the greatest score of each example (n, P)."""
        best = self._logits(X).argmax(axis=1)
        classes: NDArray[Any] = self.classes_[best]
        return classes

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities (n, C) of examples (n, P)."""
        return softmax(self._logits(X))

    def predict_log_proba(self, X: Any) -> Floats:
        """Logarithms (n, C) of the probabilities of examples (n, P), finite."""
        return log_softmax(self._logits(X))

    def _logits(self, X: Any) -> Floats:
        """(n, C) float64."""
        scores = self.decision_function(X).astype(np.float64)
        return scores if scores.ndim == 2 else np.stack([-scores, scores], axis=1) / 2
