"""scikit-learn's linear classifiers on preprocessed features."""

import warnings
from collections.abc import Sequence
from typing import Any

from benchmarks.machine import cores
from benchmarks.task import LinearModel, Task


class _Classifier:
    """A classifier of scikit-learn on the task's features, float32, preprocessed beforehand.

    Args:
        task: gives the images.
        max_iter: iterations, or passes over the images.
    """

    name: str
    share = 1.0

    def __init__(self, task: Task, max_iter: int) -> None:
        self._task = task
        self._max_iter = max_iter
        self._runs = 0

    def setup(self) -> None:
        import sklearn.linear_model  # noqa: F401 - importing is not timed

        self._X, self._y = self._task.features, self._task.labels

    def _classifier(self) -> Any:
        raise NotImplementedError

    def run(self) -> None:
        self._fitted = self._classifier()
        self._runs += 1
        with warnings.catch_warnings():
            # It says that it has not converged, which is the point: less time, if enough accuracy.
            warnings.simplefilter("ignore")
            self._fitted.fit(self._X, self._y)

    def learned(self) -> Sequence[LinearModel]:
        return [self._task.model(self._fitted.coef_.T, self._fitted.intercept_)]


class LogisticRegression(_Classifier):
    """Softmax regression by L-BFGS, with the task's lambda."""

    name = "scikit-learn LogisticRegression"

    def _classifier(self) -> Any:
        from sklearn.linear_model import LogisticRegression as Classifier

        decay = self._task.configs[0].optimizer.regularization
        return Classifier(C=1 / (decay * len(self._y)), solver="lbfgs", max_iter=self._max_iter)


class SGDClassifier(_Classifier):
    """Ten logistic regressions by SGD, each one class against the rest; every run another seed."""

    name = "scikit-learn SGDClassifier"

    def _classifier(self) -> Any:
        from sklearn.linear_model import SGDClassifier as Classifier

        return Classifier(
            loss="log_loss",
            alpha=1e-3,
            average=True,
            max_iter=self._max_iter,
            tol=None,
            n_jobs=cores(),
            random_state=self._runs,
        )
