import inspect

import numpy as np
import pytest

from softmax_cli import SoftmaxClassifier, SoftmaxSweep
from softmax_cli.api.estimator import Classifier
from softmax_cli.errors import ArgumentError, NotFittedError, SoftmaxError
from tests.api.problems import clouds


@pytest.mark.parametrize("kind", [SoftmaxClassifier, SoftmaxSweep])
def test_parameters_are_those_of_init_kept_as_they_are(kind: type[Classifier]) -> None:
    estimator = kind()
    assert list(estimator.get_params()) == list(inspect.signature(kind).parameters)
    value = object()
    assert estimator.set_params(tolerance=value) is estimator
    assert estimator.get_params(deep=False)["tolerance"] is value
    with pytest.raises(ArgumentError, match=r"a parameter of \w+ \(\w+, .*, got alpha"):
        estimator.set_params(alpha=1)


def test_the_representation_names_what_is_not_the_default() -> None:
    assert repr(SoftmaxClassifier()) == "SoftmaxClassifier()"
    changed = SoftmaxClassifier(0.1, standardize=True)
    assert repr(changed) == "SoftmaxClassifier(regularization=0.1, standardize=True)"


def test_the_score_is_the_weighted_accuracy() -> None:
    X, y = clouds()
    fitted = SoftmaxClassifier(0.1).fit(X, y)
    correct = fitted.predict(X) == y
    assert fitted.score(X, y) == pytest.approx(correct.mean())
    weights = np.arange(len(y))
    assert fitted.score(X, y, weights) == pytest.approx(np.average(correct, weights=weights))
    with pytest.raises(ArgumentError, match="one label for each of 120 examples"):
        fitted.score(X, y[:-1])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
@pytest.mark.parametrize("is_loaded", [True, False])
def test_asked_before_it_is_fitted(
    method: str, is_loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn import exceptions

    if not is_loaded:
        monkeypatch.delitem(__import__("sys").modules, "sklearn")
    with pytest.raises(NotFittedError, match="this SoftmaxClassifier is not fitted yet") as caught:
        getattr(SoftmaxClassifier(), method)(np.zeros((1, 2)))
    assert caught.value.hint == "Call fit(X, y) first."
    assert isinstance(caught.value, SoftmaxError)
    assert isinstance(caught.value, exceptions.NotFittedError) is is_loaded
