"""What was measured while a stack trained."""

import numpy as np
import pytest

from softmax_cli.training.history import (
    COLUMNS,
    Measurement,
    history_arrays,
    history_from_arrays,
)


def measured(rows: int, models: int) -> list[Measurement]:
    rng = np.random.default_rng(0)
    history = [
        Measurement(100 * (row + 1), *rng.random((len(COLUMNS) - 1, models))) for row in range(rows)
    ]
    for row in history[2:]:
        row.validation_loss[0] = np.nan
    return history


def test_the_columns_are_those_of_the_table_that_users_read() -> None:
    assert COLUMNS == (
        "iteration", "learning_rate", "temperature",
        "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
    )  # fmt: skip


@pytest.mark.parametrize("rows", [0, 1, 5])
@pytest.mark.parametrize("models", [1, 3])
def test_a_history_comes_back_from_its_arrays(rows: int, models: int) -> None:
    history = measured(rows, models)
    columns = history_arrays(history, models)
    assert tuple(columns) == COLUMNS
    assert columns["iteration"].dtype == np.int64
    assert columns["iteration"].shape == (rows,)
    for name in COLUMNS[1:]:
        assert columns[name].shape == (rows, models)
        assert columns[name].dtype == np.float64
    again = history_from_arrays(columns)
    assert [row.iteration for row in again] == [row.iteration for row in history]
    assert all(type(row.iteration) is int for row in again)
    for before, after in zip(history, again, strict=True):
        for name in COLUMNS[1:]:
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


def test_the_row_of_a_model_is_its_own_and_made_of_plain_numbers() -> None:
    history = measured(3, 2)
    row = history[1].of_model(1)
    assert tuple(row) == COLUMNS
    assert row["iteration"] == 200
    assert row["train_loss"] == history[1].train_loss[1] != history[1].train_loss[0]
    assert {type(value) for value in row.values()} == {int, float}
    assert np.isnan(history[2].of_model(0)["validation_loss"])
    assert not np.isnan(history[2].of_model(1)["validation_loss"])
