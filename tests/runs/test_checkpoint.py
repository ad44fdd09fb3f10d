"""Checkpoints: bits kept, two kept, damage passed over, crashes survived."""

import contextlib
import errno
import math
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli.errors import CheckpointError
from softmax_cli.runs.checkpoint import (
    CHECKPOINT_FORMAT,
    Checkpoint,
    load_latest_checkpoint,
    save_checkpoint,
)
from softmax_cli.runs.sealed import write_sealed


def make_checkpoint(step: int) -> Checkpoint:
    weights = np.full((3, 2), step, np.float32)
    return Checkpoint(step, {"weights": weights}, {"history": [{"step": step}]})


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def flip_a_bit(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_every_bit_of_an_array_comes_back(tmp_path: Path) -> None:
    payload_nan = np.array([0x7FF8000000000123, 0xFFF0000000000001], np.uint64).view(np.float64)
    arrays = {
        "floats": np.array([-0.0, np.nan, np.inf, -np.inf, 5e-324, 1 / 3]),
        "payloads": payload_nan,
        "fortran": np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
        "strided": np.arange(20, dtype=np.int64)[::3],
        "swapped": np.arange(3, dtype=">f8"),
        "scalar": np.array(7, np.uint64),
        "empty": np.zeros((0, 5), np.float32),
        "bytes": np.arange(3, dtype=np.uint8),
        "mask": np.array([True, False, True]),
        "indices": np.arange(3, dtype=np.int32),
        "words": np.arange(3, dtype=np.uint32),
    }
    save_checkpoint(tmp_path, Checkpoint(1, arrays, {}))
    loaded, _ = load_latest_checkpoint(tmp_path)
    assert loaded.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        found = loaded.arrays[name]
        assert found.shape == array.shape
        assert found.dtype == array.dtype.newbyteorder("=")
        assert found.flags.c_contiguous
        assert found.flags.writeable
        assert found.tobytes() == array.astype(found.dtype).tobytes()


def test_a_document_comes_back_in_its_own_order(tmp_path: Path) -> None:
    document = {
        "random_state": {"state": 2**127 + 1, "inc": 3},
        "best": -0.0,
        "loss": [0.1 + 0.2, math.inf, -math.inf],
        "note": "naïve \x00 \U0001f438 \u2028",
        "absent": None,
        "done": False,
    }
    save_checkpoint(tmp_path, Checkpoint(3, {}, document))
    loaded, _ = load_latest_checkpoint(tmp_path)
    assert loaded.document == document
    assert list(loaded.document) == list(document)
    assert math.copysign(1, loaded.document["best"]) == -1


def test_not_a_number_in_a_document_comes_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Checkpoint(3, {}, {"loss": math.nan}))
    loaded, _ = load_latest_checkpoint(tmp_path)
    assert math.isnan(loaded.document["loss"])


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    directory = tmp_path / "run" / "checkpoint"
    (tmp_path / "run").mkdir()
    for step in (500, 1000, 1500, 2000):
        save_checkpoint(directory, make_checkpoint(step))
    assert names(directory) == ["step-00001500.safetensors", "step-00002000.safetensors"]
    loaded, warnings = load_latest_checkpoint(directory)
    assert loaded.step == 2000
    assert warnings == []


def test_other_files_beside_checkpoints_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "step-notes.txt").write_text("mine")
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, make_checkpoint(step))
    assert "step-notes.txt" in names(tmp_path)
    assert load_latest_checkpoint(tmp_path)[0].step == 3


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "directory"])
def test_a_damaged_newer_one_falls_back_with_a_warning(tmp_path: Path, damage: str) -> None:
    save_checkpoint(tmp_path, make_checkpoint(500))
    newer = save_checkpoint(tmp_path, make_checkpoint(1000))
    match damage:
        case "flipped":
            flip_a_bit(newer, -1)
        case "cut":
            os.truncate(newer, newer.stat().st_size // 2)
        case "empty":
            os.truncate(newer, 0)
        case "directory":
            newer.unlink()
            newer.mkdir()
    loaded, warnings = load_latest_checkpoint(tmp_path)
    assert loaded.step == 500
    assert len(warnings) == 1
    assert "step-00001000" in warnings[0]


def test_saving_after_a_fallback_drops_the_damaged_later_one(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, make_checkpoint(500))
    flip_a_bit(save_checkpoint(tmp_path, make_checkpoint(1000)), -1)
    save_checkpoint(tmp_path, make_checkpoint(550))
    assert names(tmp_path) == ["step-00000500.safetensors", "step-00000550.safetensors"]


def test_none_intact_is_an_error_that_names_each(tmp_path: Path) -> None:
    for step in (500, 1000):
        flip_a_bit(save_checkpoint(tmp_path, make_checkpoint(step)), 200)
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* can be read") as caught:
        load_latest_checkpoint(tmp_path)
    assert "step-00000500" in caught.value.message
    assert "step-00001000" in caught.value.message


def test_a_checkpoint_of_a_newer_format_names_the_version_that_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = replace(CHECKPOINT_FORMAT, version=CHECKPOINT_FORMAT.version + 1)
    with monkeypatch.context() as patch:
        patch.setattr("softmax_cli.runs.checkpoint.CHECKPOINT_FORMAT", newer)
        patch.setattr("softmax_cli.runs.sealed.__version__", "9.3.1")
        save_checkpoint(tmp_path, make_checkpoint(500))
    with pytest.raises(CheckpointError, match=r"written by softmax 9\.3\.1") as caught:
        load_latest_checkpoint(tmp_path)
    hint = f"Install softmax 9.3.1 or newer. To start from the beginning, remove {tmp_path}."
    assert caught.value.hint == hint


@pytest.mark.parametrize("exists", [True, False])
def test_no_checkpoint_is_an_error(tmp_path: Path, exists: bool) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint in"):
        load_latest_checkpoint(tmp_path if exists else tmp_path / "checkpoint")


def test_a_renamed_checkpoint_is_not_believed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, make_checkpoint(500)).rename(tmp_path / "step-00000900.safetensors")
    with pytest.raises(CheckpointError, match="got step 500"):
        load_latest_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "document", [{}, {"step": 3}, {"step": True, "state": {}}, {"step": 3, "state": {}, "more": 1}]
)
def test_a_sealed_file_with_other_parts_is_no_checkpoint(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    path = tmp_path / f"step-{document.get('step', 3):08d}.safetensors"
    write_sealed(path, CHECKPOINT_FORMAT, tensors={}, document=document)
    with pytest.raises(CheckpointError, match="expected a step and a state"):
        load_latest_checkpoint(tmp_path)


# Forks one child per file operation of a save; the N-th child is killed just before its N-th.
KILL_AT_EACH_OPERATION = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from softmax_cli.runs.checkpoint import Checkpoint, load_latest_checkpoint, save_checkpoint

directory = Path(sys.argv[1])
seen = 0

def count_down(event, arguments):
    global seen
    if event in {"open", "os.rename", "os.remove", "os.mkdir", "os.fsync"}:
        seen += 1
        if seen == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

def audited_fsync(descriptor, fsync=os.fsync):
    sys.audit("os.fsync", descriptor)
    fsync(descriptor)

def save(step):
    arrays = {"weights": np.full(5000, step, np.float32)}
    save_checkpoint(directory, Checkpoint(step, arrays, {}))

save(1)
save(2)
step = 2
for deadly in range(1, 100):
    child = os.fork()
    if child == 0:
        os.fsync = audited_fsync
        sys.addaudithook(count_down)
        save(step + 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    loaded, warnings = load_latest_checkpoint(directory)
    assert warnings == [], warnings
    assert loaded.step in (step, step + 1)
    assert (loaded.arrays["weights"] == loaded.step).all()
    step = loaded.step
    if os.WIFEXITED(status):
        break
print(deadly, os.WEXITSTATUS(status), step)
"""


@pytest.mark.posix("forks")
def test_a_kill_before_any_file_operation_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILL_AT_EACH_OPERATION, str(tmp_path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    operations, status, step = map(int, output.split())
    assert operations > 6  # open, sync, rename, open and sync of the directory, removal
    assert status == 0
    assert len(names(tmp_path)) == 2  # and no temporary file of a killed child
    assert step > 2


@pytest.mark.parametrize("function", ["fsync", "replace", "unlink", "open"])
def test_a_save_that_fails_anywhere_leaves_an_intact_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, make_checkpoint(step))
    original = getattr(os, function)
    for failing_call in range(1, 20):
        calls = 0

        def fail_once(*args: object, failing_call: int = failing_call, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == failing_call:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return original(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(os, function, fail_once)
            with contextlib.suppress(OSError):
                save_checkpoint(tmp_path, make_checkpoint(3))
        loaded, warnings = load_latest_checkpoint(tmp_path)
        assert loaded.step in (2, 3)
        assert warnings == []
        assert not [name for name in names(tmp_path) if name.endswith(".tmp")]
        if calls < failing_call:
            break
    else:
        pytest.fail("the save never succeeded")


SAVE_FOREVER = """
import itertools, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from softmax_cli.runs.checkpoint import Checkpoint, save_checkpoint
for step in itertools.count(int(sys.argv[2])):
    arrays = {"weights": np.full(20_000, step, np.float32)}
    save_checkpoint(Path(sys.argv[1]), Checkpoint(step, arrays, {"rows": [step] * 50}))
    if step == int(sys.argv[2]):
        print("saved", flush=True)
"""


def test_a_killed_process_leaves_an_intact_checkpoint(tmp_path: Path) -> None:
    moments = random.Random(11)
    step = 0
    for _ in range(6):
        command = [sys.executable, "-c", SAVE_FOREVER, str(tmp_path), str(step + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"saved\n"
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
        loaded, warnings = load_latest_checkpoint(tmp_path)
        assert warnings == []
        assert loaded.step > step
        assert np.array_equal(loaded.arrays["weights"], np.full(20_000, loaded.step, np.float32))
        step = loaded.step
