import csv
import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from softmax_cli.config.sweep_loading import load_sweep_config
from softmax_cli.runs.tables import read_jsonl
from softmax_cli.training import preconditioner
from softmax_cli.training.stop_signals import STOP_SIGNALS
from tests.cli.conftest import QUICK, Run, Start
from tests.tuning.conftest import table

SWEEP = ("sweep", "--config", "demo-sweep", *QUICK)
NINE = 9


def rows(directory: Path) -> list[dict[str, str]]:
    with (directory / "results.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def recorded_once(directory: Path, trials: int) -> bool:
    ids = [record["id"] for record in read_jsonl(directory / "trials.jsonl")]
    return len(ids) == len(set(ids)) == trials


def test_a_sweep_ends_with_results_best_run_and_picture(run: Run, tmp_path: Path) -> None:
    result = run(*SWEEP, "--run-dir", "here", "--format", "json")
    assert result.code == 0
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        "best", "best.yaml", "heatmap.png", "results.csv", "summary.json", "sweep.yaml",
        "trials.jsonl",
    ]  # fmt: skip
    document = result.json()
    assert list(document) == [
        "run_dir", "trials", "failed", "diverged", "seconds", "best", "warnings", "settings",
        "within_noise", "results", "setting_results",
    ]  # fmt: skip
    assert (document["run_dir"], document["trials"], document["failed"]) == ("here", NINE, 0)
    best = document["best"]
    assert best["run_dir"] == "here/best"
    assert best == {**document["results"][0], "run_dir": "here/best"}
    assert set(best["parameters"]) == {"optimizer.learning_rate", "optimizer.regularization"}
    table_rows = rows(tmp_path / "here")
    assert [row["rank"] for row in table_rows] == [str(rank) for rank in range(1, NINE + 1)]
    accuracies = [float(row["validation_accuracy"]) for row in table_rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert best["validation_accuracy"] == accuracies[0]
    with Image.open(tmp_path / "here/heatmap.png") as picture:
        assert min(picture.size) > 200


def test_the_table_fits_and_names_what_was_written(run: Run) -> None:
    result = run(*SWEEP)
    assert result.code == 0
    assert all(len(line) <= 80 for line in result.out.splitlines())
    for text in ("learning", "rate", "regularization", "runs/sweep/demo-sweep-001/best"):
        assert text in result.out
    assert "9 of 9 trials done" in result.err


def test_what_is_within_noise_of_the_best_is_counted_and_marked(run: Run, tmp_path: Path) -> None:
    result = run(*SWEEP, "--run-dir", "here")
    marked = [row["within_noise"] == "true" for row in rows(tmp_path / "here")]
    assert marked[0]
    assert f"{sum(marked)} of 9 trials are within noise of the best (≈)" in result.out
    assert "validation accuracy" in result.out
    document = run("sweep", "--resume", "here", "--format", "json").json()
    assert [trial["within_noise"] for trial in document["results"]] == marked
    assert document["within_noise"] == sum(marked)
    for trial in document["results"]:
        low, high = trial["validation_accuracy_interval"]
        assert low < trial["validation_accuracy"] < high
        assert "hits" not in trial


def test_the_simplest_of_a_finished_sweep_can_be_chosen_afterwards(run: Run) -> None:
    best = run(*SWEEP, "--run-dir", "here", "--format", "json").json()["best"]
    chosen = run("sweep", "--resume", "here", "select=simplest", "--format", "json").json()
    key = "optimizer.regularization"
    assert chosen["best"]["parameters"][key] >= best["parameters"][key]
    assert chosen["results"][0]["id"] == best["id"]
    kept = run("evaluate", "here/best", "--split", "validation", "--format", "json").json()
    assert kept["accuracy"] == pytest.approx(chosen["best"]["validation_accuracy"], abs=0.02)


def test_seeds_are_repeats_of_one_setting(run: Run, tmp_path: Path) -> None:
    axes = (
        "parameters.seed=[0,1,2]",
        "parameters.optimizer.learning_rate=[0.001,0.003]",
        "parameters.optimizer.regularization=[0.01]",
    )
    result = run(*SWEEP, *axes, "--run-dir", "here", "--format", "json").json()
    assert (result["trials"], result["settings"]) == (6, 2)
    for setting in result["setting_results"]:
        own = [
            trial["validation_accuracy"]
            for trial in result["results"]
            if {**setting["parameters"], "seed": trial["parameters"]["seed"]} == trial["parameters"]
        ]
        assert setting["repeats"] == len(own) == 3
        assert setting["validation_accuracy"] == pytest.approx(np.mean(own))
        assert setting["validation_accuracy_std"] == pytest.approx(np.std(own, ddof=1))
    assert result["best"]["parameters"]["seed"] == 0
    assert [row["rank"] for row in rows(tmp_path / "here")] == ["1"] * 3 + ["2"] * 3
    assert "mean of 3 seeds" in run("sweep", "--resume", "here").out


def test_up_to_forty_trials_are_shown_whole_and_of_more_the_best_twenty(run: Run) -> None:
    short = ("training.iterations=2", "data.train_size=200", "training.batch_size=20")
    for count, shown in ((40, 40), (41, 20)):
        values = [round(0.0001 * (i + 1), 6) for i in range(count)]
        axes = (
            f"parameters.optimizer.learning_rate={values}".replace(" ", ""),
            "parameters.optimizer.regularization=[0.01]",
        )
        out = run("sweep", "-c", "demo-sweep", *axes, *short, "--run-dir", f"n{count}").out
        ranks = [line.split()[0] for line in out.splitlines() if line[:4].strip().isdigit()]
        assert ranks == [str(rank) for rank in range(1, shown + 1)]
        assert ("21 trials; all are in the table below" in out) == (count == 41)


def test_quiet_prints_the_result_and_warnings_alone(run: Run) -> None:
    result = run(*SWEEP, "--quiet", "--format", "json")
    assert result.code == 0
    assert all(line.startswith("Warning: The best") for line in result.err.splitlines())
    assert [f"Warning: {text}" for text in result.json()["warnings"]] == result.err.splitlines()


def test_best_yaml_trains_the_model_that_is_in_best(run: Run, tmp_path: Path) -> None:
    summary = run(*SWEEP, "--run-dir", "here", "--format", "json").json()
    assert run("train", "--config", "here/best.yaml", "--run-dir", "again").code == 0
    a, b = (load_file(tmp_path / path / "model.safetensors") for path in ("here/best", "again"))
    assert a.keys() == b.keys()
    for name, array in a.items():
        assert np.linalg.norm(array - b[name]) <= 1e-5 * np.linalg.norm(b[name])
    written = json.loads((tmp_path / "here/best/summary.json").read_text())
    assert written["validation_accuracy"] == summary["best"]["validation_accuracy"]
    evaluated = run("evaluate", "here/best", "--split", "validation", "--format", "json")
    assert evaluated.json()["accuracy"] == written["validation_accuracy"]
    assert evaluated.json()["loss"] == pytest.approx(written["validation_loss"])
    # ... and it is an ordinary run directory.
    assert run("train", "--resume", "here/best").code == 0


def test_one_axis_and_three_axes_have_pictures_of_their_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("base: demo\nparameters: {seed: [1, 2, 3]}")
    (tmp_path / "three.yaml").write_text(
        "base: demo\nparameters:\n  model.loss: [softmax, hinge]\n"
        "  optimizer.learning_rate: [0.001, 0.01, 10000000.0]\n  training.batch_size: [10, 20]"
    )
    for name in ("one", "three"):
        result = run("sweep", "-c", f"{name}.yaml", *QUICK, "--run-dir", name)
        assert result.code == 0
        with Image.open(tmp_path / name / "heatmap.png") as picture:
            assert min(picture.size) > 200


def test_all_diverged_is_an_error_with_a_suggestion(run: Run, tmp_path: Path) -> None:
    result = run(
        *SWEEP, "parameters.optimizer.learning_rate=[1e8,1e9]", "--run-dir", "here",
        "--format", "json",
    )  # fmt: skip
    assert result.code == 4
    assert result.json()["best"] is None
    assert result.json()["diverged"] == 6
    assert "all 6 trials diverged" in result.err
    assert "smaller optimizer.learning_rate" in result.err
    assert not (tmp_path / "here/best").exists()
    assert (tmp_path / "here/heatmap.png").exists()


def test_failed_trials_are_an_error_and_tried_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from softmax_cli.tuning import stack_run

    def failing(task: stack_run.StackTask, *rest: object) -> object:
        if task.stack.shared.training.batch_size == 20:
            raise MemoryError
        return stack_run.run_stack(task, *rest)  # type: ignore[arg-type]

    axes = ("parameters.training.batch_size=[10,20]", "--run-dir", "here", "--format", "json")
    with monkeypatch.context() as patch:
        patch.setattr("softmax_cli.tuning.local.run_stack", failing)
        result = run(*SWEEP, *axes)
    assert result.code == 5
    assert result.json()["failed"] == NINE
    assert "--resume here" in result.err
    assert "9 trials failed" in result.err
    again = run("sweep", "--resume", "here", "--format", "json")
    assert again.code == 0
    assert (again.json()["trials"], again.json()["failed"]) == (2 * NINE, 0)
    assert recorded_once(tmp_path / "here", 2 * NINE)


def test_a_sweep_that_is_done_reports_it_again(run: Run) -> None:
    first = run(*SWEEP, "--run-dir", "here", "--format", "json")
    again = run("sweep", "--resume", "here", "--format", "json")
    assert (again.code, again.json()) == (0, first.json())


def test_a_finished_sweep_needs_no_checkpoint_and_no_data(run: Run, tmp_path: Path) -> None:
    first = run(*SWEEP, "--run-dir", "here", "--format", "json").json()
    assert not (tmp_path / "here/checkpoint").exists()
    # What an earlier version kept, or a newer one, is of no interest.
    kept = tmp_path / "here/checkpoint/stack-0123456789ab/step-00000060.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of another format")
    (tmp_path / "here/best/checkpoint").mkdir()
    assert run("evaluate", "here/best").code == 0
    assert run("visualize", "here").code == 0
    again = run("sweep", "--resume", "here", "--data-dir", "moved", "--format", "json")
    assert (again.code, again.json()) == (0, first)
    assert "the best trial" not in again.err
    assert not (tmp_path / "here/checkpoint").exists()


def test_a_stack_whose_checkpoint_cannot_be_read_is_an_error_before_any_training(
    start: Start, run: Run, tmp_path: Path
) -> None:
    process = start(*ENDLESS, "--run-dir", "cut")
    wait_for(tmp_path / "cut/checkpoint")
    process.terminate()
    process.communicate(timeout=60)
    (folder,) = (tmp_path / "cut/checkpoint").iterdir()
    for path in folder.iterdir():
        path.write_bytes(b"")
    result = run("sweep", "--resume", "cut")
    assert result.code == 3
    assert f"Remove cut/checkpoint/{folder.name}" in " ".join(result.err.split())


def test_an_extended_grid_runs_only_what_is_new(run: Run, tmp_path: Path) -> None:
    assert run(*SWEEP, "--run-dir", "here").code == 0
    more = "parameters.optimizer.regularization=[0.001,0.01,0.1,1.0]"
    result = run(*SWEEP, more, "--resume", "here", "--format", "json")
    assert result.code == 0
    assert "12 trials, 9 of them done already" in result.err
    assert result.json()["trials"] == 12
    assert recorded_once(tmp_path / "here", 12)
    settings = load_sweep_config(str(tmp_path / "here/sweep.yaml"))
    assert settings.parameters["optimizer.regularization"] == [0.001, 0.01, 0.1, 1.0]
    assert run("sweep", "--resume", "here", "--format", "json").json() == result.json()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("optimizer.momentum=0.5", "train.optimizer.momentum: 0.9, now 0.5"),
        ("folds=3", "folds: 1, now 3"),
        ("parameters.optimizer.regularization=[0.1]", "0.001, 0.01 left out"),
    ],
)
def test_a_changed_sweep_is_refused_with_the_difference(
    run: Run, tmp_path: Path, change: str, line: str
) -> None:
    assert run(*SWEEP, "--run-dir", "here").code == 0
    before = {p: p.read_bytes() for p in (tmp_path / "here").iterdir() if p.is_file()}
    result = run(*SWEEP, change, "--resume", "here")
    assert result.code == 2
    assert line in result.err
    assert before == {p: p.read_bytes() for p in (tmp_path / "here").iterdir() if p.is_file()}
    assert run("sweep", "--resume", "here", "seed=7").code == 2


def test_the_seed_option_is_that_of_the_trainings_and_of_the_draws(
    run: Run, tmp_path: Path
) -> None:
    assert run(*SWEEP, "--seed", 5, "--run-dir", "here").code == 0
    settings = load_sweep_config(str(tmp_path / "here/sweep.yaml"))
    assert (settings.seed, settings.train.seed) == (5, 5)


def test_an_existing_sweep_is_overwritten_only_on_request(run: Run, tmp_path: Path) -> None:
    assert run(*SWEEP, "--run-dir", "here").code == 0
    (tmp_path / "here/notes.txt").write_text("mine")
    before = (tmp_path / "here/results.csv").read_bytes()
    refused = run(*SWEEP, "--run-dir", "here")
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert (tmp_path / "here/results.csv").read_bytes() == before
    fewer = "parameters.optimizer.regularization=[0.01]"
    assert run(*SWEEP, fewer, "--run-dir", "here", "--overwrite").code == 0
    assert len(rows(tmp_path / "here")) == 3
    assert recorded_once(tmp_path / "here", 3)
    assert (tmp_path / "here/notes.txt").read_text() == "mine"


def test_the_directory_of_a_training_is_refused(run: Run) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "here").code == 0
    for options in (("--run-dir", "here"), ("--run-dir", "here", "--overwrite")):
        assert run(*SWEEP, *options).code == 2
    resumed = run("sweep", "--resume", "here")
    assert resumed.code == 2
    assert "expected a sweep" in resumed.err


def test_dry_run_prints_stacks_and_touches_nothing(run: Run, tmp_path: Path) -> None:
    arguments = (*SWEEP, "parameters.training.batch_size=[10,20]", "--dry-run")
    result = run(*arguments)
    assert result.code == 0
    assert all(len(line) <= 80 for line in result.out.splitlines())
    assert "18" in result.out
    document = run(*arguments, "--format", "json").json()
    assert len(document["trials"]) == 2 * NINE
    assert [stack["models"] for stack in document["stacks"]] == [NINE, NINE]
    assert list(document["stacks"][0]) == [
        "trials", "models", "iterations", "operations", "seconds", "memory", "preconditioner",
    ]  # fmt: skip
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("preset", ["demo-sweep", "cs231n-sweep", "linear-sweep"])
def test_every_shipped_sweep_can_be_planned_without_data(run: Run, preset: str) -> None:
    assert run("sweep", "-c", preset, "--dry-run").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--config", "no-such-sweep"),
        ("--config", "demo"),
        ("--config", "demo-sweep", "--overwrite"),
        ("--config", "demo-sweep", "parameters.optimizer.learning_rat=[1]"),
        ("--config", "demo-sweep", "parameters.optimizer.learning_rate=[-1]"),
        ("--config", "demo-sweep", "data.train_size=6000"),
        ("--config", "demo-sweep", "optimizer.nesterov=true", "parameters.optimizer.momentum=[0]"),
        ("--resume", "nowhere"),
        ("--resume", "nowhere", "--dry-run"),
        ("--resume", "nowhere", "--run-dir", "here"),
    ],
)
def test_wrong_usage_exits_with_2_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = run("sweep", *arguments)
    assert result.code == 2
    assert len(result.err) > 20
    assert result.out == ""
    assert not list(tmp_path.iterdir())


def test_missing_data_names_the_command_that_fetches_it(run: Run, tmp_path: Path) -> None:
    result = run("sweep", "--config", "cs231n-sweep")
    assert result.code == 3
    assert "softmax download" in result.err
    assert not list(tmp_path.iterdir())


def wait_for(*paths: Path, seconds: float = 60) -> None:
    """Wait for one of these."""
    deadline = time.monotonic() + seconds
    while not any(path.exists() for path in paths):
        assert time.monotonic() < deadline, f"{paths[0]} did not appear"
        time.sleep(0.01)


STEADY = (
    "sweep", "--config", "demo-sweep", "data.train_size=500", "training.checkpoint_every=50",
    "parameters.training.batch_size=[10,20]",
)  # fmt: skip
ENDLESS = (*STEADY, "training.iterations=1000000")


@pytest.mark.parametrize("search", ["grid", "{halving: {factor: 2, rungs: 3}}"])
def test_a_sweep_killed_at_any_moment_resumes_to_the_same_table(
    start: Start, run: Run, tmp_path: Path, search: str
) -> None:
    arguments = (*STEADY, "training.iterations=200", f"search={search}")
    assert run(*arguments, "--run-dir", "whole").code == 0
    seconds = json.loads((tmp_path / "whole/summary.json").read_text())["seconds"]
    process = start(*arguments, "--run-dir", "cut")
    for share in (0.5, 0.5):
        # On a busy machine it may have come to its end before it could be killed.
        wait_for(tmp_path / "cut/checkpoint", tmp_path / "cut/summary.json")
        time.sleep(random.uniform(0, share * seconds))
        process.kill()
        process.communicate()
        process = start("sweep", "--resume", "cut")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert table(tmp_path / "cut") == table(tmp_path / "whole")
    assert recorded_once(tmp_path / "cut", 2 * NINE)
    whole = (tmp_path / "whole/best/model.safetensors").read_bytes()
    assert (tmp_path / "cut/best/model.safetensors").read_bytes() == whole


def test_a_picture_that_a_crash_left_half_written_is_removed(run: Run, tmp_path: Path) -> None:
    assert run(*SWEEP, "--run-dir", "here").code == 0
    best = tmp_path / "here/best"
    before = sorted(best.iterdir())
    (best / "curves.png").rename(best / ".curves.png.0123456789ab.tmp")
    assert run("sweep", "--resume", "here").code == 0
    assert sorted(best.iterdir()) == before


@pytest.mark.posix("signals")
def test_a_signal_saves_what_was_done(
    start: Start, run: Run, tmp_path: Path, stop_signal: signal.Signals
) -> None:
    process = start(*ENDLESS, "--run-dir", "cut", "--format", "json")
    wait_for(tmp_path / "cut/checkpoint")
    process.send_signal(stop_signal)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + stop_signal, err
    assert out == ""
    assert "stopped with 0 of 18 trials done" in err
    assert "python -m softmax_cli sweep --resume cut" in err
    assert "Traceback" not in err


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """Address of a Dask scheduler with one worker."""
    options = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", tmp_path / "dask.json")
    commands = (("scheduler", "--port", 0), ("worker", "--nthreads", 1, "--no-nanny"))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, (*command, *options))],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    wait_for(tmp_path / "dask.json")
    yield str(json.loads((tmp_path / "dask.json").read_text())["address"])
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.posix("signals")
def test_a_sweep_on_a_cluster_is_the_same_and_a_signal_ends_it_soon(
    start: Start, run: Run, tmp_path: Path, scheduler: str
) -> None:
    assert run(*SWEEP, "--run-dir", "here").code == 0
    result = run(*SWEEP, "--run-dir", "there", "--scheduler", scheduler, "--format", "json")
    assert result.code == 0
    assert result.json()["trials"] == NINE
    assert table(tmp_path / "here") == table(tmp_path / "there")

    for number in STOP_SIGNALS:
        name = f"cut-{number:d}"
        process = start(*ENDLESS, "--run-dir", name, "--scheduler", scheduler)
        wait_for(tmp_path / name / "sweep.yaml")
        time.sleep(1.5)
        process.send_signal(number)
        sent = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 128 + number, err
        assert time.monotonic() - sent < 4
        assert out == ""
        assert "Traceback" not in err
        assert f"python -m softmax_cli sweep --resume {name}" in err


def test_a_scheduler_that_does_not_answer_is_a_usage_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softmax_cli.tuning.scheduler._CONNECT_SECONDS", 0.5)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        result = run(*SWEEP, "--scheduler", address)
    assert result.code == 2
    assert address in result.err
    assert "dask scheduler" in result.err
    assert not list(tmp_path.iterdir())


def test_what_is_no_scheduler_is_told_in_two_lines_and_none_of_dask(
    start: Start, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        process = start(*SWEEP, "--scheduler", address)
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"220 mail.example.org ESMTP\r\n")
            out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith(f"Error: expected a Dask scheduler at {address}, got ")
    assert "`dask scheduler`" in second
    assert not list(tmp_path.iterdir())


def test_a_scheduler_without_dask_is_a_usage_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run(*SWEEP, "--scheduler", "tcp://127.0.0.1:8786")
    assert result.code == 2
    assert "pip install -e '.[distributed]'" in result.err
    assert not list(tmp_path.iterdir())


@pytest.mark.cifar10
def test_the_trials_of_the_classic_grid_agree_with_trainings_of_their_own(
    run: Run, tmp_path: Path, cifar10_dir: Path
) -> None:
    few = ("training.iterations=300", "--data-dir", cifar10_dir)
    axes = (
        "parameters.optimizer.learning_rate=[1.4e-7,1e-2]",
        "parameters.optimizer.regularization=[8e3,2.1e4]",
    )
    result = run("sweep", "-c", "cs231n-sweep", *axes, *few, "--run-dir", "s", "--format", "json")
    assert result.code == 0
    # A learning rate of 1e-2 on raw pixels diverges, and never wins.
    statuses = [outcome["status"] for outcome in result.json()["results"]]
    assert statuses == ["finished", "finished", "diverged", "diverged"]
    assert run("train", "-c", "s/best.yaml", "--data-dir", cifar10_dir, "--run-dir", "t").code == 0
    a, b = (load_file(tmp_path / path / "model.safetensors") for path in ("s/best", "t"))
    assert np.linalg.norm(a["weights"] - b["weights"]) <= 1e-4 * np.linalg.norm(b["weights"])
    alone = json.loads((tmp_path / "t/summary.json").read_text())
    best = result.json()["best"]
    assert best["validation_accuracy"] == pytest.approx(alone["validation_accuracy"], abs=0.003)


def test_a_sweep_of_optima_shows_their_gradients(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 0)
    values = (
        *("data.dataset=synthetic", "data.train_size=500", "data.validation_size=200"),
        *("parameters.optimizer.regularization=[1, 3]", "optimizer.tolerance=1e-3"),
    )
    dry = run("sweep", "--config", "optimum-sweep", *values, "--dry-run")
    assert "The preconditioner is the diagonal of the Gram matrix" in dry.err
    result = run("sweep", "--config", "optimum-sweep", *values)
    assert result.code == 0
    assert "gradient" in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())
    result = run("sweep", "--config", "optimum-sweep", *values, "optimizer.max_iterations=1")
    assert result.code == 0
    assert "2 of 2 trials did not reach optimizer.tolerance" in result.err
