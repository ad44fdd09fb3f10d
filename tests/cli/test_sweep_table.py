import math
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from softmax_cli.cli.sweep_table import NOISE_MARK, leaders_table, noise_sentence
from softmax_cli.config.schema import TrainConfig
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.tuning.outcomes import Outcome, failed
from softmax_cli.tuning.repeats import Setting, ranked_settings

OUTCOME = Outcome(
    id="b",
    parameters={},
    status="finished",
    iterations=3000,
    validation_accuracy=0.396,
    validation_loss=1.8578,
    train_accuracy=0.3805,
    train_loss=1.8367,
    validation_accuracy_std=0.0,
    validation_loss_std=0.0,
    seconds=1.0,
)
VALUES: dict[str, Any] = {
    "optimizer.regularization": 10000.0,
    "optimizer.learning_rate": 1.4e-7,
    "training.batch_size": 200,
    "model.temperature": {"start": 4.0, "end": 1.0, "decay": "cosine"},
    "augmentation.horizontal_flip": True,
}


def printed(
    outcomes: list[Outcome], rows: int = 20, noise: list[bool | None] | None = None
) -> list[str]:
    axes: dict[str, Any] = {key: [value] for key, value in outcomes[0].parameters.items()}
    settings = SweepConfig(train=TrainConfig(), parameters=axes)
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        leaders = [Setting(outcome, (outcome,)) for outcome in outcomes]
        console.print(leaders_table(settings, leaders, rows, noise))
    return captured.get().splitlines()


@pytest.mark.parametrize("axes", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("std", [0.0, 0.0123])
def test_names_and_accuracy_are_whole_whatever_the_axes(axes: int, std: float) -> None:
    parameters = dict(list(VALUES.items())[:axes])
    lines = printed([replace(OUTCOME, parameters=parameters, validation_accuracy_std=std)])
    text = "\n".join(lines)
    assert all(len(line) <= 80 for line in lines)
    for key in parameters:
        for word in key.rpartition(".")[2].split("_"):
            assert word in text
    assert "39.60 %" in text
    assert "10000" in text
    assert "…" not in text
    if std and axes < 5:
        assert "39.60 % ± 1.23" in text
    if axes <= 2:
        assert "1.8578" in text
        assert "38.05 %" in text


def test_ranks_go_to_what_has_figures() -> None:
    parameters: dict[str, Any] = {"seed": 1}
    good = replace(OUTCOME, parameters=parameters)
    dropped = replace(good, status="dropped", iterations=112)
    diverged = replace(good, status="diverged", validation_accuracy=math.nan)
    lines = printed([good, dropped, diverged, failed("x", parameters)])
    cells = [line.split() for line in lines if line.strip()][2:]
    assert [row[0] for row in cells] == ["1", "2", "-", "-"]
    assert "39.60 % at 112" in " ".join(cells[1])
    assert "diverged" in cells[2]
    assert "failed" in cells[3]


def test_only_so_many_rows_are_shown() -> None:
    outcomes = [replace(OUTCOME, parameters={"seed": seed}) for seed in range(30)]
    assert len([1 for line in printed(outcomes, rows=5) if "39.60" in line]) == 5


def test_what_is_within_noise_is_marked_in_a_column_of_its_own() -> None:
    outcomes = [replace(OUTCOME, id=str(i), parameters={"seed": i}) for i in range(4)]
    lines = printed(outcomes, noise=[True, True, False, None])
    marks = [NOISE_MARK in line for line in lines if "39.60" in line]
    assert marks == [True, True, False, False]
    assert NOISE_MARK in lines[0]
    assert all(len(line) <= 80 for line in lines)
    assert NOISE_MARK not in "".join(printed(outcomes, noise=[None, None, None, None]))


def test_the_distance_from_the_optimum_stands_beside_what_is_within_noise() -> None:
    unknown = replace(OUTCOME, parameters={"optimizer.regularization": 0.1})
    proven = replace(unknown, id="a", gradient_norm=8e-06, optimality_bound=2.5e-7)
    lines = printed([proven, unknown], noise=[True, True])
    assert all(len(line) <= 80 for line in lines)
    assert NOISE_MARK in lines[0]
    assert "gradient" in lines[0]
    assert "8.0e-06" in lines[2]
    assert lines[3].split()[-1] == "-"
    assert "columns left out: above optimum" in lines[-1]


def test_the_sentence_says_how_many_cannot_be_told_from_the_best() -> None:
    assert noise_sentence(13, 24, "trials") == "13 of 24 trials are within noise of the best (≈)"
    assert noise_sentence(1, 9, "settings") == "no other of 9 settings is within noise of the best"


def test_a_setting_with_repeats_shows_its_mean_and_is_named_without_seeds() -> None:
    repeats = [
        replace(OUTCOME, id=str(i), parameters={"seed": i, "model.loss": "hinge"}) for i in range(3)
    ]
    settings = SweepConfig(
        train=TrainConfig(), parameters={"seed": [0, 1, 2], "model.loss": ["hinge"]}
    )
    table = leaders_table(settings, ranked_settings(repeats, "validation_accuracy"), 20)
    assert [column.heading for column in table.columns][:2] == ["rank", "loss"]
    assert [row[-1] for row in table.rows] == ["3"]
    assert table.columns[-1].heading == "seeds"
