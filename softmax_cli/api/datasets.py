"""Data sets as arrays."""

import os
from dataclasses import dataclass
from pathlib import Path

from softmax_cli.data.datasets import DEFAULT_DATASET, find_dataset
from softmax_cli.data.images import ImageSet
from softmax_cli.paths import expand_home

DEFAULT_DATA_DIR = "data"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in memory.

    Attributes:
        name: what ``data.dataset`` calls it.
        class_names: C names, in label order.
        train: the training split. ``train.images`` is (n, 3072) uint8, a row for each image,
            (3, 32, 32) channel-major; ``train.labels`` is (n,) int64, each below C.
        test: the test split, likewise.
    """

    name: str
    class_names: tuple[str, ...]
    train: ImageSet
    test: ImageSet

    def __repr__(self) -> str:
        sizes = f"{len(self.train)} training and {len(self.test)} test images"
        return f"<Dataset {self.name}: {sizes} of {len(self.class_names)} classes>"


def load_dataset(
    name: str = DEFAULT_DATASET, data_dir: str | os.PathLike[str] | None = None
) -> Dataset:
    """Load both splits of a data set, and verify them.

    Args:
        name: ``cifar10``, ``synthetic`` or another that ``data.dataset`` can name.
        data_dir: folder that holds the data set's folder, or that folder itself; not looked at for
            a data set that is made in memory. None is what the environment variable
            ``SOFTMAX_DATA_DIR`` says, or ``data``.

    Raises:
        ConfigurationError: there is no such data set.
        DataError: its files are missing or not intact; ``softmax download`` fetches them.
    """
    spec = find_dataset(name)
    folder = os.environ.get("SOFTMAX_DATA_DIR", DEFAULT_DATA_DIR) if data_dir is None else data_dir
    directory = Path(expand_home(os.fspath(folder)))
    train, test = spec.load(directory, "train"), spec.load(directory, "test")
    return Dataset(spec.name, train.class_names, train, test)
