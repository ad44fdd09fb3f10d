"""What data sets of either form share; their own tests are in test_cifar10 and test_cifar100."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from softmax_cli.data.cifar100 import FORM
from softmax_cli.data.cifar_batches import load_batches

if TYPE_CHECKING:
    from tests.data.conftest import SmallCifar100


def test_pixels_are_found_behind_all_the_names_of_files(
    small_100: "SmallCifar100", tmp_path: Path
) -> None:
    """In the real file they begin behind a megabyte of names."""
    parts = small_100.batch_parts()
    name = small_100.string(b"x" * 120)
    images = 700
    pixels = np.random.default_rng(1).bytes(images * 3072)
    parts[b"filenames"] = small_100.list_of([name] * images)
    for key in (b"fine_labels", b"coarse_labels"):
        parts[key] = small_100.list_of([small_100.integer(3)] * images)
    parts[b"data"] = small_100.array(small_100.string(pixels), rows=images)
    small_100.contents["test"] = small_100.dict_of(parts)
    small_100.write(tmp_path)
    publication = small_100.describe(small_100.contents, examples={"test": images})
    loaded = load_batches(tmp_path, "test", publication, FORM, "coarse_labels")
    assert loaded.images.tobytes() == pixels
    assert set(loaded.labels.tolist()) == {3}
