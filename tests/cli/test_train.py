import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from softmax_cli.training import preconditioner
from tests.cli.conftest import QUICK, Run, Start

LONG = ("training.iterations=1000000", "training.validate_every=50", "training.checkpoint_every=50")


def wait_for(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def test_a_run_directory_has_exactly_what_is_promised(run: Run, tmp_path: Path) -> None:
    result = run("train", "--config", "demo", *QUICK, "--run-dir", "here", "--format", "json")
    assert result.code == 0
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        "best.safetensors",
        "checkpoint",
        "config.yaml",
        "curves.png",
        "metrics.csv",
        "model.safetensors",
        "summary.json",
    ]
    document = result.json()
    assert document["run_dir"] == "here"
    assert document["iterations"] == 60
    assert document["diverged"] is False
    for key in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
        assert document[key] > 0
    summary = json.loads((tmp_path / "here/summary.json").read_text())
    assert summary == {key: value for key, value in document.items() if key != "run_dir"}
    metrics = (tmp_path / "here/metrics.csv").read_text().splitlines()
    assert metrics[0].split(",")[:2] == ["iteration", "learning_rate"]
    assert [line.split(",")[0] for line in metrics[1:]] == ["20", "40", "60"]
    with Image.open(tmp_path / "here/curves.png") as picture:
        assert min(picture.size) > 400


def test_the_table_names_accuracy_and_paths(run: Run) -> None:
    result = run("train", "--config", "demo", *QUICK)
    assert result.code == 0
    assert "validation" in result.out
    assert "runs/train/demo-001/model.safetensors" in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())
    assert "runs/train/demo-001" in result.err


def test_quiet_prints_the_result_alone(run: Run) -> None:
    result = run("train", "--config", "demo", *QUICK, "--quiet", "--format", "json")
    assert result.err == ""
    assert result.json()["iterations"] == 60


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not(
    run: Run, tmp_path: Path
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("train", "-c", "demo", *QUICK, "--seed", seed, "--run-dir", name).code == 0
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_dry_run_prints_the_settings_and_touches_nothing(run: Run, tmp_path: Path) -> None:
    result = run("train", "--config", "cs231n", "optimizer.momentum=0.5", "--dry-run")
    assert result.code == 0
    assert "momentum: 0.5" in result.out
    assert not list(tmp_path.iterdir())
    (tmp_path / "again.yaml").write_text(result.out)
    assert run("train", "--config", "again.yaml", "--dry-run").out == result.out


def test_data_dir_comes_from_option_then_override_then_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def directory(*arguments: str) -> object:
        document = run("train", "--dry-run", "--format", "json", *arguments).json()
        return document["settings"]["data"]["dir"]

    assert directory() == "data"
    assert directory("--data-dir", "x") == "x"
    monkeypatch.setenv("SOFTMAX_DATA_DIR", "y")
    assert directory() == "y"
    assert directory("data.dir=z") == "z"


def test_missing_data_names_the_command_that_fetches_it(run: Run, tmp_path: Path) -> None:
    result = run("train", "--config", "cs231n")
    assert result.code == 3
    assert "softmax download" in result.err
    assert result.out == ""
    assert not (tmp_path / "runs").exists()


def test_an_existing_run_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "here").code == 0
    (tmp_path / "here/notes.txt").write_text("mine")
    before = (tmp_path / "here/model.safetensors").read_bytes()
    refused = run("train", "-c", "demo", *QUICK, "--run-dir", "here", "--seed", 9)
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert (tmp_path / "here/model.safetensors").read_bytes() == before
    again = run("train", "-c", "demo", *QUICK, "--run-dir", "here", "--seed", 9, "--overwrite")
    assert again.code == 0
    assert (tmp_path / "here/model.safetensors").read_bytes() != before
    assert (tmp_path / "here/notes.txt").read_text() == "mine"


def test_a_folder_that_is_no_run_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/model.txt").write_text("years of work")
    result = run("train", "-c", "demo", *QUICK, "--run-dir", "thesis", "--overwrite")
    assert result.code == 2
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["model.txt"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--config", "no-such-preset"),
        ("optimizer.learning_rat=1",),
        ("optimizer.learning_rate=fast",),
        ("training.batch_size=-1",),
        ("training.iterations=5", "training.epochs=1"),
        ("--overwrite",),
        ("--format", "xml"),
        ("--seed", "minus one"),
        ("--seed", "-1"),
        ("--resume", "nowhere"),
        ("--resume", "nowhere", "--seed", "3"),
        ("--resume", "nowhere", "seed=3"),
        ("--resume", "nowhere", "--dry-run"),
        ("--resume", "nowhere", "--overwrite"),
        ("data.train_size=60000",),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("train", *arguments)
    assert result.code == 2
    assert len(result.err) > 20
    assert result.out == ""


def test_divergence_exits_with_4_and_saves_no_model(run: Run, tmp_path: Path) -> None:
    result = run(
        "train", "-c", "demo", *QUICK, "optimizer.learning_rate=1e9", "optimizer.regularization=1",
        "--run-dir", "here", "--format", "json",
    )  # fmt: skip
    assert result.code == 4
    assert result.json()["diverged"] is True
    assert "learning_rate" in result.err
    assert not (tmp_path / "here/model.safetensors").exists()
    assert (tmp_path / "here/metrics.csv").exists()


@pytest.mark.posix("signals")
def test_a_signal_saves_a_checkpoint_and_resuming_ends_in_the_same_bits(
    start: Start, run: Run, tmp_path: Path, stop_signal: signal.Signals
) -> None:
    process = start("train", "-c", "demo", *LONG, "--run-dir", "cut")
    wait_for(tmp_path / "cut/checkpoint/step-00000050.safetensors")
    process.send_signal(stop_signal)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + stop_signal, err
    assert out == ""
    assert "--resume cut" in err

    # Shorten both trainings to the same end, shortly after where this one was cut.
    saved = sorted((tmp_path / "cut/checkpoint").iterdir())[-1]
    reached = int(saved.stem.removeprefix("step-"))
    end = f"training.iterations={reached + 70}"
    assert run("train", "-c", "demo", *LONG[1:], end, "--run-dir", "whole").code == 0
    half = start("train", "-c", "demo", *LONG[1:], end, "--run-dir", "half")
    wait_for(tmp_path / "half/checkpoint")
    half.kill()
    half.communicate(timeout=60)
    assert run("train", "--resume", "half").code == 0
    for name in ("model.safetensors", "best.safetensors", "metrics.csv", "curves.png"):
        whole_bytes = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "half" / name).read_bytes() == whole_bytes or name == "curves.png"


def test_a_run_killed_before_its_first_checkpoint_resumes_from_the_start(
    start: Start, run: Run, tmp_path: Path
) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "whole").code == 0
    slow = ("training.checkpoint_every=100000", "training.iterations=1000000")
    process = start("train", "-c", "demo", *slow, "--run-dir", "cut")
    wait_for(tmp_path / "cut/config.yaml")
    process.kill()
    process.communicate(timeout=60)
    settings = (tmp_path / "whole/config.yaml").read_text()
    (tmp_path / "cut/config.yaml").write_text(settings)
    result = run("train", "--resume", "cut")
    assert result.code == 0
    assert "beginning" in result.err
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert all((a[name] == b[name]).all() for name in a)
    assert np.isfinite(a["weights"]).all()


def test_resuming_a_finished_run_reports_it_again(run: Run) -> None:
    first = run("train", "-c", "demo", *QUICK, "--run-dir", "here", "--format", "json")
    again = run("train", "--resume", "here", "--format", "json")
    assert again.code == 0
    assert again.json() == first.json()


def test_a_finished_run_needs_none_of_its_checkpoints(run: Run, trained: Path) -> None:
    first = run("train", "--resume", "here", "--format", "json").json()
    for path in (trained / "checkpoint").iterdir():
        path.write_bytes(b"of another format")
    commands = (
        ("train", "--resume", "here", "--format", "json"),
        ("evaluate", "here", "--calibrate"),
        ("visualize", "here"),
        ("predict", "here", "here/curves.png", "--calibrated"),
    )
    for command in commands:
        assert run(*command).code == 0
    shutil.rmtree(trained / "checkpoint")
    for command in commands:
        assert run(*command).code == 0
    assert run(*commands[0]).json() == first


def test_curves_that_a_crash_left_out_are_drawn_on_resuming(run: Run, tmp_path: Path) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "here").code == 0
    curves = (tmp_path / "here/curves.png").read_bytes()
    (tmp_path / "here/curves.png").unlink()
    assert run("train", "--resume", "here").code == 0
    assert (tmp_path / "here/curves.png").read_bytes() == curves


def test_what_a_crash_left_of_the_last_checkpoint_is_removed_on_resuming(
    run: Run, tmp_path: Path
) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "here").code == 0
    checkpoints = tmp_path / "here/checkpoint"
    names = sorted(path.name for path in checkpoints.iterdir())
    (tmp_path / "here/summary.json").unlink()
    (checkpoints / "step-00000020.safetensors").write_bytes(b"")
    (checkpoints / ".step-00000060.safetensors.0123456789ab.tmp").write_bytes(b"")
    assert run("train", "--resume", "here").code == 0
    assert sorted(path.name for path in checkpoints.iterdir()) == names


def test_changed_settings_are_refused_on_resuming(run: Run, tmp_path: Path) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "here").code == 0
    (tmp_path / "here/summary.json").unlink()
    config = tmp_path / "here/config.yaml"
    config.write_text(config.read_text().replace("momentum: 0.9", "momentum: 0.8"))
    result = run("train", "--resume", "here")
    assert result.code == 3
    assert "optimizer.momentum: 0.9, now 0.8" in result.err


def test_a_damaged_checkpoint_falls_back_to_the_one_before(run: Run, tmp_path: Path) -> None:
    assert run("train", "-c", "demo", *QUICK, "--run-dir", "here").code == 0
    expected = (tmp_path / "here/model.safetensors").read_bytes()
    (tmp_path / "here/summary.json").unlink()
    (tmp_path / "here/model.safetensors").unlink()
    newest = tmp_path / "here/checkpoint/step-00000060.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    result = run("train", "--resume", "here")
    assert result.code == 0
    assert "passed over" in result.err
    assert (tmp_path / "here/model.safetensors").read_bytes() == expected


@pytest.mark.posix("a sync of directories")
def test_no_room_on_the_disk_is_an_error_and_keeps_earlier_checkpoints(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 12:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    result = run("train", "-c", "demo", *QUICK, "--run-dir", "here")
    assert result.code == 1
    assert "No space left on device" in result.err
    assert "here" in result.err
    monkeypatch.setattr(os, "fsync", real)
    assert run("train", "--resume", "here").code == 0


OPTIMUM = (
    *("data.dataset=synthetic", "data.train_size=500", "data.validation_size=200"),
    *("optimizer.regularization=1", "optimizer.tolerance=1e-3"),
)
"""Overrides that make a training of the preset optimum take a fraction of a second."""


@pytest.fixture
def diagonal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decompose no Gram matrix of all pixels, which takes seconds."""
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 0)


@pytest.mark.usefixtures("diagonal")
def test_the_optimum_is_reported_with_its_proof(run: Run) -> None:
    result = run("train", "--config", "optimum", *OPTIMUM)
    assert result.code == 0
    assert ", as small as asked for" in result.out
    assert "at most" in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())
    document = run("train", "--config", "optimum", *OPTIMUM, "--format", "json").json()
    assert document["converged"] is True
    assert 0 < document["gradient_norm"] <= 1e-3
    assert 0 < document["optimality_bound"] < document["objective"]


@pytest.mark.usefixtures("diagonal")
def test_a_gradient_that_stays_too_large_is_a_warning(run: Run) -> None:
    others = (value for value in OPTIMUM if "regularization" not in value)
    values = ("optimizer.max_iterations=2", "optimizer.regularization=0")
    result = run("train", "--config", "optimum", *others, *values)
    assert result.code == 0
    assert "not as small as asked for" in result.out
    assert "nothing is proven" in result.out
    assert "did not reach optimizer.tolerance in 2 iterations" in result.err


def test_a_dry_run_names_the_preconditioner(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("train", "--config", "optimum", "--dry-run")
    assert "eigenvectors of the Gram matrix of 1536 features" in run(*command).err
    monkeypatch.setattr(preconditioner, "MAX_GRAM_BYTES", 2**20)
    result = run(*command)
    assert "the diagonal of the Gram matrix, because" in result.err
    assert result.out.startswith("data:")


def test_sgd_says_how_far_it_is_from_the_optimum(run: Run) -> None:
    result = run("train", "--config", "demo", *QUICK, "training.certificate=true")
    assert result.code == 0
    assert "largest gradient" in result.out
    assert "above its minimum" in result.out
