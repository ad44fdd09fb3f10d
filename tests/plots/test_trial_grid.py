import numpy as np
import pytest

from softmax_cli.errors import DataError
from softmax_cli.plots.trial_grid import check_trials, fill_grid, is_scattered, read_axis


def test_numbers_are_sorted_and_written_readably() -> None:
    axis = read_axis("optimizer.learning_rate", [1.6e-7, 1.4e-7, 1.5e-7, 1.4e-7])

    assert axis.labels == ("1.4e-7", "1.5e-7", "1.6e-7")
    assert axis.positions.tolist() == [2, 0, 1, 0]
    assert not axis.logarithmic


@pytest.mark.parametrize(
    ("settings", "logarithmic"),
    [([1e-4, 1e-2], True), ([1, 19], False), ([0, 1e-2, 1], False), ([-5, 100], False)],
)
def test_a_scale_is_logarithmic_when_positive_values_span_far(
    settings: list[float], logarithmic: bool
) -> None:
    assert read_axis("x", settings).logarithmic is logarithmic


def test_numbers_too_close_for_short_labels_get_longer_ones() -> None:
    assert read_axis("x", [1.00001, 1.00002]).labels == ("1.00001", "1.00002")


MAPPING = {"start": 4.0, "decay": "cosine"}


def test_all_else_keeps_its_order_and_is_written_as_in_yaml() -> None:
    settings = [None, True, 2.0, MAPPING, "softmax", True, ["a", 1]]
    axis = read_axis("x", settings)

    assert axis.labels == ("null", "true", "2", "start 4, decay cosine", "softmax", "['a', 1]")
    assert axis.positions.tolist() == [0, 1, 2, 3, 4, 1, 5]
    assert axis.values is None


@pytest.mark.parametrize(
    ("order", "labels"),
    [
        ([None, 4, 1, 2, MAPPING], ("null", "1", "2", "4", "start 4, decay cosine")),
        ([2, MAPPING, 4, None, 1], ("1", "2", "4", "start 4, decay cosine", "null")),
        ([MAPPING, 4.0, "not tried", None], ("start 4, decay cosine", "1", "2", "4", "null")),
        ([{"decay": "cosine", "start": 4}, None], ("start 4, decay cosine", "null", "1", "2", "4")),
    ],
)
def test_what_is_no_number_has_the_order_that_is_wanted(
    order: list[object], labels: tuple[str, ...]
) -> None:
    for settings in ([4, 1, MAPPING, 2, None], [None, 1, 2, MAPPING, 4]):
        axis = read_axis("x", settings, order)
        assert axis.labels == labels
        alone = [read_axis("x", [setting]).labels[0] for setting in settings]
        assert [axis.labels[place] for place in axis.positions] == alone


def test_close_numbers_stay_apart_beside_a_mapping() -> None:
    axis = read_axis("x", [1.00002, MAPPING, 1.00001, 1])

    assert axis.labels == ("1", "1.00001", "1.00002", "start 4, decay cosine")
    assert axis.positions.tolist() == [2, 3, 1, 0]


def test_truth_values_are_no_numbers() -> None:
    assert read_axis("x", [True, False]).labels == ("true", "false")


def test_a_cell_has_the_best_of_its_trials_and_empty_cells_none() -> None:
    axes = [read_axis("a", [1, 1, 1, 2, 2]), read_axis("b", [1, 1, 2, 2, 2])]
    cells = fill_grid(axes, np.array([0.2, 0.3, np.nan, 0.4, np.nan]), None)

    assert cells.tolist() == [[1, 2], [-1, 3]]


def test_of_equal_trials_in_a_cell_the_first_is_shown_unless_another_is_the_best() -> None:
    axes = [read_axis("a", [1, 1, 2]), read_axis("b", [1, 1, 2])]
    accuracies = np.array([0.3, 0.3, 0.1])

    assert fill_grid(axes, accuracies, None)[0, 0] == 0
    assert fill_grid(axes, accuracies, 1)[0, 0] == 1


def test_scattered_means_at_least_half_the_cells_are_empty() -> None:
    axes = [read_axis("a", [1, 2, 3]), read_axis("b", [1, 2, 3])]

    assert is_scattered(axes, 3)
    assert is_scattered(axes, 4)
    assert not is_scattered(axes, 5)


@pytest.mark.parametrize(
    ("parameters", "accuracies"), [({}, [0.1]), ({"a": []}, []), ({"a": [1, 2]}, [0.1])]
)
def test_trials_that_do_not_fit_are_refused(
    parameters: dict[str, list[object]], accuracies: list[float]
) -> None:
    with pytest.raises(DataError, match="expected at least one trial"):
        check_trials(parameters, np.array(accuracies))
