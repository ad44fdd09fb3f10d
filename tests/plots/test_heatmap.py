import io
from itertools import product

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from softmax_cli.errors import DataError
from softmax_cli.plots import heatmap_figure, render

RATE, STRENGTH, LOSS = "optimizer.learning_rate", "optimizer.regularization", "model.loss"


def grid(**settings: list[object]) -> tuple[dict[str, list[object]], int]:
    names = {"rate": RATE, "strength": STRENGTH, "loss": LOSS}
    trials = list(product(*settings.values()))
    columns = [list(column) for column in zip(*trials, strict=True)]
    return dict(zip((names[key] for key in settings), columns, strict=True)), len(trials)


def numbers_in(figure: Figure, panel: int = 0) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts]


def assert_decodes(figure: Figure) -> None:
    width, height = figure.get_size_inches()
    with Image.open(io.BytesIO(render(figure, "png", 40))) as picture:
        picture.load()
        assert picture.size == pytest.approx((40 * width, 40 * height), abs=1)


def test_two_settings_make_a_map_with_the_longer_one_across() -> None:
    parameters, n = grid(rate=[1.4e-7, 1.5e-7], strength=[8e3, 9e3, 1e4])
    figure = heatmap_figure(parameters, np.arange(n) / 10, title="a sweep")
    axes = figure.axes[0]

    assert len(figure.axes) == 2
    assert (figure.get_supxlabel(), figure.get_supylabel()) == (STRENGTH, RATE)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["8000", "9000", "10000"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1.4e-7", "1.5e-7"]
    assert numbers_in(figure) == ["0.0", "10.0", "20.0", "30.0", "40.0", "50.0"]
    assert figure.get_suptitle() == "a sweep\nframed: best 50.0 %"
    assert_decodes(figure)


def test_the_order_of_trials_does_not_matter() -> None:
    parameters, n = grid(rate=[1, 2, 3], strength=[1, 2, 3, 4])
    accuracies = np.random.default_rng(0).random(n)
    order = np.random.default_rng(1).permutation(n)
    permuted = {name: [column[i] for i in order] for name, column in parameters.items()}

    assert render(heatmap_figure(permuted, accuracies[order]), dpi=40) == render(
        heatmap_figure(parameters, accuracies), dpi=40
    )


def test_the_best_is_framed_and_the_diverged_are_hatched() -> None:
    parameters, _ = grid(rate=[1, 2], strength=[1, 2])
    figure = heatmap_figure(parameters, [0.1, np.nan, 0.3, 0.2])
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    framed = [patch.get_xy() for patch in patches if patch.get_hatch() is None]
    hatched = [patch.get_xy() for patch in patches if patch.get_hatch() is not None]

    # Both settings have two values: the first one named runs across.
    assert framed == [(0.5, -0.5)]
    assert hatched == [(-0.5, 0.5)]
    assert "hatched: diverged" in figure.get_suptitle()
    assert_decodes(figure)


def test_a_caller_s_best_is_the_one_framed() -> None:
    parameters, _ = grid(rate=[1, 2], strength=[1, 2])

    assert (
        heatmap_figure(parameters, [0.1, 0.4, 0.3, 0.2], best=2).get_suptitle().endswith("30.0 %")
    )


@pytest.mark.parametrize("best", [None, 0])
def test_all_diverged_is_drawn_without_a_best(best: int | None) -> None:
    parameters, n = grid(rate=[1, 2], strength=[1, 2, 3])
    figure = heatmap_figure(parameters, np.full(n, np.nan), best=best)

    assert figure.get_suptitle() == "hatched: diverged"
    assert numbers_in(figure) == []
    assert_decodes(figure)


def test_three_settings_make_a_panel_for_each_value_of_the_shortest() -> None:
    parameters, n = grid(rate=[1, 2, 3], strength=[1, 2, 3, 4], loss=["softmax", "hinge"])
    accuracies = np.arange(n) / 100
    figure = heatmap_figure(parameters, accuracies)

    assert [axes.get_title() for axes in figure.axes[:2]] == [
        f"{LOSS} = softmax",
        f"{LOSS} = hinge",
    ]
    assert len(figure.axes) == 3
    assert numbers_in(figure, 1) == [f"{i}.0" for i in range(1, n, 2)]
    assert_decodes(figure)


@pytest.mark.parametrize("side", [1, 12, 20])
def test_small_and_large_grids_are_drawn(side: int) -> None:
    values: list[object] = list(np.geomspace(1e-6, 1.0, side))
    parameters, n = grid(rate=values, strength=values)
    figure = heatmap_figure(parameters, np.linspace(0.1, 0.4, n))

    assert len(numbers_in(figure)) == (n if side <= 16 else 0)
    assert_decodes(figure)


def test_one_setting_makes_a_line() -> None:
    figure = heatmap_figure({RATE: [1e-2, 1e-4, 1e-3, 1.0]}, [0.3, 0.1, 0.2, np.nan])
    axes = figure.axes[0]
    line, crosses, star = axes.get_lines()

    assert np.asarray(line.get_xdata()).tolist() == [1e-4, 1e-3, 1e-2, 1.0]
    assert np.asarray(line.get_ydata())[:3].tolist() == [0.1, 0.2, 0.3]
    assert np.asarray(crosses.get_xdata()).tolist() == [1.0]
    assert np.asarray(star.get_xdata()).tolist() == [1e-2]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (RATE, "validation accuracy")
    assert axes.get_xscale() == "log"
    assert_decodes(figure)


def test_settings_that_do_not_vary_are_left_out() -> None:
    figure = heatmap_figure({LOSS: ["softmax"] * 3, RATE: [1, 2, 3]}, [0.1, 0.2, 0.3])

    assert figure.axes[0].get_xlabel() == RATE


@pytest.mark.parametrize("accuracy", [0.4, np.nan])
def test_words_stand_side_by_side(accuracy: float) -> None:
    figure = heatmap_figure({LOSS: ["softmax", "hinge"]}, [accuracy, accuracy])

    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["softmax", "hinge"]
    assert_decodes(figure)


def test_axes_have_the_order_that_is_given() -> None:
    parameters, n = grid(rate=[1, None, "x"], loss=["hinge", "softmax"])
    orders: dict[str, list[object]] = {LOSS: ["softmax", "hinge"], RATE: ["x", None, 1], "y": [1]}
    axes = heatmap_figure(parameters, np.arange(n) / 10, orders=orders).axes[0]

    assert [label.get_text() for label in axes.get_xticklabels()] == ["x", "null", "1"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["softmax", "hinge"]


def test_a_random_search_makes_a_cloud() -> None:
    rng = np.random.default_rng(0)
    rates, strengths = 10 ** rng.uniform(-5, -1, 30), rng.uniform(1, 2, 30)
    accuracies = np.where(rates > 1e-2, np.nan, 0.3)
    figure = heatmap_figure({RATE: rates.tolist(), STRENGTH: strengths.tolist()}, accuracies)
    axes = figure.axes[0]

    assert (axes.get_xlabel(), axes.get_ylabel()) == (RATE, STRENGTH)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert np.shape(axes.collections[0].get_offsets())[0] == np.isfinite(accuracies).sum()
    assert_decodes(figure)


def test_a_random_search_over_a_number_and_a_word_makes_loose_points() -> None:
    rates: list[object] = list(np.random.default_rng(0).random(10))
    figure = heatmap_figure({LOSS: ["softmax", "hinge"] * 5, RATE: rates}, np.full(10, 0.3))

    assert figure.axes[0].get_lines()[0].get_linestyle() == "None"


def test_few_trials_over_many_words_still_make_a_map() -> None:
    words: dict[str, list[object]] = {LOSS: ["softmax", "hinge"], "a": ["x", "y"], "b": ["u", "v"]}

    assert len(heatmap_figure(words, [0.1, 0.2]).axes) == 3


def test_no_trials_are_refused() -> None:
    with pytest.raises(DataError):
        heatmap_figure({RATE: []}, [])


def test_the_region_within_noise_is_outlined_where_it_borders_on_others() -> None:
    parameters, n = grid(rate=[1.4e-7, 1.5e-7], strength=[8e3, 9e3, 1e4])
    values = np.array([0.4, 0.39, 0.2, 0.38, 0.2, np.nan])
    alike = [True, True, False, True, False, True]
    figure = heatmap_figure(parameters, values, within_noise=alike)
    # Three cells in the form of an L have eight sides; the diverged one has none.
    assert len(figure.axes[0].get_lines()) == 8
    assert "outlined: within noise of it" in figure.get_suptitle()
    alone = heatmap_figure(parameters, values, within_noise=[True] + [False] * (n - 1))
    assert len(alone.axes[0].get_lines()) == 0
    assert_decodes(figure)
