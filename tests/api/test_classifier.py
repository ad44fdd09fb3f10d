from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from softmax_cli import SoftmaxClassifier, softmax, softmax_loss_vectorized
from softmax_cli.blas import blas_threads
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.errors import ArgumentError
from tests.api.problems import clouds, objective


class Frame:
    """A table with names, as much of a data frame as is looked at."""

    def __init__(self, table: np.ndarray, columns: list[str]) -> None:
        self.table, self.columns = table, columns

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.table, dtype=dtype)


@pytest.mark.parametrize("regularization", [1e-3, 0.1, 10.0])
def test_the_optimum_is_that_of_scipy(regularization: float) -> None:
    X, y = clouds()
    fitted = SoftmaxClassifier(regularization, tolerance=1e-9).fit(X, y)
    ones = np.hstack([X, np.ones((len(X), 1))])

    def value_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        loss, dW = softmax_loss_vectorized(flat.reshape(5, 3), ones, y, regularization)
        return loss, dW.reshape(-1)

    best = minimize(value_and_gradient, np.zeros(15), jac=True, tol=1e-14)
    W = best.x.reshape(5, 3)
    np.testing.assert_allclose(fitted.coef_, W[:4].T, atol=1e-5)
    np.testing.assert_allclose(fitted.intercept_, W[4], atol=1e-5)
    assert fitted.objective_ == pytest.approx(best.fun, rel=1e-10)


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_scikit_learns_with_a_column_of_ones(classes: int) -> None:
    X, y = clouds(classes)
    ones = np.hstack([X, np.ones((len(X), 1))])
    # The weights of two classes are -w/2 and w/2: their penalty is half of that of w.
    C = 0.7 if classes > 2 else 1.4
    theirs = LogisticRegression(C=C, fit_intercept=False, tol=1e-10, max_iter=1000).fit(ones, y)
    ours = SoftmaxClassifier(C=0.7, tolerance=1e-10).fit(X, y)
    assert ours.regularization_ == pytest.approx(1 / (0.7 * 120))
    coefficients = np.hstack([ours.coef_, ours.intercept_[:, None]])
    assert coefficients.shape == theirs.coef_.shape
    np.testing.assert_allclose(coefficients, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(ones), atol=1e-6)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(ones), atol=1e-5)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(ones))


@pytest.mark.parametrize("tolerance", [0.1, 1e-3, 1e-6])
def test_the_bound_holds(tolerance: float) -> None:
    X, y = clouds()
    fitted = SoftmaxClassifier(0.01, tolerance=tolerance).fit(X, y)
    best = SoftmaxClassifier(0.01, tolerance=1e-12).fit(X, y)
    assert fitted.gradient_norm_ <= tolerance
    assert fitted.objective_ == pytest.approx(objective(fitted, X, y), rel=1e-9)
    assert 0 <= fitted.objective_ - best.objective_ <= fitted.optimality_bound_ + 1e-15
    assert fitted.n_iter_.shape == (1,)
    assert fitted.n_iter_[0] <= best.n_iter_[0]


def test_without_regularisation_nothing_is_proven() -> None:
    X, y = clouds()
    fitted = SoftmaxClassifier(0).fit(X, y)
    assert fitted.optimality_bound_ == np.inf
    assert fitted.gradient_norm_ <= 1e-5


def test_weights_of_examples_count_as_copies_of_them() -> None:
    X, y = clouds()
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    for standardize in (False, True):
        settings: dict[str, Any] = {"C": 0.1, "standardize": standardize, "tolerance": 1e-10}
        weighted = SoftmaxClassifier(**settings).fit(X, y, weights)
        repeated = SoftmaxClassifier(**settings).fit(X.repeat(weights, 0), y.repeat(weights))
        assert weighted.regularization_ == repeated.regularization_
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-6)
        np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-6)


def test_standardised_features_are_those_of_a_scaler_before() -> None:
    X, y = clouds()
    X = X * [1, 10, 100, 1000] + [0, 5, -300, 2000]
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    inside = SoftmaxClassifier(0.01, standardize=True, tolerance=1e-9).fit(X, y)
    before = SoftmaxClassifier(0.01, tolerance=1e-9).fit(scaled, y)
    np.testing.assert_allclose(inside.predict_proba(X), before.predict_proba(scaled), atol=1e-5)
    assert inside.objective_ == pytest.approx(before.objective_, rel=1e-6)


def test_images_as_bytes() -> None:
    images = make_synthetic("train", size=400)
    fitted = SoftmaxClassifier(1.0, standardize=True).fit(images.images[:300], images.labels[:300])
    assert fitted.coef_.dtype == np.float32
    assert fitted.coef_.shape == (10, 3072)
    assert fitted.gradient_norm_ <= 1e-5
    assert fitted.score(images.images[300:], images.labels[300:]) > 0.4


def test_words_are_classes() -> None:
    X, y = clouds(2)
    words = np.array(["no", "yes"])[y]
    fitted = SoftmaxClassifier().fit(X, words)
    assert fitted.classes_.tolist() == ["no", "yes"]
    decisions = fitted.decision_function(X)
    assert decisions.shape == (120,)
    np.testing.assert_array_equal(fitted.predict(X), np.where(decisions > 0, "yes", "no"))
    np.testing.assert_allclose(fitted.predict_proba(X)[:, 1], 1 / (1 + np.exp(-decisions)))


def test_probabilities_and_their_logarithms() -> None:
    X, y = clouds()
    fitted = SoftmaxClassifier().fit(X, y)
    probabilities = fitted.predict_proba(X)
    np.testing.assert_allclose(probabilities, softmax(fitted.decision_function(X)))
    np.testing.assert_allclose(fitted.predict_log_proba(X), np.log(probabilities))
    far = fitted.predict_log_proba(1e5 * X)
    assert np.isfinite(far).all()


def test_features_with_names_are_asked_for_by_name() -> None:
    X, y = clouds()
    fitted = SoftmaxClassifier().fit(Frame(X, list("abcd")), y)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    fitted.predict(Frame(X, list("abcd")))
    with pytest.raises(ArgumentError, match="expected a, b, c, d, got a, b, d, c"):
        fitted.predict(Frame(X, list("abdc")))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        fitted.predict(X)
    assert not hasattr(fitted.fit(X, y), "feature_names_in_")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"regularization": -1}, "expected regularization to be a number of at least 0, got -1"),
        ({"regularization": "strong"}, "got 'strong'"),
        ({"C": 0}, "expected C to be a number above 0, got 0"),
        ({"C": 1.0, "regularization": 0.1}, "expected regularization or C, got both: 0.1, 1.0"),
        ({"tolerance": 0}, "expected tolerance to be a number above 0, got 0"),
        ({"max_iterations": 0}, "expected max_iterations to be an integer of at least 1, got 0"),
    ],
)
def test_senseless_parameters_are_refused_when_they_are_used(
    params: dict[str, Any], message: str
) -> None:
    estimator = SoftmaxClassifier(**params)
    with pytest.raises(ArgumentError, match=message):
        estimator.fit(*clouds())


def test_what_was_not_reached_is_a_warning() -> None:
    from sklearn.exceptions import ConvergenceWarning

    X, y = clouds()
    with pytest.warns(ConvergenceWarning, match=r"above 1e-05, got .* after 1 iterations; raise"):
        fitted = SoftmaxClassifier(max_iterations=1).fit(X, y)
    assert fitted.gradient_norm_ > 1e-5
    with pytest.warns(ConvergenceWarning, match="rounding is in the way"):
        SoftmaxClassifier(tolerance=1e-15).fit(X.astype(np.float32), y)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize(("factor", "dtype"), [(1e30, np.float32), (1e200, np.float64)])
def test_features_too_large_to_be_squared_are_refused(
    standardize: bool, factor: float, dtype: type[Any]
) -> None:
    X, y = clouds()
    with pytest.raises(ArgumentError, match=r"expected features of at most 1e.* got .*e") as caught:
        SoftmaxClassifier(standardize=standardize).fit((X * factor).astype(dtype), y)
    assert "Divide" in str(caught.value.hint)


def test_threads_may_fit_at_the_same_time() -> None:
    X, y = clouds()
    values = [0.01, 0.1, 1.0, 10.0]
    before = blas_threads()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda value: SoftmaxClassifier(value).fit(X, y), values))
    assert blas_threads() == before
    for value, fitted in zip(values, together, strict=True):
        np.testing.assert_array_equal(fitted.coef_, SoftmaxClassifier(value).fit(X, y).coef_)
