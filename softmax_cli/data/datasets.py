"""The data sets that ``data.dataset`` can name.

To add one: a file with its :class:`~softmax_cli.data.dataset.DatasetSpec`, an entry here, and its
name in ``softmax_cli/config/schema.py``.
"""

from pathlib import Path
from typing import Final

from softmax_cli.data.cifar10 import CIFAR10
from softmax_cli.data.cifar100 import CIFAR100, CIFAR100_COARSE
from softmax_cli.data.dataset import DatasetSpec, Publication, Split
from softmax_cli.data.images import ImageSet
from softmax_cli.data.synthetic import SYNTHETIC
from softmax_cli.errors import ConfigurationError

DATASETS: Final[dict[str, DatasetSpec]] = {
    spec.name: spec for spec in (CIFAR10, CIFAR100, CIFAR100_COARSE, SYNTHETIC)
}
DEFAULT_DATASET: Final = CIFAR10.name
"""The data set of a command that is not told which."""
IN_MEMORY_DATASET: Final = SYNTHETIC.name
"""One that needs no files."""


def find_dataset(name: str) -> DatasetSpec:
    """The data set of a name.

    Raises:
        ConfigurationError: there is none.
    """
    if name not in DATASETS:
        raise ConfigurationError(f"expected a data set ({', '.join(DATASETS)}), got {name}")
    return DATASETS[name]


def find_publication(name: str) -> Publication:
    """What is published of the data set of a name.

    Raises:
        ConfigurationError: nothing, or there is no such data set.
    """
    publication = find_dataset(name).publication
    if publication is None:
        published = ", ".join(name for name, spec in DATASETS.items() if spec.publication)
        raise ConfigurationError(f"expected a data set to download ({published}), got {name}")
    return publication


def load_split(dataset: str, data_dir: Path, split: Split) -> ImageSet:
    """Load one split of a data set.

    Args:
        dataset: its name.
        data_dir: folder that holds the data set's folder, or that folder itself, or one up to two
            levels above; not looked at for a data set that is made in memory.
        split: which split.

    Raises:
        ConfigurationError: if there is no such data set.
        DataError: if its files are missing or not intact.
    """
    return find_dataset(dataset).load(data_dir, split)
