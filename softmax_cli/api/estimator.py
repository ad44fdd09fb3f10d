"""What scikit-learn expects of every classifier, without inheriting from it."""

import inspect
import sys
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.api.arguments import check_targets, check_weights
from softmax_cli.errors import ArgumentError, NotFittedError


class Classifier:
    """A classifier whose parameters are the arguments of its ``__init__``, kept as they are.

    What is learned has a name that ends in an underscore. A subclass has ``fit`` and ``predict``.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name.

        Args:
            deep: taken for scikit-learn's sake; no parameter is an estimator.
        """
        del deep
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Self:
        """Change some parameters, to be used by the next ``fit``.

        Raises:
            ArgumentError: there is no parameter of that name.
        """
        known = self._defaults()
        for name, value in params.items():
            if name not in known:
                raise ArgumentError(
                    f"expected a parameter of {type(self).__name__} ({', '.join(known)}), "
                    f"got {name}"
                )
            setattr(self, name, value)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The class (n,) of each example (n, P)."""
        raise NotImplementedError

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Accuracy: the share of the examples (n, P), or of their weight, that get their label.

        Args:
            X: (n, P).
            y: (n,) labels.
            sample_weight: (n,), at least 0.
        """
        predicted = self.predict(X)
        labels = check_targets(y, len(predicted), type(self).__name__)
        weights = check_weights(sample_weight, len(predicted))
        return float(np.average(predicted == labels, weights=weights))

    def __repr__(self) -> str:
        params = self.get_params()
        changed = [
            f"{name}={params[name]!r}"
            for name, default in self._defaults().items()
            if repr(params[name]) != repr(default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn, which alone asks, has to know."""
        from softmax_cli.api.scikit_learn import classifier_tags

        return classifier_tags()

    def _check_fitted(self, attribute: str) -> None:
        """Refuse to answer without what was learned.

        Raises:
            NotFittedError: it is not there yet.
        """
        if not hasattr(self, attribute):
            kind: type[NotFittedError] = NotFittedError
            if "sklearn" in sys.modules:
                from softmax_cli.api.scikit_learn import NotFittedEstimatorError

                kind = NotFittedEstimatorError
            raise kind(
                f"this {type(self).__name__} is not fitted yet", hint="Call fit(X, y) first."
            )

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """Default of each parameter, in the order of ``__init__``."""
        parameters = list(inspect.signature(cls).parameters.values())
        return {parameter.name: parameter.default for parameter in parameters}
