"""A folder with runs, models, pictures and settings, good and bad, for commands to be let loose in.

What a command did to it is found by comparing it with a copy that nothing touches.
"""

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from campaigns.processes.program import run_program
from softmax_cli.data.synthetic import make_synthetic
from softmax_cli.runs.model_file import MODEL_FORMAT
from softmax_cli.runs.sealed import read_sealed, write_sealed

QUICK = (
    "training.iterations=40",
    "training.validate_every=20",
    "training.checkpoint_every=20",
    "data.train_size=200",
)
"""Overrides that make a training of the preset demo take a moment."""

AXES = (
    "parameters.optimizer.learning_rate=[0.01,0.02]",
    "parameters.optimizer.regularization=[0.1]",
)
"""Overrides that leave two trials of the preset demo-sweep."""

UNREADABLE = ("unreadable.yaml", "unreadable.png", "unreadable-run")
READ_ONLY = "read-only"
_Entry = tuple[int, int, int, int]


class Playground:
    """The folder, and what it was like before the last command.

    Args:
        folder: empty.

    Attributes:
        place: where commands run.
    """

    def __init__(self, folder: Path) -> None:
        self._original = folder / "original"
        self.place = folder / "place"
        self._original.mkdir()
        build(self._original)
        self._renew()

    def changes(self) -> dict[str, str]:
        """What differs from the original: path below the place, and new, lost or altered."""
        now = _entries(self.place)
        changed = {path: "new" for path in now if path not in self._entries}
        for path, entry in self._entries.items():
            if path not in now:
                changed[path] = "lost"
            elif now[path] != entry and self._content(path) != self._content(path, original=True):
                changed[path] = "altered"
        if now != self._entries:
            self._renew()
        return changed

    def _renew(self) -> None:
        if self.place.exists():
            for path in (self.place / READ_ONLY, *(self.place / name for name in UNREADABLE)):
                if path.exists():
                    path.chmod(0o700)
            shutil.rmtree(self.place)
        subprocess.run(["cp", "-a", "--", self._original, self.place], check=True)
        for name in UNREADABLE:
            (self.place / name).chmod(0)
        (self.place / READ_ONLY).chmod(0o555)
        self._entries = _entries(self.place)

    def _content(self, path: str, *, original: bool = False) -> bytes:
        full = (self._original if original else self.place) / path
        if full.is_symlink():
            return os.fsencode(full.readlink())
        if not full.is_file():
            return b"directory"
        return hashlib.sha256(full.read_bytes()).digest() if full.stat().st_size < 2**27 else b""


def _entries(place: Path) -> dict[str, _Entry]:
    """Every file and directory below a place, with what changes when it is written."""
    entries: dict[str, _Entry] = {}
    for folder, directories, files in os.walk(place):
        for name in (*directories, *files):
            path = Path(folder, name)
            status = path.lstat()
            is_directory = stat.S_ISDIR(status.st_mode)
            written = (
                (0, 0, 0) if is_directory else (status.st_ino, status.st_size, status.st_ctime_ns)
            )
            entries[str(path.relative_to(place))] = (status.st_mode, *written)
    return entries


def build(place: Path) -> None:
    """Fill an empty folder."""
    _build_runs(place)
    _build_damaged_runs(place)
    _build_settings(place)
    _build_pictures(place)
    _build_odd_files(place)


def _build_runs(place: Path) -> None:
    train = ("train", "-c", "demo", *QUICK, "--run-dir")
    for arguments in (
        (*train, "trained"),
        (*train, "hinged", "model.loss=hinge"),
        ("sweep", "-c", "demo-sweep", *QUICK, *AXES, "--run-dir", "swept"),
    ):
        if faults := run_program(*arguments, folder=place).faults(0):
            raise RuntimeError(f"{arguments}: {faults}")
    (place / "trained/notes.txt").write_text("mine")
    (place / "swept/notes.txt").write_text("mine")
    (place / "link to trained").symlink_to("trained")
    shutil.copytree(place / "trained", place / "größer 図\nrun")

    _copy_without(place, "trained", "halted", "summary.json", "model.safetensors", "curves.png")
    _copy_without(place, "trained", "beginning", "summary.json", "model.safetensors", "checkpoint")
    _copy_without(place, "swept", "halted-sweep", "summary.json", "results.csv", "trials.jsonl")


def _build_damaged_runs(place: Path) -> None:
    _damage(_copy_without(place, "trained", "flipped") / "model.safetensors")
    damaged = _copy_without(place, "trained", "damaged", "summary.json", "model.safetensors")
    for checkpoint in (damaged / "checkpoint").iterdir():
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    future = _copy_without(place, "trained", "future", "model.safetensors", "summary.json")
    settings = (future / "config.yaml").read_text()
    (future / "config.yaml").write_text(settings.replace("format 1", "format 99"))
    torn = _copy_without(place, "trained", "torn", "summary.json", "model.safetensors")
    (torn / "config.yaml").write_text(settings[: len(settings) // 2])
    unmarked = _copy_without(place, "trained", "unmarked", "model.safetensors", "summary.json")
    (unmarked / "config.yaml").write_text(settings.partition("\n")[2])
    torn_sweep = _copy_without(place, "halted-sweep", "torn-sweep")
    (torn_sweep / "trials.jsonl").write_bytes(b'{"id": 1}\n\xff{')
    modelless = _copy_without(place, "trained", "modelless", "model.safetensors", "metrics.csv")
    assert (modelless / "config.yaml").exists()

    tensors, document = read_sealed(place / "trained/model.safetensors", MODEL_FORMAT)
    fewer = {name: array[:12] if name != "bias" else array for name, array in tensors.items()}
    shapes = {
        "other-features": (fewer, document),
        "other-classes": ({**tensors, "bias": tensors["bias"][:5]}, document),
        "no-scale": ({**tensors, "scale": tensors["scale"] * 0}, document),
        "no-loss": (tensors, {**document, "settings": {}}),
        "no-tensors": ({"weights": tensors["weights"]}, document),
    }
    for name, (arrays, words) in shapes.items():
        (place / name).mkdir()
        path = place / name / "model.safetensors"
        write_sealed(path, MODEL_FORMAT, tensors=arrays, document=words)


def _copy_without(place: Path, source: str, target: str, *names: str) -> Path:
    copy = Path(shutil.copytree(place / source, place / target))
    for name in names:
        path = copy / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return copy


def _damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def _build_settings(place: Path) -> None:
    mine = "data: {dataset: synthetic, train_size: 200}\ntraining: {iterations: 40}\n"
    sweep = f"train:\n  {mine.replace(chr(10), chr(10) + '  ').rstrip()}\nparameters:\n"
    sweep += "  optimizer.learning_rate: [1.0e-8, 2.0e-8]\n"
    for name in ("mine.yaml", "with space.yaml", "größer 図.yaml", "new\nline.yaml"):
        (place / name).write_text(mine)
        (place / f"sweep of {name}").write_text(sweep)
    (place / "odd.yaml").write_text("data: [1, 2\n")
    (place / "wrong.yaml").write_text("optimizer: {learning_rat: fast}\nseed: -1\n")
    (place / "unreadable.yaml").write_text(mine)


def _build_pictures(place: Path) -> None:
    images = make_synthetic("test", size=2).images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    buffer = io.BytesIO()
    Image.fromarray(images[0]).save(buffer, "png")
    picture = buffer.getvalue()
    for name in ("cat.png", "-lead.png", "with space.png", "größer 図.png", "new\nline.png",
                 "no text \udcff.png", "unreadable.png"):  # fmt: skip
        (place / name).write_bytes(picture)
    (place / "cut.png").write_bytes(picture[:200])
    (place / "flipped.png").write_bytes(picture[:100] + b"\x00\xff" + picture[102:])
    (place / "bomb.png").write_bytes(picture[:16] + b"\x00\x0f\xff\xff" * 2 + picture[24:])
    (place / "no size.ppm").write_bytes(b"P6 32 x 255\n" + bytes(3072))
    np.save(place / "two.npy", images)
    np.save(place / "floats.npy", images.astype("float32"))
    np.save(place / "objects.npy", np.array([{}, []], object), allow_pickle=True)
    (place / "cut.npy").write_bytes((place / "two.npy").read_bytes()[:500])


def _build_odd_files(place: Path) -> None:
    (place / "empty").touch()
    (place / "binary").write_bytes(bytes(range(256)) * 40)
    with (place / "huge").open("wb") as stream:
        stream.truncate(3 << 30)
    (place / "json").write_text(json.dumps({"a": [1]}))
    (place / "folder").mkdir()
    (place / "folder/thesis.txt").write_text("years of work")
    (place / "empty-folder").mkdir()
    (place / READ_ONLY).mkdir()
    (place / "unreadable-run").mkdir()
    (place / "loop").symlink_to("loop")
    (place / "dangling").symlink_to("nowhere")
    batches = place / "broken-data/cifar-10-batches-py"
    batches.mkdir(parents=True)
    (batches / "data_batch_1").write_bytes(b"\x80\x02}q\x01.")
    (batches / "test_batch").touch()
    (place / "archive.tar.gz").write_bytes(b"\x1f\x8b\x08\x00" + bytes(500))
