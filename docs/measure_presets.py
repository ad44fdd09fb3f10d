#!/usr/bin/env python3
"""Measure presets on this machine, for the tables of README and features.md.

    python docs/measure_presets.py [--data-dir FOLDER] [PRESET...]

FOLDER contains cifar-10-batches-py/; the default is data. Without names the presets of README's
table are measured, which takes some minutes. Nothing else should run on the machine meanwhile.

Extraction is what the feature map and its statistics take on the 50,000 training images, where none
are kept yet. Training is `softmax train` from start to end with features that are kept. README's
seconds are the sum of the two.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from softmax_cli.config.loading import load_train_config
from softmax_cli.training.training_data import load_training_data

PRESETS = (
    "cs231n",
    "hinge",
    "annealed",
    "linear",
    "optimum",
    "hog",
    "hog-fine",
    "optimum-hog-fine",
    "patches",
    "patches-large",
    "optimum-patches",
)
HEADER = ("preset", "features", "extraction", "training", "sum", "validation", "test", "95 %")


def softmax(*arguments: object) -> dict[str, Any]:
    """Run a command in a process of its own, and return what it reports."""
    command = [sys.executable, "-m", "softmax_cli", *map(str, arguments), "--format", "json", "-q"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    document: dict[str, Any] = json.loads(printed)
    return document


def extraction(preset: str, data_dir: Path) -> tuple[int, float]:
    """The number of features, and the seconds that loading takes longer without kept ones."""
    config = load_train_config(preset, [f"data.dir={data_dir}"])
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        features = load_training_data(config).train_features.shape[1]
        seconds.append(time.perf_counter() - started)
    return features, max(0.0, seconds[0] - seconds[1])


def measure(preset: str, data_dir: Path, run_dir: Path) -> tuple[str, ...]:
    """The cells of a preset's row."""
    features, extracting = extraction(preset, data_dir)
    started = time.perf_counter()
    trained = softmax("train", "--config", preset, "--run-dir", run_dir, "--data-dir", data_dir)
    training = time.perf_counter() - started
    tested = softmax("evaluate", run_dir, "--data-dir", data_dir)
    low, high = tested["accuracy_interval"]
    return (
        f"`{preset}`",
        f"{features:,}",
        f"{extracting:.1f} s",
        f"{training:.1f} s",
        f"{extracting + training:.1f} s",
        f"{100 * trained['validation_accuracy']:.2f} %",
        f"{100 * tested['accuracy']:.2f} %",
        f"{100 * low:.1f} to {100 * high:.1f}",
    )


def print_row(cells: tuple[str, ...]) -> None:
    """Print a row as soon as it is there."""
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Measure the presets that are named, with no features kept from earlier runs."""
    parser = argparse.ArgumentParser(description="Measure presets; print a Markdown table.")
    parser.add_argument(
        "presets", nargs="*", metavar="PRESET", help=f"default: {', '.join(PRESETS)}"
    )
    parser.add_argument(
        "--data-dir", type=Path, default=Path(os.environ.get("SOFTMAX_DATA_DIR", "data"))
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder, "data")
        data_dir.mkdir()
        for batches in options.data_dir.glob("cifar-10*-py*"):
            if batches.is_dir():
                shutil.copytree(batches, data_dir / batches.name)
        print_row(HEADER)
        print_row(("---", *["---:"] * (len(HEADER) - 1)))
        for preset in options.presets or PRESETS:
            print_row(measure(preset, data_dir, Path(folder, preset)))


if __name__ == "__main__":
    main()
