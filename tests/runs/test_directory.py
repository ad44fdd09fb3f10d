"""Run directories: claimed once, recognised, locked, overwritten only where that is safe."""

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import filelock
import pytest

from softmax_cli import __version__
from softmax_cli.errors import RunDirectoryError
from softmax_cli.runs import locks
from softmax_cli.runs.directory import (
    Kind,
    claim_run_directory,
    create_run_directory,
    new_run_directory,
    open_run_directory,
)

SETTINGS = "seed: 0\n"


@pytest.fixture(params=sorted({sys.platform, "win32"}), autouse=True)
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Directories are locked as here, and by a file in them as on Windows."""
    name = str(request.param)
    monkeypatch.setattr(locks, "sys", SimpleNamespace(platform=name))
    return name


def make_run(path: Path, kind: Kind = "train", settings: str = SETTINGS) -> Path:
    create_run_directory(path, kind=kind, settings=settings).close()
    return path


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def fill(run: Path, *files: str) -> None:
    for file in files:
        (run / file).parent.mkdir(parents=True, exist_ok=True)
        (run / file).write_text("old")


def test_a_new_directory_holds_its_settings_and_nothing_else(tmp_path: Path) -> None:
    with create_run_directory(tmp_path / "a" / "b", kind="train", settings=SETTINGS) as run:
        assert names(run.path) - {locks.LOCK_NAME} == {"config.yaml"}
        first, second, rest = run.settings_file.read_text().split("\n", 2)
        assert first == "# softmax train run, format 1"
        assert second == f"# written by softmax {__version__}"
        assert rest == SETTINGS
        assert run.model_file == tmp_path / "a" / "b" / "model.safetensors"
        assert run.checkpoint_directory == tmp_path / "a" / "b" / "checkpoint"


def test_a_sweep_keeps_its_settings_in_sweep_yaml(tmp_path: Path) -> None:
    assert names(make_run(tmp_path / "s", "sweep")) == {"sweep.yaml"}
    assert open_run_directory(tmp_path / "s").kind == "sweep"


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    assert names(make_run(tmp_path)) == {"config.yaml"}


def test_a_directory_left_by_a_crash_before_its_settings_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".config.yaml.0123456789ab.tmp").write_text("se")
    assert names(make_run(tmp_path)) == {"config.yaml"}


def test_an_existing_run_is_refused_and_untouched(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(RunDirectoryError, match="not empty") as caught:
        create_run_directory(run, kind="train", settings="seed: 1\n")
    assert caught.value.hint is not None
    assert "--overwrite" in caught.value.hint
    assert "seed: 0" in (run / "config.yaml").read_text()
    make_run(tmp_path / "other")  # and the refusal holds no lock
    open_run_directory(run, exclusive=True).close()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunDirectoryError, match="got a file"):
        create_run_directory(tmp_path / "run", kind="train", settings=SETTINGS)
    with pytest.raises(RunDirectoryError, match="got a file"):
        open_run_directory(tmp_path / "run")


def test_overwriting_removes_what_the_program_made_and_nothing_else(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    made = ["metrics.csv", "summary.json", "model.safetensors", "curves.png", "weights.pdf"]
    fill(run, *made, "checkpoint/step-00000500.safetensors", "notes.txt", "mine/model.safetensors")
    create_run_directory(run, kind="train", settings="seed: 1\n", overwrite=True).close()
    assert names(run) == {"config.yaml", "notes.txt", "mine"}
    assert names(run / "mine") == {"model.safetensors"}
    assert "seed: 1" in (run / "config.yaml").read_text()


def test_overwriting_a_sweep_clears_its_best_run_and_its_stacks(tmp_path: Path) -> None:
    sweep = make_run(tmp_path / "sweep", "sweep")
    make_run(sweep / "best")
    fill(sweep, "best/model.safetensors", "trials.jsonl", "results.csv", "best.yaml")
    fill(
        sweep, "checkpoint/stack-0/step-00000010.safetensors", "checkpoint/copy/step-1.safetensors"
    )
    create_run_directory(sweep, kind="sweep", settings=SETTINGS, overwrite=True).close()
    assert names(sweep) == {"sweep.yaml", "checkpoint"}
    assert names(sweep / "checkpoint") == {"copy"}


def test_overwriting_keeps_a_best_directory_that_is_no_run(tmp_path: Path) -> None:
    sweep = make_run(tmp_path / "sweep", "sweep")
    fill(sweep, "best/model.safetensors")
    create_run_directory(sweep, kind="sweep", settings=SETTINGS, overwrite=True).close()
    assert names(sweep / "best") == {"model.safetensors"}


@pytest.mark.parametrize("content", ["", "seed: 0\n", "# softmax sweep run, format 1\n"])
def test_overwriting_needs_a_run_of_the_same_kind(tmp_path: Path, content: str) -> None:
    fill(tmp_path, "model.safetensors")
    (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(RunDirectoryError, match="not overwritten"):
        create_run_directory(tmp_path, kind="train", settings=SETTINGS, overwrite=True)
    assert names(tmp_path) == {"config.yaml", "model.safetensors"}


@pytest.mark.posix("symbolic links")
def test_overwriting_does_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    fill(outside, "model.safetensors", "step-00000500.safetensors")
    run = make_run(tmp_path / "run")
    (run / "model.safetensors").symlink_to(outside / "model.safetensors")
    (run / "checkpoint").mkdir()
    (run / "checkpoint" / "stack-1").symlink_to(outside, target_is_directory=True)
    with pytest.raises(RunDirectoryError, match="symbolic link"):
        create_run_directory(run, kind="train", settings=SETTINGS, overwrite=True)
    (run / "checkpoint" / "stack-1").unlink()
    create_run_directory(run, kind="train", settings=SETTINGS, overwrite=True).close()
    assert names(run) == {"config.yaml"}
    assert names(outside) == {"model.safetensors", "step-00000500.safetensors"}


def test_names_are_numbered_and_sortable(tmp_path: Path) -> None:
    parent = tmp_path / "runs" / "train"
    for expected in ("demo-001", "demo-002"):
        with claim_run_directory(parent, "demo", kind="train", settings=SETTINGS) as run:
            assert run.path == parent / expected
    (parent / "demo-041").mkdir()
    (parent / "demo-extra").mkdir()
    with claim_run_directory(parent, "demo", kind="train", settings=SETTINGS) as run:
        assert run.path.name == "demo-042"
    with claim_run_directory(parent, "linear", kind="train", settings=SETTINGS) as run:
        assert run.path.name == "linear-001"


def test_simultaneous_claims_get_different_directories(tmp_path: Path) -> None:
    def claim(_: int) -> Path:
        with claim_run_directory(tmp_path, "demo", kind="train", settings=SETTINGS) as run:
            return run.path

    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(claim, range(24)))
    assert len(set(claimed)) == 24


def test_a_model_alone_is_enough_to_open_a_directory(tmp_path: Path) -> None:
    fill(tmp_path, "model.safetensors")
    assert open_run_directory(tmp_path).kind == "train"


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="got nothing"):
        open_run_directory(tmp_path / "missing")
    fill(tmp_path, "config.yaml")
    with pytest.raises(RunDirectoryError, match="without a run of softmax"):
        open_run_directory(tmp_path)


def test_the_other_kind_of_run_is_refused(tmp_path: Path) -> None:
    make_run(tmp_path / "sweep", "sweep")
    with pytest.raises(RunDirectoryError, match="expected a training run") as caught:
        open_run_directory(tmp_path / "sweep", kind="train")
    assert caught.value.hint is not None
    assert str(tmp_path / "sweep" / "best") in caught.value.hint
    with pytest.raises(RunDirectoryError, match="expected a sweep"):
        open_run_directory(make_run(tmp_path / "train"), kind="sweep")


@pytest.mark.parametrize(
    ("marker", "message", "hint"),
    [
        ("format 2", "written in format 2; this is softmax", "A newer version of softmax wrote it"),
        (
            "format 2\n# written by softmax 9.3.1",
            r"written by softmax 9\.3\.1 \(format 2\); .* which reads format 1",
            "Install softmax 9.3.1 or newer.",
        ),
        (
            "format 0\r\n# written by softmax 0.0.1\r",
            r"written by softmax 0\.0\.1 \(format 0\)",
            "Use softmax 0.0.1, which wrote it.",
        ),
        ("format 2\n# written by softmax \x1b[31m", "written in format 2", "A newer version"),
    ],
)
def test_another_format_is_refused_with_the_version_that_reads_it(
    tmp_path: Path, marker: str, message: str, hint: str
) -> None:
    (tmp_path / "config.yaml").write_text(f"# softmax train run, {marker}\nseed: 0\n")
    with pytest.raises(RunDirectoryError, match=message) as caught:
        open_run_directory(tmp_path)
    assert str(tmp_path / "config.yaml") in caught.value.message
    assert str(caught.value.hint).startswith(hint)
    with pytest.raises(RunDirectoryError, match=message):
        create_run_directory(tmp_path, kind="train", settings=SETTINGS, overwrite=True)


def test_a_run_that_does_not_say_who_wrote_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text("# softmax sweep run, format 1\nparameters: {}\n")
    assert open_run_directory(tmp_path).kind == "sweep"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_that_an_editor_saved_again_are_recognised(tmp_path: Path, encoding: str) -> None:
    path = make_run(tmp_path / "run", settings="dir: größer\n" * 50)
    text = (path / "config.yaml").read_text()
    (path / "config.yaml").write_text(text, encoding=encoding, newline="\r\n")
    assert open_run_directory(path).kind == "train"


HOLD = """
import sys
from pathlib import Path
from types import SimpleNamespace
from softmax_cli.runs import locks
from softmax_cli.runs.directory import open_run_directory
locks.sys = SimpleNamespace(platform=sys.argv[2])
with open_run_directory(Path(sys.argv[1]), exclusive=True):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_only_one_process_works_in_a_directory(tmp_path: Path, platform: str) -> None:
    run = make_run(tmp_path / "run")
    command = [sys.executable, "-c", HOLD, str(run), platform]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(RunDirectoryError, match="in use by another process"):
            open_run_directory(run, exclusive=True)
        with pytest.raises(RunDirectoryError, match="in use by another process"):
            create_run_directory(run, kind="train", settings=SETTINGS, overwrite=True)
        assert open_run_directory(run).kind == "train"
        process.kill()
    open_run_directory(run, exclusive=True).close()
    assert names(run) == {"config.yaml"}


def test_opening_exclusively_clears_what_a_crash_left(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    fill(run, ".metrics.csv.0123456789ab.tmp", "notes.tmp")
    open_run_directory(run).close()
    assert len(names(run)) == 3
    open_run_directory(run, exclusive=True).close()
    assert names(run) == {"config.yaml", "notes.tmp"}


def test_a_file_system_without_locks_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, *, blocking: bool) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(filelock, "lock_descriptor", refuse)
    assert names(make_run(tmp_path / "run")) == {"config.yaml"}
    open_run_directory(tmp_path / "run", exclusive=True).close()


def test_the_lock_of_a_killed_process_is_in_nobodys_way(tmp_path: Path) -> None:
    """On Windows a killed process leaves a file behind."""
    fill(tmp_path / "run", locks.LOCK_NAME)
    run = make_run(tmp_path / "run")
    fill(run, locks.LOCK_NAME, "model.safetensors")
    create_run_directory(run, kind="train", settings=SETTINGS, overwrite=True).close()
    assert names(run) - {locks.LOCK_NAME} == {"config.yaml"}
    open_run_directory(run, exclusive=True).close()
    assert names(run) - {locks.LOCK_NAME} == {"config.yaml"}


def test_a_run_gets_the_directory_that_is_named_or_the_next_one_below_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for expected in ("runs/sweep/demo-001", "runs/sweep/demo-002"):
        with new_run_directory(None, "demo", kind="sweep", settings="") as run:
            assert run.path == Path(expected)
    with new_run_directory(Path("mine"), "demo", kind="train", settings="") as run:
        assert (run.path, run.kind) == (Path("mine"), "train")
    with pytest.raises(RunDirectoryError, match="not empty"):
        new_run_directory(Path("mine"), "demo", kind="train", settings="")
