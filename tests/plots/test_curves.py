import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from softmax_cli.plots import CURVE_COLUMNS, curves_figure, render


def history(points: int) -> dict[str, NDArray[np.float64]]:
    step = np.arange(1.0, points + 1)
    return {
        "iteration": 100 * step,
        "train_loss": 2 / step + 1,
        "train_accuracy": 0.5 - 0.4 / step,
        "validation_loss": 2 / step + 1.1,
        "validation_accuracy": 0.45 - 0.4 / step,
        "learning_rate": np.full(points, 1.5e-7),
        "temperature": np.ones(points),
    }


@pytest.mark.parametrize("points", [0, 1, 2, 30, 300])
def test_three_labelled_panels_of_the_stated_size(points: int) -> None:
    figure = curves_figure(history(points), title="a run")

    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy", "learning\nrate"]
    assert figure.axes[-1].get_xlabel() == "iteration"
    assert figure.get_suptitle() == "a run"
    width, height = figure.get_size_inches()
    with Image.open(io.BytesIO(render(figure, "png", 60))) as picture:
        picture.load()
        assert picture.size == pytest.approx((60 * width, 60 * height), abs=1)


def test_a_moving_temperature_gets_a_panel() -> None:
    columns = history(5)
    columns["temperature"] = np.linspace(4, 1, 5)

    assert [axes.get_ylabel() for axes in curves_figure(columns).axes][3:] == ["temperature"]


def test_training_and_validation_are_drawn_as_given() -> None:
    columns = history(7)
    loss, accuracy = curves_figure(columns).axes[:2]

    for axes, quantity in ((loss, "loss"), (accuracy, "accuracy")):
        for line, part in zip(axes.get_lines(), ("train", "validation"), strict=False):
            assert np.array_equal(line.get_xdata(), columns["iteration"])
            assert np.array_equal(line.get_ydata(), columns[f"{part}_{quantity}"])


def test_the_first_best_validation_is_named() -> None:
    columns = history(4)
    columns["validation_accuracy"] = np.array([0.1, 0.427, np.nan, 0.427])
    legend = curves_figure(columns).axes[1].get_legend()

    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "best validation: 42.7 % at iteration 200"
    ]


def test_the_loss_axis_is_logarithmic_only_when_losses_span_far() -> None:
    columns = history(5)
    assert curves_figure(columns).axes[0].get_yscale() == "linear"

    columns["train_loss"][0] = 1e9
    assert curves_figure(columns).axes[0].get_yscale() == "log"


def test_diverged_values_leave_gaps() -> None:
    columns = history(5)
    columns["train_loss"][3:] = np.inf
    columns["validation_loss"][2:] = np.nan
    figure = curves_figure(columns)

    assert np.isnan(figure.axes[0].get_lines()[0].get_ydata()).tolist() == [False] * 3 + [True] * 2
    assert render(figure, "png", 50)


def test_nothing_finite_is_said_in_words() -> None:
    columns = history(3)
    for name in CURVE_COLUMNS[1:5]:
        columns[name][:] = np.nan
    figure = curves_figure(columns)

    assert [axes.texts[0].get_text() for axes in figure.axes[:2]] == ["no finite values"] * 2
    assert render(figure, "png", 50)


def test_plain_lists_and_further_columns_are_welcome() -> None:
    columns = {name: values.tolist() for name, values in history(3).items()}

    assert render(curves_figure({**columns, "seconds": [1.0, 2.0, 3.0]}), "png", 50)
