import io

import numpy as np
import pytest
from PIL import Image

from softmax_cli.evaluation import Reliability, reliability
from softmax_cli.plots import reliability_figure, render


def measured(temperature: float, n: int = 500) -> Reliability:
    rng = np.random.default_rng(0)
    return reliability(rng.normal(size=(n, 10)) * 2, rng.integers(10, size=n), temperature)


def test_one_column_without_and_two_with_calibration() -> None:
    assert len(reliability_figure(measured(1.0)).axes) == 2

    titles = [axes.get_title() for axes in reliability_figure(measured(1), measured(2.5)).axes[:2]]
    assert titles[0].startswith("before: T = 1\ncalibration error ")
    assert titles[1].startswith("calibrated: T = 2.5\ncalibration error ")


def test_bars_are_the_accuracies_and_counts() -> None:
    result = measured(1.0)
    top, bottom = reliability_figure(result).axes
    filled = result.counts > 0
    accuracies = [bar.get_height() for bar in top.containers[0]]

    assert accuracies == pytest.approx(result.accuracy[filled].tolist())
    assert [bar.get_height() for bar in bottom.containers[0]] == pytest.approx(
        (result.counts / 500).tolist()
    )
    assert top.get_ylabel() == "accuracy"
    assert bottom.get_xlabel() == "confidence (greatest probability)"


@pytest.mark.parametrize("n", [1, 2, 500])
def test_the_picture_has_the_stated_size(n: int) -> None:
    figure = reliability_figure(measured(1.0, n), measured(1e-3, n), title="a run")
    width, height = figure.get_size_inches()
    with Image.open(io.BytesIO(render(figure, "png", 50))) as picture:
        picture.load()
        assert picture.size == pytest.approx((50 * width, 50 * height), abs=1)
