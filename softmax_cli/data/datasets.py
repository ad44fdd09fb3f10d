"""The data sets that ``data.dataset`` can name.

To add one: a file with its :class:`~softmax_cli.data.dataset.DatasetSpec`, an entry here, and its
name in ``softmax_cli/config/data_schema.py``.
"""

from typing import Final

from softmax_cli.data.arrays import check_training_arrays, load_arrays
from softmax_cli.data.cifar10 import CIFAR10
from softmax_cli.data.cifar100 import CIFAR100, CIFAR100_COARSE
from softmax_cli.data.dataset import DatasetSpec, DataSource, Part, Publication, Split
from softmax_cli.data.images import ImageSet, split_train_validation
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


def load_split(source: DataSource, split: Split) -> ImageSet:
    """Load one split of a data set as it is.

    Raises:
        ConfigurationError: if there is no such data set.
        DataError: if its files are missing or not intact.
    """
    if source.files:
        return load_arrays(source, split)
    return find_dataset(source.dataset).load(source.directory, split)


def load_training_parts(source: DataSource) -> tuple[ImageSet, ImageSet]:
    """Load the training split; return what is trained on, and the validation images.

    Raises:
        ConfigurationError: if there is no such data set, or it is too small for the cut.
        DataError: if its files are missing or not intact, or arrays do not fit together.
    """
    whole = load_split(source, "train")
    has_own = "validation" in source.files
    held_out = 0 if has_own else source.validation_size
    train, validation = split_train_validation(
        whole, train_size=source.train_size, validation_size=held_out
    )
    if has_own:
        validation = load_arrays(source, "validation")
    if source.files:
        check_training_arrays(whole.take_first(len(whole) - held_out), validation, held_out)
    return train, validation


def load_part(source: DataSource, part: Part) -> ImageSet:
    """Load some images, cut as for a training.

    Raises:
        ConfigurationError: as :func:`load_training_parts`.
        DataError: likewise.
    """
    if part == "test":
        return load_split(source, "test")
    train, validation = load_training_parts(source)
    return train if part == "train" else validation
