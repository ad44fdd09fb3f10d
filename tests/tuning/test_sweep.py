import json
import math
import os
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from softmax_cli.config.loading import load_train_config
from softmax_cli.config.sweep_schema import SweepConfig
from softmax_cli.errors import CheckpointError, InterruptedRunError
from softmax_cli.runs.directory import create_run_directory
from softmax_cli.runs.model_file import load_model
from softmax_cli.runs.tables import append_jsonl, read_jsonl
from softmax_cli.training.assembly import build_trainer
from softmax_cli.training.single_run import train_in_directory
from softmax_cli.training.training_data import load_training_data
from softmax_cli.tuning import stack_run
from softmax_cli.tuning.outcomes import Outcome, outcomes_of, ranked
from softmax_cli.tuning.stacks import plan_stacks
from softmax_cli.tuning.sweep import SweepSummary
from softmax_cli.tuning.trials import make_trials
from tests.tuning.conftest import Space, Sweep, Watcher, table

GRID = {"optimizer.learning_rate": [0.001, 0.003, 0.01], "optimizer.regularization": [0.01, 1.0]}
TWO_STACKS: dict[str, list[Any]] = {**GRID, "training.batch_size": [10, 20]}
HALVING = {"search": {"halving": {"factor": 2, "rungs": 3}}}
COLUMNS = (
    "status,iterations,validation_accuracy,validation_accuracy_std,"
    "validation_loss,validation_loss_std,train_accuracy,train_loss,"
    "validation_accuracy_low,validation_accuracy_high,within_noise,seconds"
)


class Killed(BaseException):
    """The end of a process that had no chance to do anything about it."""


def figures(summary: SweepSummary) -> dict[str, tuple[object, ...]]:
    """The result of each trial, without its time."""
    return {
        o.id: (o.status, o.iterations, o.validation_accuracy, o.validation_loss, o.train_loss)
        for o in summary.outcomes
    }


def recorded_once(directory: Path, settings: SweepConfig) -> bool:
    ids = [record["id"] for record in read_jsonl(directory / "trials.jsonl")]
    return sorted(ids) == sorted(trial.id for trial in make_trials(settings))


def test_a_directory_has_exactly_what_is_promised(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    settings = space(GRID)
    summary = sweep(settings)
    names = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert names == [
        "best", "best.yaml", "results.csv", "summary.json", "sweep.yaml", "trials.jsonl",
    ]  # fmt: skip
    header, first, *rest = (tmp_path / "here/results.csv").read_text().splitlines()
    assert header == f"rank,id,optimizer.learning_rate,optimizer.regularization,{COLUMNS}"
    assert len(rest) == 5
    assert summary.best is not None
    assert first.startswith(f"1,{summary.best.id},")
    assert recorded_once(tmp_path / "here", settings)
    document = json.loads((tmp_path / "here/summary.json").read_text())
    assert document["best"]["id"] == summary.best.id
    assert list(document) == [
        "trials", "failed", "diverged", "seconds", "best", "warnings", "settings", "within_noise",
    ]  # fmt: skip


def test_the_best_trial_is_the_one_that_training_it_alone_gives(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    summary = sweep(space(GRID))
    best = tmp_path / "here/best"
    assert summary.best is not None
    assert summary.best.validation_accuracy == max(
        outcome.validation_accuracy for outcome in summary.outcomes
    )
    config = load_train_config(str(tmp_path / "here/best.yaml"))
    assert config == load_train_config(str(best / "config.yaml"))
    with create_run_directory(tmp_path / "alone", kind="train", settings="") as run:
        alone = train_in_directory(run, config, load_training_data(config), Alone(), resume=False)
    a, b = load_model(best / "model.safetensors"), load_model(run.model_file)
    assert np.linalg.norm(a.weights - b.weights) <= 1e-5 * np.linalg.norm(b.weights)
    written = json.loads((best / "summary.json").read_text())
    assert written["validation_accuracy"] == pytest.approx(alone.validation_accuracy, abs=0.003)
    assert written["validation_accuracy"] == summary.best.validation_accuracy
    lines = (best / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["10", "20", "30", "40"]


class Alone(Watcher):
    """Observer of a single training."""

    def started(self, *_: object) -> None:
        pass

    def progressed(self, *_: object) -> None:
        pass


def test_permuting_the_grid_permutes_the_results_and_nothing_else(
    space: Space, sweep: Sweep
) -> None:
    first = sweep(space(TWO_STACKS), "a")
    turned = dict(reversed([(key, values[::-1]) for key, values in TWO_STACKS.items()]))
    second = sweep(space(turned), "b")
    assert figures(first) == figures(second)
    assert [o.id for o in first.outcomes] == [o.id for o in second.outcomes]


def test_a_diverging_trial_leaves_the_others_as_they_are_and_never_wins(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    # Of two sweeps with as many models, one has a trial that diverges where the other has a calm
    # one: all that they have in common must be the same bits, in the same columns or others.
    for metric in ("validation_accuracy", "validation_loss"):
        calm = sweep(space({"optimizer.learning_rate": [0.001, 0.01, 0.02]}, metric=metric))
        wild = sweep(space({"optimizer.learning_rate": [0.001, 0.01, 1e7]}, metric=metric), "wild")
        common = figures(calm).keys() & figures(wild).keys()
        assert len(common) == 2
        assert all(figures(calm)[trial] == figures(wild)[trial] for trial in common)
        assert [outcome.status for outcome in wild.outcomes] == ["finished", "finished", "diverged"]
        assert wild.diverged == 1
        lines = (tmp_path / "wild/results.csv").read_text().splitlines()
        assert lines[-1].startswith(",")
        assert ",diverged," in lines[-1]
        for name in ("here", "wild"):
            (tmp_path / name).rename(tmp_path / f"{name}-{metric}")


def test_where_all_diverge_there_is_no_best(space: Space, sweep: Sweep, tmp_path: Path) -> None:
    summary = sweep(space({"optimizer.learning_rate": [1e7, 1e8]}))
    assert summary.best is None
    assert summary.diverged == summary.trials == 2
    assert not (tmp_path / "here/best").exists()
    assert not (tmp_path / "here/best.yaml").exists()
    again = Watcher()
    assert sweep(space({"optimizer.learning_rate": [1e7, 1e8]}), watcher=again).diverged == 2
    assert again.steps == []


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("model.loss", ["softmax", "hinge"]),
        ("model.temperature", [1.0, {"start": 4.0, "end": 1.0, "decay": "cosine"}]),
        ("model.weight_seed", [1, 2]),
        ("preprocessing.scale", ["unit", "pixel"]),
        ("augmentation.horizontal_flip", [False, "exact"]),
        ("optimizer.schedule", ["constant", {"kind": "step", "every": 20, "factor": 0.1}]),
        ("optimizer.schedule.warmup", [0, 10]),
        ("training.batch_size", [10, 20]),
        ("training.iterations", [20, 40]),
        ("training.epochs", [0.5, 1.0]),
        ("training.sampling", ["replacement", "epoch"]),
        ("training.early_stopping", [None, {"patience": 1}]),
        ("data.train_size", [300, 600]),
        ("seed", [1, 2]),
    ],
)
def test_any_key_may_be_an_axis(
    space: Space, sweep: Sweep, key: str, values: list[Any], tmp_path: Path
) -> None:
    settings = space({key: values})
    summary = sweep(settings)
    assert summary.trials == 2
    for trial in make_trials(settings):
        trainer = build_trainer([trial.config], load_training_data(trial.config))
        for _ in trainer.train():
            pass
        (outcome,) = [o for o in summary.outcomes if o.id == trial.id]
        accuracies = [float(row.validation_accuracy[0]) for row in trainer.history]
        early = trial.config.training.early_stopping
        expected = max(accuracies) if early else accuracies[-1]
        assert outcome.validation_accuracy == pytest.approx(expected, abs=0.0051)
    assert recorded_once(tmp_path / "here", settings)


def test_wide_grids_are_several_stacks(
    space: Space, sweep: Sweep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("softmax_cli.tuning.stacks.MAX_STACK_MODELS", 2)
    watcher = Watcher()
    assert sweep(space(GRID), watcher=watcher).trials == 6
    (stage,) = watcher.stages
    assert [task.stack.models for task in stage] == [2, 2, 2]


def test_of_stacks_that_are_done_the_state_of_the_best_alone_is_kept(
    space: Space, sweep: Sweep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("softmax_cli.tuning.stacks.MAX_STACK_MODELS", 2)
    kept: list[int] = []

    class Looking(Watcher):
        def progressed(self, *arguments: Any) -> None:
            super().progressed(*arguments)
            kept.append(len(list((tmp_path / "here/checkpoint").glob("*"))))

    sweep(space(GRID), watcher=Looking())
    assert kept[:10] == [0] * 10
    assert max(kept) == 2  # the one in flight, and that of the best so far
    assert not (tmp_path / "here/checkpoint").exists()


def test_cross_validation_refits_the_best_on_all_training_images(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    summary = sweep(space(GRID, folds=3))
    best = summary.best
    assert best is not None
    assert best.validation_accuracy_std > 0
    config = load_train_config(str(tmp_path / "here/best.yaml"))
    data = load_training_data(config)
    trainer = build_trainer([config], data)
    for _ in trainer.train():
        pass
    weights, _ = trainer.stack.member(0)
    np.testing.assert_array_equal(
        load_file(tmp_path / "here/best/model.safetensors")["weights"], weights
    )
    assert len(data.train) == 600


@pytest.mark.parametrize("folds", [1, 3])
def test_halving_keeps_those_that_a_plain_loop_keeps(
    space: Space, sweep: Sweep, folds: int
) -> None:
    parameters = {
        "optimizer.learning_rate": [1e-4, 1e-3, 1e-2, 1e5],
        "optimizer.momentum": [0.0, 0.9],
        "training.batch_size": [10, 20],
    }
    watcher = Watcher()
    summary = sweep(space(parameters, folds=folds, **HALVING), watcher=watcher)
    left = make_trials(space(parameters))
    expected: dict[str, int] = {}
    for end, last in ((10, False), (20, False), (40, True)):
        found: list[Outcome] = []
        for stack in plan_stacks(left, folds):
            data = load_training_data(stack.shared)
            configs = [trial.config for trial in stack.trials]
            trainer = build_trainer(configs, data, folds=folds, stop=end)
            for _ in trainer.train(until=end):
                pass
            found += outcomes_of([(t.id, t.parameters) for t in stack.trials], folds, trainer, 0.0)
        best = ranked(found, "validation_accuracy")[: max(len(found) // 2, 1)]
        keep = {o.id for o in best if not math.isnan(o.validation_accuracy)}
        for outcome in found:
            if last or outcome.id not in keep:
                expected[outcome.id] = end if outcome.has_figures else -1
        left = [trial for trial in left if trial.id in keep]
    got = {o.id: o.iterations if o.has_figures else -1 for o in summary.outcomes}
    assert got == expected
    statuses = [outcome.status for outcome in summary.outcomes]
    assert statuses == ["finished"] * 4 + ["dropped"] * 8 + ["diverged"] * 4
    # Nothing is trained twice, but after cross-validation the best one.
    refit = 40 if folds > 1 else 0
    assert len(watcher.steps) == 2 * 10 + 2 * 10 + 2 * 20 + refit or len(watcher.steps) < 80 + refit


def test_a_survivor_ends_as_in_the_full_grid(space: Space, sweep: Sweep, tmp_path: Path) -> None:
    grid = {"optimizer.learning_rate": [1e-4, 1e-3, 1e-2], "optimizer.momentum": [0.0, 0.9]}
    halved = sweep(space(grid, **HALVING))
    full = sweep(space(grid), "full")
    assert halved.best is not None
    (same,) = [outcome for outcome in full.outcomes if outcome.id == halved.best.id]
    assert halved.best.validation_loss == pytest.approx(same.validation_loss, rel=1e-5)
    assert load_model(tmp_path / "here/best/model.safetensors").results["iteration"] == 40


@pytest.mark.posix("a sync of directories")
@pytest.mark.parametrize(
    "values", [{}, {"folds": 2}, HALVING, {"search": {"random": {"trials": 12}}}]
)
def test_a_sweep_killed_anywhere_ends_with_the_same_table(
    space: Space,
    sweep: Sweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, Any],
) -> None:
    settings = space(TWO_STACKS, **values)
    real, calls = os.fsync, 0
    kill_at = -1

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            raise Killed
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    sweep(settings, "whole")
    moments = random.Random(repr(values)).sample(range(5, calls), 3)
    for number, first in enumerate(moments):
        name = f"cut-{number}"
        for moment in (first, 12):  # and soon after going on once more
            calls, kill_at = 0, moment
            with pytest.raises(Killed):
                sweep(settings, name)
        kill_at = -1
        sweep(settings, name)
        assert table(tmp_path / name) == table(tmp_path / "whole")
        assert recorded_once(tmp_path / name, settings)
        for file in ("best/model.safetensors", "best/best.safetensors", "best/metrics.csv"):
            whole = (tmp_path / "whole" / file).read_bytes()
            assert (tmp_path / name / file).read_bytes() == whole


def test_a_stack_goes_on_from_its_checkpoint_and_finished_ones_are_kept(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    settings = space(TWO_STACKS)
    whole = sweep(settings, "whole")
    first = Watcher(stop_after=40 + 15)
    with pytest.raises(InterruptedRunError, match="6 of 12 trials") as caught:
        sweep(settings, watcher=first)
    assert "--resume" in str(caught.value.hint)
    second = Watcher()
    resumed = sweep(settings, watcher=second)
    assert second.plans == [(12, 6)]
    assert len(second.steps) == 25
    assert figures(resumed) == figures(whole)
    assert table(tmp_path / "here") == table(tmp_path / "whole")
    third = Watcher()
    assert figures(sweep(settings, watcher=third)) == figures(whole)
    assert third.steps == []


@pytest.mark.parametrize("appended", [1, 3, 5])
def test_a_kill_between_the_trials_of_one_stack_trains_nothing_again(
    space: Space, sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, appended: int
) -> None:
    settings, left = space(GRID), appended

    def append(path: Path, document: Any) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        append_jsonl(path, document)

    with monkeypatch.context() as patch:
        patch.setattr("softmax_cli.tuning.outcome_log.append_jsonl", append)
        with pytest.raises(Killed):
            sweep(settings)
    assert len(read_jsonl(tmp_path / "here/trials.jsonl")) == appended
    watcher = Watcher()
    sweep(settings, watcher=watcher)
    sweep(settings, "whole")
    assert watcher.steps == []
    assert table(tmp_path / "here") == table(tmp_path / "whole")
    assert recorded_once(tmp_path / "here", settings)


def test_an_extended_grid_runs_only_the_new_trials(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    before, after = space({"optimizer.learning_rate": [0.001, 0.01]}), space(GRID)
    settings = space({"optimizer.learning_rate": [0.001, 0.01, 0.03]})
    first = sweep(before)
    watcher = Watcher()
    second = sweep(settings, watcher=watcher)
    assert len(watcher.steps) == 40
    assert {len(ids) for ids in watcher.steps} == {1}
    assert figures(first).items() <= figures(second).items()
    assert recorded_once(tmp_path / "here", settings)
    assert len(make_trials(after)) == 6


def test_a_grid_extended_in_the_middle_of_a_stack_goes_on_with_that_stack(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    before = space({"optimizer.learning_rate": [0.001, 0.01]})
    after = space({"optimizer.learning_rate": [0.001, 0.01, 0.03]})
    whole = sweep(before, "whole")
    with pytest.raises(InterruptedRunError):
        sweep(before, watcher=Watcher(stop_after=25))
    watcher = Watcher()
    summary = sweep(after, watcher=watcher)
    assert len(watcher.steps) == 15 + 40
    assert figures(whole).items() <= figures(summary).items()
    assert recorded_once(tmp_path / "here", after)


def test_more_random_trials_run_only_the_new_ones(space: Space, sweep: Sweep) -> None:
    axis = {"optimizer.learning_rate": {"low": 1e-3, "high": 1e-1, "scale": "log"}}
    sweep(space(axis, search={"random": {"trials": 4}}))
    watcher = Watcher()
    summary = sweep(space(axis, search={"random": {"trials": 7}}), watcher=watcher)
    assert watcher.plans == [(7, 4)]
    assert {len(ids) for ids in watcher.steps} == {3}
    assert summary.trials == 7


def test_a_better_trial_of_an_extended_grid_takes_the_place_of_the_best(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    sweep(space({"optimizer.learning_rate": [1e-6, 1e-5]}))
    before = (tmp_path / "here/best/model.safetensors").read_bytes()
    summary = sweep(space({"optimizer.learning_rate": [1e-6, 1e-5, 1e-2]}))
    assert summary.best is not None
    assert summary.best.parameters == {"optimizer.learning_rate": 1e-2}
    assert (tmp_path / "here/best/model.safetensors").read_bytes() != before
    best = load_train_config(str(tmp_path / "here/best/config.yaml"))
    assert best.optimizer.learning_rate == 1e-2


@pytest.mark.parametrize("values", [{}, HALVING])
def test_failed_trials_are_marked_and_tried_again(
    space: Space,
    sweep: Sweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, Any],
) -> None:
    settings = space(TWO_STACKS, **values)
    failing = plan_stacks(make_trials(settings), 1)[0].id

    def run_stack(task: Any, *rest: Any) -> Any:
        if task.stack.id == failing:
            raise MemoryError
        return stack_run.run_stack(task, *rest)

    watcher = Watcher()
    with monkeypatch.context() as patch:
        patch.setattr("softmax_cli.tuning.local.run_stack", run_stack)
        summary = sweep(settings, watcher=watcher)
    assert summary.failed == 6
    assert summary.trials == 12
    assert [outcome.status for outcome in summary.outcomes][-6:] == ["failed"] * 6
    assert watcher.warnings == ["6 trials failed: MemoryError"]
    assert summary.best is not None
    assert (tmp_path / "here/checkpoint").exists()
    again = sweep(settings)
    assert again.failed == 0
    assert not (tmp_path / "here/checkpoint").exists()
    assert figures(again) == figures(sweep(settings, "whole"))
    assert table(tmp_path / "here") == table(tmp_path / "whole")
    assert recorded_once(tmp_path / "here", settings)


def test_where_all_fail_there_is_no_best(space: Space, sweep: Sweep) -> None:
    summary = sweep(space({"data.train_size": [4900, 5000]}))
    assert (summary.failed, summary.diverged, summary.best) == (2, 0, None)


def test_damaged_records_are_an_error(space: Space, sweep: Sweep, tmp_path: Path) -> None:
    sweep(space(GRID))
    path = tmp_path / "here/trials.jsonl"
    path.write_text(path.read_text().replace("validation_loss", "loss", 1))
    with pytest.raises(CheckpointError):
        sweep(space(GRID))


def test_damaged_states_are_an_error_that_names_the_folder(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    with pytest.raises(InterruptedRunError):
        sweep(space(GRID), watcher=Watcher(stop_after=25))
    (folder,) = (tmp_path / "here/checkpoint").iterdir()
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError) as caught:
        sweep(space(GRID))
    assert str(folder) in str(caught.value.hint)


def test_stopping_while_the_best_is_refitted_is_an_interruption(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    settings = space(GRID, folds=2)
    with pytest.raises(InterruptedRunError, match="6 of 6"):
        sweep(settings, watcher=Watcher(stop_after=50))
    sweep(settings)
    sweep(settings, "whole")
    model = (tmp_path / "whole/best/model.safetensors").read_bytes()
    assert (tmp_path / "here/best/model.safetensors").read_bytes() == model


def test_a_best_run_that_was_removed_is_made_again(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    sweep(space(GRID))
    path = tmp_path / "here/best/model.safetensors"
    before = load_file(path)["weights"]
    shutil.rmtree(tmp_path / "here/best")
    watcher = Watcher()
    sweep(space(GRID), watcher=watcher)
    # Its stack is gone, so it is trained again, alone.
    assert {len(ids) for ids in watcher.steps} == {1}
    assert len(watcher.steps) == 40
    weights = load_file(path)["weights"]
    assert np.linalg.norm(weights - before) <= 1e-5 * np.linalg.norm(before)


@pytest.mark.parametrize("content", [b"", b"?", b"of another format"])
def test_a_finished_sweep_does_not_care_for_states_that_are_left_of_it(
    space: Space, sweep: Sweep, tmp_path: Path, content: bytes
) -> None:
    settings = space({"optimizer.learning_rate": [0.001, 0.01]})
    first = sweep(settings)
    leave_state(tmp_path / "here", settings, content)
    watcher = Watcher()
    assert figures(sweep(settings, watcher=watcher)) == figures(first)
    assert watcher.steps == []
    assert not (tmp_path / "here/checkpoint").exists()

    leave_state(tmp_path / "here", settings, content)
    grown = space({"optimizer.learning_rate": [0.001, 0.01, 0.03]})
    second = sweep(grown, watcher=watcher)
    assert {len(ids) for ids in watcher.steps} == {1}
    assert figures(first).items() <= figures(second).items()
    assert not (tmp_path / "here/checkpoint").exists()


def leave_state(directory: Path, settings: SweepConfig, content: bytes) -> None:
    """A state of the one stack of a sweep, as earlier versions kept it."""
    (stack,) = plan_stacks(make_trials(settings), settings.folds)
    folder = directory / "checkpoint" / f"stack-{stack.id}"
    folder.mkdir(parents=True)
    (folder / "step-00000040.safetensors").write_bytes(content)


def test_the_best_run_is_kept_where_only_the_folder_of_the_data_has_changed(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    sweep(space(GRID))
    model = (tmp_path / "here/best/model.safetensors").read_bytes()
    watcher = Watcher()
    sweep(space(GRID, **{"data.dir": "elsewhere"}), watcher=watcher)
    assert watcher.steps == []
    assert (tmp_path / "here/best/model.safetensors").read_bytes() == model


def test_a_best_run_of_settings_that_cannot_be_read_is_made_again(
    space: Space, sweep: Sweep, tmp_path: Path
) -> None:
    sweep(space(GRID))
    marker, _, _ = (tmp_path / "here/best/config.yaml").read_text().partition("\n")
    (tmp_path / "here/best/config.yaml").write_text(f"{marker}\nno: such key\n")
    sweep(space(GRID))
    best = load_train_config(str(tmp_path / "here/best/config.yaml"))
    assert best == load_train_config(str(tmp_path / "here/best.yaml"))


def test_a_sweep_of_optima_is_recorded_ranked_and_proven(
    optima: Space, sweep: Sweep, tmp_path: Path
) -> None:
    summary = sweep(optima({"optimizer.regularization": [0.0, 0.1, 1.0]}))
    by_decay = {o.parameters["optimizer.regularization"]: o for o in summary.outcomes}
    assert all(outcome.converged for outcome in summary.outcomes)
    assert by_decay[0.0].optimality_bound is None
    assert by_decay[1.0].optimality_bound is not None
    # Each trial has its own number of iterations, though they are one stack.
    assert by_decay[1.0].iterations < by_decay[0.1].iterations
    header = (tmp_path / "here/results.csv").read_text().splitlines()[0]
    assert header.endswith(
        ",train_loss,gradient_norm,optimality_bound,converged,"
        "validation_accuracy_low,validation_accuracy_high,within_noise,seconds"
    )
    assert all(outcome.unpacked_hits() is not None for outcome in summary.outcomes)
    assert summary.noise[0] is True
    assert None not in summary.noise
    assert summary.best is not None
    document = json.loads((tmp_path / "here/best/summary.json").read_text())
    assert document["gradient_norm"] == pytest.approx(summary.best.gradient_norm, rel=1e-3)
    assert document["iterations"] == summary.best.iterations
    assert document["converged"]


def test_a_sweep_of_optima_goes_on_in_the_same_bits(
    optima: Space, sweep: Sweep, tmp_path: Path
) -> None:
    settings = optima({"optimizer.regularization": [0.03, 0.1, 1.0]})
    whole = sweep(settings, "whole")
    with pytest.raises(InterruptedRunError, match="stopped with 0 of 3 trials done"):
        sweep(settings, "cut", Watcher(stop_after=9))
    assert figures(sweep(settings, "cut")) == figures(whole)
    assert table(tmp_path / "cut") == table(tmp_path / "whole")
    for name in ("model.safetensors", "metrics.csv"):
        cut, uncut = (tmp_path / run / "best" / name for run in ("cut", "whole"))
        assert cut.read_bytes() == uncut.read_bytes()


def test_folds_of_optima_are_averaged(optima: Space, sweep: Sweep) -> None:
    summary = sweep(optima({"optimizer.regularization": [0.1, 1.0]}, folds=3))
    assert all(outcome.converged for outcome in summary.outcomes)
    assert all(outcome.validation_accuracy_std > 0 for outcome in summary.outcomes)


def test_trials_that_do_not_arrive_are_told_of(optima: Space, sweep: Sweep) -> None:
    values = {"optimizer.max_iterations": 3}
    summary = sweep(optima({"optimizer.regularization": [0.0, 0.1, 1.0]}, **values))
    assert [outcome.converged for outcome in summary.outcomes] == [False] * 3
    assert summary.warnings[0] == (
        "3 of 3 trials did not reach optimizer.tolerance, 0.0001: "
        "raise optimizer.max_iterations, or the tolerance."
    )


def test_trials_of_sgd_are_certified_on_request(space: Space, sweep: Sweep) -> None:
    summary = sweep(space(GRID, **{"training.certificate": True}))
    for outcome in summary.outcomes:
        assert outcome.optimality_bound is not None
        assert outcome.optimality_bound > 0
        assert outcome.converged is None
