import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.tables import json_value
from softmax_cli.training.scorecard import Scorecard
from softmax_cli.training.training_data import load_training_data
from softmax_cli.tuning.outcomes import Outcome, failed, outcomes_of, ranked
from softmax_cli.tuning.stack_run import StackTask, trainer_of
from softmax_cli.tuning.stacks import plan_stacks
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space

GOOD = Outcome(
    id="b",
    parameters={"seed": 1},
    status="finished",
    iterations=40,
    validation_accuracy=0.5,
    validation_loss=1.0,
    train_accuracy=0.6,
    train_loss=0.9,
    validation_accuracy_std=0.0,
    validation_loss_std=0.0,
    seconds=1.0,
)


def ids(outcomes: list[Outcome], metric: str = "validation_accuracy") -> list[str]:
    return [o.id for o in ranked(outcomes, metric)]  # type: ignore[arg-type]


def test_the_best_comes_first_and_ties_do_not_depend_on_the_order() -> None:
    lower_loss = replace(GOOD, id="c", validation_loss=0.9)
    lower_id = replace(GOOD, id="a")
    better = replace(GOOD, id="d", validation_accuracy=0.6, validation_loss=2.0)
    outcomes = [GOOD, lower_loss, lower_id, better]
    assert ids(outcomes) == ids(outcomes[::-1]) == ["d", "c", "a", "b"]
    assert ids(outcomes, "validation_loss") == ["c", "a", "b", "d"]


def test_what_was_dropped_comes_behind_and_what_has_no_figures_last() -> None:
    early = replace(GOOD, id="early", status="dropped", iterations=5, validation_accuracy=0.9)
    late = replace(GOOD, id="late", status="dropped", iterations=15, validation_accuracy=0.8)
    lost = failed("failed", {"seed": 2})
    assert ids([lost, early, late, GOOD]) == ["b", "late", "early", "failed"]


def test_a_record_reads_back() -> None:
    for outcome in (GOOD, failed("x", {"seed": 3})):
        back = Outcome.from_record(json_value(asdict(outcome)))
        assert repr(back) == repr(outcome)


def test_a_record_from_before_optima_were_proven_reads_back() -> None:
    record = json_value(asdict(GOOD))
    assert isinstance(record, dict)
    for name in ("gradient_norm", "optimality_bound", "converged"):
        del record[name]
    assert Outcome.from_record(record) == GOOD


@pytest.mark.parametrize("record", [{}, {"id": "x"}, {**asdict(GOOD), "extra": 1}])
def test_a_record_of_something_else_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="expected a trial"):
        Outcome.from_record(record)


def trained(space: Space, parameters: dict[str, object], **values: object) -> list[Outcome]:
    settings = space(parameters, **values)
    (stack,) = plan_stacks(make_trials(settings), settings.folds)
    trainer = trainer_of(StackTask(stack), load_training_data(stack.shared))
    for _ in trainer.train():
        pass
    trials = [(trial.id, trial.parameters) for trial in stack.trials]
    return outcomes_of(trials, settings.folds, trainer, seconds=6.0)


def test_a_trial_that_diverged_has_no_figures_and_says_when(space: Space) -> None:
    found = trained(space, {"optimizer.learning_rate": [0.01, 1e6]}, **{"model.loss": "hinge"})
    calm, wild = sorted(
        found, key=lambda outcome: float(str(outcome.parameters["optimizer.learning_rate"]))
    )
    assert (calm.status, wild.status) == ("finished", "diverged")
    assert calm.iterations == 40
    assert 0 < wild.iterations < 40
    assert math.isnan(wild.validation_accuracy)
    assert math.isnan(wild.train_loss)
    assert calm.seconds == wild.seconds == 3.0


def test_a_loss_beyond_all_numbers_counts_as_divergence(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "softmax_cli.training.assembly.score_stack",
        lambda stack, *_: Scorecard(np.array([1.0, np.inf]), np.array([0.5, 0.9])),
    )
    statuses = [outcome.status for outcome in trained(space, {"model.weight_seed": [1, 2]})]
    assert statuses == ["finished", "diverged"]


def test_figures_of_a_trial_that_stopped_early_are_those_of_its_best_weights(space: Space) -> None:
    stopping = {"training.early_stopping": {"patience": 2}, "training.iterations": 2000}
    (outcome,) = trained(space, {"optimizer.learning_rate": [0.03]}, **stopping)
    settings = space({"optimizer.learning_rate": [0.03]}, **stopping)
    (stack,) = plan_stacks(make_trials(settings), 1)
    trainer = trainer_of(StackTask(stack), load_training_data(stack.shared))
    for _ in trainer.train():
        pass
    accuracies = [float(row.validation_accuracy[0]) for row in trainer.history]
    assert outcome.status == "stopped"
    assert outcome.validation_accuracy == max(accuracies)
    assert outcome.iterations == trainer.history[int(np.argmax(accuracies))].iteration


def test_with_folds_figures_are_means_with_their_deviation(space: Space) -> None:
    (outcome,) = trained(space, {"optimizer.learning_rate": [0.01]}, folds=4)
    settings = space({"optimizer.learning_rate": [0.01]}, folds=4)
    (stack,) = plan_stacks(make_trials(settings), 4)
    trainer = trainer_of(StackTask(stack), load_training_data(stack.shared))
    for _ in trainer.train():
        pass
    accuracies = trainer.history[-1].validation_accuracy
    assert accuracies.shape == (4,)
    assert outcome.validation_accuracy == pytest.approx(accuracies.mean())
    assert outcome.validation_accuracy_std == pytest.approx(accuracies.std(ddof=1))
    assert outcome.validation_loss == pytest.approx(trainer.history[-1].validation_loss.mean())


def test_a_trial_of_which_one_fold_diverged_has_diverged(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = Scorecard(np.array([1.0, np.nan, 1.0]), np.full(3, 0.5))
    monkeypatch.setattr("softmax_cli.training.assembly.score_folds", lambda *_, **__: scores)
    (outcome,) = trained(space, {"optimizer.learning_rate": [0.01]}, folds=3)
    assert outcome.status == "diverged"
    assert math.isnan(outcome.validation_accuracy_std)


def test_a_record_of_an_earlier_version_lacks_hits_and_is_read() -> None:
    record = asdict(GOOD)
    for name in ("validation_images", "fold_accuracies", "hits"):
        del record[name]
    assert Outcome.from_record(record) == GOOD


def test_folds_and_hits_come_back_from_a_record() -> None:
    rich = replace(GOOD, validation_images=9, fold_accuracies=(0.4, 0.6), hits="gIA=")
    assert Outcome.from_record(json_value(asdict(rich))) == rich
