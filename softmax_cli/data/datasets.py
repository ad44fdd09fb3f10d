"""The data sets that ``data.dataset`` can name."""

from pathlib import Path
from typing import Literal, assert_never

from softmax_cli.data.cifar10 import load_cifar10
from softmax_cli.data.images import ImageSet
from softmax_cli.data.synthetic import make_synthetic


def load_split(
    dataset: Literal["cifar10", "synthetic"], data_dir: Path, split: Literal["train", "test"]
) -> ImageSet:
    """Load one split of a data set.

    Args:
        dataset: ``cifar10`` reads verified files; ``synthetic`` makes images in memory and never
            stands in for the other.
        data_dir: folder that holds ``cifar-10-batches-py/``, or that folder itself, or one up to
            two levels above; not looked at for ``synthetic``.
        split: which split.

    Raises:
        DataError: if files of CIFAR-10 are missing or not intact.
    """
    match dataset:
        case "cifar10":
            return load_cifar10(data_dir, split)
        case "synthetic":
            return make_synthetic(split)
        case _:
            assert_never(dataset)
