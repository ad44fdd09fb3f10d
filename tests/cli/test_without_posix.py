"""The commands do the same in a process that has nothing of POSIX."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from campaigns.disk.subject import contents, difference
from campaigns.processes.program import environment
from softmax_cli.runs.locks import LOCK_NAME
from tests.cli.conftest import QUICK
from tests.cli.session import Command, Session
from tests.data.conftest import FOLDER, SmallDataSet
from tests.data.expectation import downloaded_as
from tests.data.mirror import Mirror, endless

pytestmark = pytest.mark.linux("/proc, to show which files are open")

LAUNCHER = Path(__file__).with_name("without_posix.py")
SWEEP = (
    "sweep", "--config", "demo-sweep", *QUICK, "training.batch_size=20",
    "parameters={optimizer.learning_rate: [0.01, 0.1], training.batch_size: [20, 50]}",
    "--run-dir", "grid",
)  # fmt: skip


def commands(*urls: str, interrupted: bool) -> list[Command]:
    """Every command that reads or writes files, trainings and sweeps interrupted or not."""
    code, at = (130, "step-00000020.safetensors") if interrupted else (0, "")
    train = ("train", "--config", "demo", *QUICK, "--run-dir", "run")
    mirrors = [part for url in urls for part in ("--url", url)]
    return [
        Command(("download", "--data-dir", "imported", "--from", "cifar.tar")),
        Command(("download", "--data-dir", "fetched", *mirrors)),
        Command((*train, "seed=1"), code, at),
        Command(train, 2),
        Command((*train, "--overwrite"), code, at),
        Command(("train", "--resume", "run")),
        Command(SWEEP, code, at),
        Command(("sweep", "--resume", "grid")),
        Command(("evaluate", "run", "--calibrate")),
        Command(("visualize", "run")),
        Command(("predict", "run", "picture.png", "pictures.npy", "--calibrated")),
    ]


@pytest.fixture
def mirrors() -> Iterator[tuple[Mirror, Mirror]]:
    """Two servers of a small data set, of which the first never stops sending."""
    servers = (Mirror(SmallDataSet().archive()), Mirror(SmallDataSet().archive()))
    servers[0].always = endless
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


def run(folder: Path, launcher: Sequence[object], session: Session) -> str:
    """Run a session in a new folder, as a process of its own; return what it prints."""
    (folder / "fetched" / FOLDER).mkdir(parents=True)
    (folder / "cifar.tar").write_bytes(SmallDataSet().archive())
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    np.save(folder / "pictures.npy", pictures)
    Image.fromarray(pictures[0]).save(folder / "picture.png")
    session.write(folder / "session.json")
    done = subprocess.run(
        [sys.executable, *map(str, launcher), "tests.cli.session", "session.json"],
        cwd=folder,
        env=environment({"NO_PROXY": "127.0.0.1"}, threads=None),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout


def test_all_commands_do_the_same_without_posix(
    tmp_path: Path, mirrors: tuple[Mirror, Mirror]
) -> None:
    small = SmallDataSet()
    content = small.archive()
    digest = hashlib.sha256(content).hexdigest()
    publication = downloaded_as(small.publication, "small.tar", len(content), digest)
    printed = []
    for name, launcher in (("with", ["-m"]), ("without", [LAUNCHER])):
        steps = commands(*(mirror.url for mirror in mirrors), interrupted=name == "without")
        session = Session(steps, publication)
        printed.append(run(tmp_path / name, launcher, session).splitlines())
    assert len(printed[0][-4:]) == 4
    assert printed[0][-4:] == printed[1][-4:]  # the predictions
    for made in ("run", "grid", "imported", "fetched"):
        expected, got = (contents(tmp_path / name / made) for name in ("with", "without"))
        assert difference(expected, got) is None
        assert not [file for file in got if file.endswith((LOCK_NAME, ".tmp", ".part"))]
    for data_dir in ("imported", "fetched"):
        folder = tmp_path / "without" / data_dir / FOLDER
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == small.contents
