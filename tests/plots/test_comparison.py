from matplotlib.colors import to_hex

from softmax_cli.plots import render
from softmax_cli.plots.comparison import comparison_figure
from softmax_cli.plots.style import GREY, VERMILION


def test_differences_stand_beside_accuracies_and_noise_is_grey() -> None:
    figure = comparison_figure(
        ["a", "b", "c" * 40],
        [0.37, 0.41, 0.38],
        [(0.36, 0.38), (0.40, 0.42), (0.37, 0.39)],
        [0.04, 0.01],
        [(0.03, 0.05), (-0.01, 0.03)],
        [0.0001, 0.3],
        title="10,000 test images",
    )
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()][:2] == ["a", "b"]
    points = [line for line in right.get_lines() if line.get_marker() == "o"]
    assert [to_hex(line.get_color()) for line in points] == [VERMILION.lower(), GREY.lower()]
    assert right.get_title(loc="right") == "orange: p < 0.05, grey: within noise"
    assert render(figure, "png", 40)
