from typing import Any

import numpy as np
import pytest

from softmax_cli import SoftmaxClassifier, SoftmaxSweep, log_softmax
from softmax_cli.errors import ArgumentError, NotFittedError
from tests.api.problems import clouds

VALUES = [1e-3, 0.1, 10.0]


def test_the_figures_are_those_of_classifiers_one_by_one() -> None:
    X, y = clouds()
    weights = np.random.default_rng(0).integers(1, 4, len(y))
    train, validation = np.arange(80), np.arange(80, 120)
    sweep = SoftmaxSweep(VALUES, cv=[(train, validation)]).fit(X, y, weights)
    assert sweep.n_splits_ == 1
    for index, value in enumerate(VALUES):
        alone = SoftmaxClassifier(value).fit(X[train], y[train], weights[train])
        score = alone.score(X[validation], y[validation], weights[validation])
        assert sweep.cv_results_["split0_test_score"][index] == pytest.approx(score)


def test_losses_are_those_of_the_validation_examples() -> None:
    X, y = clouds()
    sweep = SoftmaxSweep([0.1], cv=0.25, standardize=False, tolerance=1e-8).fit(X, y)
    alone = SoftmaxClassifier(0.1, tolerance=1e-8).fit(X[:90], y[:90])
    log_p = log_softmax(alone.decision_function(X[90:]))
    expected = -log_p[np.arange(30), y[90:]].mean()
    assert sweep.cv_results_["mean_test_log_loss"][0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("standardize", [False, True])
def test_the_best_is_fitted_to_all_examples(standardize: bool) -> None:
    X, y = clouds(2)
    sweep = SoftmaxSweep(VALUES, cv=4, standardize=standardize).fit(X, y)
    table = sweep.cv_results_
    assert sweep.best_score_ == table["mean_test_score"].max()
    assert table["rank_test_score"][sweep.best_index_] == 1
    assert sweep.best_params_ == {"regularization": VALUES[sweep.best_index_]}
    assert all(len(column) == 3 for column in table.values())
    assert (table["max_gradient_norm"] <= 1e-5).all()
    alone = SoftmaxClassifier(sweep.best_params_["regularization"], standardize=standardize).fit(
        X, y
    )
    np.testing.assert_array_equal(sweep.best_estimator_.coef_, alone.coef_)
    np.testing.assert_array_equal(sweep.predict(X), alone.predict(X))
    np.testing.assert_array_equal(sweep.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(sweep.predict_log_proba(X), alone.predict_log_proba(X))
    np.testing.assert_array_equal(sweep.decision_function(X), alone.decision_function(X))
    assert sweep.score(X, y) == alone.score(X, y)
    assert (sweep.classes_.tolist(), sweep.n_features_in_) == ([0, 1], 4)


def test_of_equal_ones_the_first_is_the_best() -> None:
    X, y = clouds()
    sweep = SoftmaxSweep([0.1, 0.1, 0.1], cv=2).fit(X, y)
    assert sweep.cv_results_["rank_test_score"].tolist() == [1, 1, 1]
    assert sweep.best_index_ == 0


def test_without_a_refit_nothing_can_be_predicted() -> None:
    X, y = clouds()
    sweep = SoftmaxSweep(VALUES, cv=2).fit(X, y)
    sweep.set_params(refit=False).fit(X, y)
    assert not hasattr(sweep, "best_estimator_")
    with pytest.raises(NotFittedError, match="got one with refit=False"):
        sweep.predict(X)


@pytest.mark.parametrize("values", [[], 0.1, None])
def test_no_values_are_refused(values: Any) -> None:
    with pytest.raises(ArgumentError, match="a list of at least one number, got"):
        SoftmaxSweep(values).fit(*clouds())


def test_senseless_values_and_weights_are_refused() -> None:
    X, y = clouds()
    with pytest.raises(ArgumentError, match="each of regularizations to be a number of at least 0"):
        SoftmaxSweep([0.1, -1]).fit(X, y)
    weights = np.repeat([1.0, 0.0], 60)
    for cv in (0.5, [(np.arange(60, 120), np.arange(60))]):
        with pytest.raises(ArgumentError, match="above zero in each split, got only zeros"):
            SoftmaxSweep([0.1], cv=cv).fit(X, y, weights)
