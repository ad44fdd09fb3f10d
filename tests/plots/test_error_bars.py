import numpy as np
import pytest

from softmax_cli.evaluation.intervals import wilson_interval
from softmax_cli.plots.error_bars import errors, share_errors


def test_bars_end_where_intervals_do() -> None:
    reach = errors([0.4, 2.0], [(0.3, 0.6), (1.5, 2.0)])
    np.testing.assert_allclose(reach, [[0.1, 0.5], [0.2, 0.0]])


def test_an_end_that_is_not_known_gives_no_bar() -> None:
    assert np.isnan(errors([0.4], [(np.nan, np.nan)])).all()


def test_bars_of_shares_are_wilson_intervals() -> None:
    low, high = wilson_interval(3, 10)
    assert share_errors([0.3, 1.0], [10, 5])[:, 0] == pytest.approx([0.3 - low, high - 0.3])
    assert share_errors([0.3, 1.0], [10, 5])[1, 1] == 0
