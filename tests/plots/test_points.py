"""Trials as points: accuracy over one setting, or as colour over two."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from softmax_cli.plots import render
from softmax_cli.plots.points import (
    Trials,
    accuracy_range,
    add_colour_bar,
    best_label,
    cloud_figure,
    line_figure,
)
from softmax_cli.plots.style import BLUE, GREY, VERMILION, new_figure
from softmax_cli.plots.trial_grid import read_axis

RATE = read_axis("optimizer.learning_rate", [1e-2, 1e-4, 1e-3, 1.0])
MOMENTUM = read_axis("optimizer.momentum", [0.0, 0.9, 0.5, 0.25])
LOSS = read_axis("model.loss", ["softmax", "hinge", "softmax", "hinge"])
ACCURACIES = np.array([0.3, 0.1, 0.2, np.nan])


def lines_of(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    """What each line is called, and its coordinates."""
    return {
        str(line.get_label()): (
            np.asarray(line.get_xdata()).tolist(),
            np.asarray(line.get_ydata()).tolist(),
        )
        for line in axes.get_lines()
    }


def trials(values: Any, best: int | None, **more: Any) -> Trials:
    return Trials(values, best, more.pop("within_noise", np.zeros(len(values), np.bool_)), **more)


def test_what_is_within_noise_of_the_best_is_ringed() -> None:
    alike = np.array([True, False, True, False])
    for figure in (
        line_figure(RATE, trials(ACCURACIES, 0, within_noise=alike), ""),
        cloud_figure(RATE, MOMENTUM, trials(ACCURACIES, 0, within_noise=alike), ""),
    ):
        x, _ = lines_of(figure.axes[0])["within noise of it"]
        assert x == [1e-2, 1e-3]
    alone = trials(ACCURACIES, 0, within_noise=np.array([True, False, False, False]))
    assert "within noise of it" not in lines_of(line_figure(RATE, alone, "").axes[0])


def test_a_line_has_the_error_bars_that_are_known() -> None:
    intervals = [(0.25, 0.36), (0.05, 0.2), (np.nan, np.nan), (np.nan, np.nan)]
    (axes,) = line_figure(RATE, trials(ACCURACIES, 0, intervals=intervals), "").axes
    (bars,) = axes.collections
    assert isinstance(bars, LineCollection)
    ends = [segment[:, 1].tolist() for segment in bars.get_segments() if len(segment)]
    assert [end for end in ends if not np.isnan(end).any()] == [[0.25, 0.36], [0.05, 0.2]]


def legend_of(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def test_numbers_are_joined_in_their_order_whatever_that_of_the_trials() -> None:
    (axes,) = line_figure(RATE, trials(ACCURACIES, None), "").axes
    line = axes.get_lines()[0]
    assert np.asarray(line.get_xdata()).tolist() == [1e-4, 1e-3, 1e-2, 1.0]
    assert np.asarray(line.get_ydata())[:3].tolist() == [0.1, 0.2, 0.3]
    assert (line.get_linestyle(), to_hex(line.get_color())) == ("-", BLUE.lower())


@pytest.mark.parametrize(("axis", "connected"), [(RATE, False), (LOSS, True), (LOSS, False)])
def test_words_and_trials_that_differ_otherwise_are_not_joined(axis: Any, connected: bool) -> None:
    (axes,) = line_figure(axis, trials(ACCURACIES, None), "", connected=connected).axes
    assert axes.get_lines()[0].get_linestyle() == "None"


def test_the_best_is_a_star_and_the_diverged_are_crosses_on_the_ground() -> None:
    figure = line_figure(RATE, trials(ACCURACIES, 0), "a sweep")
    (axes,) = figure.axes
    lines = lines_of(axes)
    assert lines["best 30.0 %"] == ([1e-2], [0.3])
    assert lines["diverged"] == ([1.0], [0.03])
    assert set(legend_of(axes)) == {"best 30.0 %", "diverged"}
    crosses = next(line for line in axes.get_lines() if line.get_label() == "diverged")
    star = next(line for line in axes.get_lines() if line.get_label() == "best 30.0 %")
    assert (crosses.get_marker(), to_hex(crosses.get_color())) == ("x", GREY.lower())
    assert (star.get_marker(), to_hex(star.get_color())) == ("*", VERMILION.lower())
    # The ground is that of the panel, wherever accuracies begin.
    figure.canvas.draw()
    _, height = axes.transAxes.inverted().transform(crosses.get_transform().transform((1.0, 0.03)))
    assert height == pytest.approx(0.03)
    assert figure.get_suptitle() == "a sweep"


def test_without_a_best_or_divergence_there_is_nothing_to_explain() -> None:
    (axes,) = line_figure(RATE, trials(np.array([0.1, 0.2, 0.3, 0.4]), None), "").axes
    assert legend_of(axes) == []
    assert len(axes.get_lines()) == 1


def test_where_all_diverged_the_axis_goes_from_nothing_to_all() -> None:
    figure = line_figure(RATE, trials(np.full(4, np.nan), None), "")
    (axes,) = figure.axes
    assert axes.get_ylim() == (0, 1)
    assert len(lines_of(axes)["diverged"][0]) == 4
    assert render(figure, dpi=40)


def test_accuracies_are_in_percent_and_the_setting_has_its_name_and_scale() -> None:
    (axes,) = line_figure(RATE, trials(ACCURACIES, None), "").axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "optimizer.learning_rate",
        "validation accuracy",
    )
    assert axes.get_xscale() == "log"
    assert axes.yaxis.get_major_formatter()(0.25, 0) == "25 %"
    (axes,) = line_figure(MOMENTUM, trials(ACCURACIES, None), "").axes
    assert axes.get_xscale() == "linear"


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([1e-2, 1e-1, 1.0], {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0}), ([1e-6, 1e-3, 1.0], None)],
)
def test_over_few_decades_there_are_ticks_between_the_powers(
    values: list[float], ticks: set[float] | None
) -> None:
    axis = read_axis("x", values)
    (axes,) = line_figure(axis, trials(np.array([0.1, 0.2, 0.3]), None), "").axes
    shown = {float(f"{tick:.3g}") for tick in axes.get_xticks()}
    if ticks is None:
        assert all(np.log10(tick) == pytest.approx(round(np.log10(tick))) for tick in shown)
    else:
        assert ticks <= shown


def test_words_stand_side_by_side_with_room_on_both_sides() -> None:
    (axes,) = line_figure(LOSS, trials(ACCURACIES, 0), "").axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["softmax", "hinge"]
    assert axes.get_xlim() == (-0.5, 1.5)
    assert lines_of(axes)["best 30.0 %"] == ([0.0], [0.3])


def test_a_cloud_has_a_point_for_each_trial_in_the_colour_of_its_accuracy() -> None:
    figure = cloud_figure(RATE, MOMENTUM, trials(ACCURACIES, 0), "")
    axes, bar = figure.axes
    (points,) = axes.collections
    assert np.asarray(points.get_offsets()).tolist() == [[1e-2, 0.0], [1e-4, 0.9], [1e-3, 0.5]]
    assert np.asarray(points.get_array()).tolist() == [0.3, 0.1, 0.2]
    assert (points.norm.vmin, points.norm.vmax) == (0.1, 0.3)
    lines = lines_of(axes)
    assert lines["diverged"] == ([1.0], [0.25])
    assert lines["best 30.0 %"] == ([1e-2], [0.0])
    assert (axes.get_xlabel(), axes.get_ylabel()) == (RATE.name, MOMENTUM.name)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert bar.get_ylabel() == "validation accuracy"
    assert render(figure, dpi=40)


def test_a_cloud_of_diverged_trials_is_drawn() -> None:
    figure = cloud_figure(RATE, MOMENTUM, trials(np.full(4, np.nan), None), "")
    assert legend_of(figure.axes[0]) == ["diverged"]
    assert len(lines_of(figure.axes[0])["diverged"][0]) == 4
    assert render(figure, dpi=40)


@pytest.mark.parametrize(
    ("accuracies", "low", "high"),
    [
        ([0.2, 0.4, 0.3], 0.2, 0.4),
        ([0.2, np.nan, 0.3], 0.2, 0.3),
        ([0.25, np.nan, 0.25], 0.245, 0.255),
        ([0.0], -0.005, 0.005),
        ([np.nan, np.nan], 0.0, 1.0),
    ],
)
def test_colours_go_from_the_least_to_the_greatest_accuracy(
    accuracies: list[float], low: float, high: float
) -> None:
    found = accuracy_range(np.array(accuracies))
    assert (found.vmin, found.vmax) == pytest.approx((low, high))


def test_the_colour_bar_has_the_colours_of_the_points() -> None:
    figure = new_figure(4, 3)
    panel = figure.subplots()
    add_colour_bar(figure, [panel], ACCURACIES)
    bar = figure.axes[1]
    assert bar.get_ylim() == pytest.approx((0.1, 0.3))
    assert bar.yaxis.get_major_formatter()(0.2, 0) == "20 %"


def test_the_best_is_named_in_percent() -> None:
    assert best_label(0.4237) == "best 42.4 %"
