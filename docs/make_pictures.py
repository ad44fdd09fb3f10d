#!/usr/bin/env python3
"""Make the pictures of README and docs from the real CIFAR-10 with the program itself.

    python docs/make_pictures.py [FOLDER]

FOLDER contains cifar-10-batches-py/; the default is data. Trains the presets `linear` and
`cs231n-sweep`, which takes a minute or two on a quiet machine, in a temporary directory, and puts
four pictures into docs/pictures/. They are made from weights and metrics: none shows an image of
CIFAR-10.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from softmax_cli.cli.app import app

PICTURES = Path(__file__).parent / "pictures"


def softmax(*arguments: object) -> None:
    """Run a command of the program."""
    app(list(map(str, arguments)), standalone_mode=False)


def make_pictures(data_dir: Path, work_dir: Path) -> None:
    """Train and sweep in a working directory, and keep the pictures that the documents show."""
    trained, swept = work_dir / "linear", work_dir / "cs231n-sweep"
    softmax("train", "--config", "linear", "--run-dir", trained, "--data-dir", data_dir)
    softmax("evaluate", trained, "--data-dir", data_dir)
    softmax("sweep", "--config", "cs231n-sweep", "--run-dir", swept, "--data-dir", data_dir)
    for run in (trained, swept):
        softmax("visualize", run, "--dpi", "100", "--data-dir", data_dir)
    PICTURES.mkdir(exist_ok=True)
    for name in ("weights", "curves", "confusion_matrix"):
        shutil.copy(trained / f"{name}.png", PICTURES / f"{name}.png")
    shutil.copy(swept / "heatmap.png", PICTURES / "heatmap.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        make_pictures(Path(sys.argv[1] if len(sys.argv) > 1 else "data"), Path(directory))
